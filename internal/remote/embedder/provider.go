package embedder

import (
	"github.com/bertopic-go/bertopic/internal/remote"
	"github.com/bertopic-go/bertopic/sdk"
)

// Provider is what one service is: its address, its models, how it is spoken to.
type Provider struct {
	Name    string // of the program
	Version string // of the program
	Summary string

	BaseURL    string   // of the service itself
	Path       string   // appended to base_url
	Env        []string // variables that a key may be in
	Model      string   // by default
	InputType  string   // by default
	InputTypes []string // choices; nil: any
	Models     map[string]Model

	RequestTexts  int // that the service takes
	RequestTokens int
	ServerCuts    bool // the service itself cuts long texts where it is asked to

	Extra    []sdk.Option // options of this provider alone
	Service  func(Options) remote.Service
	KeyNames func(Options) []string         // order of Env; nil: as it stands
	Adjust   func(Options, *remote.Options) // a last word; nil: none
	Check    func(Options) sdk.Diagnostics  // more checks; nil: none
}

// Model is what is known of a model at the service itself.
type Model struct {
	Dimension int
	MaxTokens int
}
