package sdk

import (
	"context"
	"encoding/json"
	"iter"
)

// Embedder turns rows into vectors.
//
// Configure is called before any other call and may be called again, which
// starts anew. Embed may be called from several goroutines at once. Whatever a
// method panics with becomes an error of that call; the program goes on.
type Embedder interface {
	// Describe tells what the program is. It must work without Configure and
	// always give the same answer.
	Describe() Description
	// Configure takes the options, loads what is needed and tells what the
	// embedder now promises. Unknown options and wrong types never get here:
	// the host and Serve check them against Describe().Options.
	Configure(ctx context.Context, s Settings) (Info, Diagnostics, error)
	// Embed returns one vector a row, in order. A row that can't be embedded
	// has a status in Vectors.Statuses and zeros for a vector; an error is
	// about the batch as a whole. Wrap ErrOutOfMemory where a smaller batch
	// may do and ErrUnavailable where the same call may work later. A row
	// holds text, images or both, and only what Describe's Modalities name:
	// Serve answers for the other rows. Stop soon after ctx is done. A batch
	// that takes long calls Progress now and then.
	Embed(ctx context.Context, rows []Row) (Vectors, error)
}

// Fitter is an Embedder that reads the whole corpus before it can embed.
// Its Info must say NeedsFit.
type Fitter interface {
	Embedder
	// Fit reads all rows once. The Info it returns replaces Configure's, now
	// with the dimension.
	Fit(ctx context.Context, rows iter.Seq2[Row, error]) (Info, Diagnostics, error)
	// SaveState returns what Fit learned.
	SaveState(ctx context.Context) ([]byte, error)
	// LoadState makes the embedder what it was when SaveState was called, in
	// another process that has been configured with the same options.
	LoadState(ctx context.Context, state []byte) (Info, error)
}

// WordEmbedder is an Embedder that embeds single words and short phrases into
// the space of its documents. Its Info must say Words.
type WordEmbedder interface {
	Embedder
	EmbedWords(ctx context.Context, words []string) (Vectors, error)
}

// Closer is an Embedder with something to put away: a device, a temporary
// folder, a child process.
type Closer interface {
	Embedder
	// Close is called once, when the program ends in good order: at the host's
	// wish or because the host is gone. It has a second before the end comes
	// anyway. A call of another method that did not heed its context may still
	// be running.
	Close() error
}

// Modality is a kind of content that a row may hold.
type Modality string

// The modalities of protocol 1.
const (
	Text  Modality = "text"
	Image Modality = "image"
)

// Metric is the distance that suits an embedder's vectors.
type Metric string

// The metrics of protocol 1.
const (
	Cosine    Metric = "cosine"
	Euclidean Metric = "euclidean"
	Hellinger Metric = "hellinger" // values must not be negative
)

// Description is what a program says of itself. Its JSON is what --describe
// prints.
type Description struct {
	Name       string     `json:"name"`    // NAME of bertopic-embedder-NAME: lower case letters, digits and hyphens
	Version    string     `json:"version"` // of the program, as semantic versioning has it
	Summary    string     `json:"summary"` // one line
	Modalities []Modality `json:"modalities"`
	Options    []Option   `json:"options"`
	Network    bool       `json:"network"`     // the program opens connections of its own
	Env        []string   `json:"environment"` // environment variables it asks for, API keys say
}

// OptionType is the type of an option's value in TOML and JSON.
type OptionType string

// The types of protocol 1.
const (
	String      OptionType = "string"
	Integer     OptionType = "integer"
	Number      OptionType = "number"
	Boolean     OptionType = "boolean"
	StringList  OptionType = "string list"
	IntegerList OptionType = "integer list"
	Any         OptionType = "any" // Configure checks it
)

// Option is one key of [embedder.options].
type Option struct {
	Name     string     `json:"name"`
	Type     OptionType `json:"type"`
	Default  any        `json:"default"` // of the Go type that goes with Type; nil with Required
	Help     string     `json:"help"`    // one line
	Choices  []string   `json:"choices,omitempty"`
	Required bool       `json:"required,omitempty"`
	// Tuning: the option says how fast or how patiently the work is done and
	// never changes a vector, so that what was embedded with another value is
	// used again. A limit of requests a minute is one.
	Tuning bool `json:"tuning,omitempty"`
}

// Settings is what Configure gets.
type Settings struct {
	Options   map[string]json.RawMessage // every option of the description: the user's value or the default
	Seed      uint64
	Threads   int    // 0: all cores; must never change a result
	CacheDir  string // for files that can be made anew; may be empty
	ModelsDir string // where models are looked for by name; may be empty
	BaseDir   string // relative paths in options are relative to it
}

// Info is what a configured embedder promises; the host and the conformance
// suite hold it to that.
type Info struct {
	Dimension      int // 0: known after Fit only
	Sparse         bool
	Metric         Metric
	UnitLength     bool // every vector has the L2 norm 1
	NeedsFit       bool
	Words          bool
	MaxTokens      int // 0: no limit
	Model          string
	ModelSHA256    string // over the model's files; empty where there are none
	Device         string // "cpu", "cuda:0", "remote"
	BatchInvariant bool   // a row's bits don't depend on the rows beside it
}

// Row is one document; any subset of text and images may be there.
type Row struct {
	Text    string
	HasText bool
	Images  []ImageSource
}

// ImageSource is one picture: a file that both sides see, or its bytes.
type ImageSource struct {
	Path string
	Data []byte
}

// Status says how a row fared.
type Status int

// The statuses of protocol 1. Empty, OOV and Failed rows have no vector.
const (
	OK Status = iota
	Empty
	OOV
	Truncated
	Failed
)

// RowStatus is the status of one row of a batch.
type RowStatus struct {
	Row        int // index in the batch
	Status     Status
	TokensLost int    // with Truncated
	Reason     string // with Failed
}

// Vectors is the answer to a batch: exactly one of Dense and Sparse is set.
type Vectors struct {
	Dense    *Dense
	Sparse   *Sparse
	Statuses []RowStatus // of the rows that are not OK, in any order
}

// Dense holds rows x columns float32, row-major.
type Dense struct {
	Rows, Columns int
	Data          []float32
}

// Sparse holds compressed rows: row i has Data[Indptr[i]:Indptr[i+1]] in the
// columns Indices[Indptr[i]:Indptr[i+1]], ascending.
type Sparse struct {
	Rows, Columns int
	Indptr        []uint32 // Rows+1 long
	Indices       []uint32
	Data          []float32
}

// Diagnostic is a remark of Configure or Fit for the user.
type Diagnostic struct {
	Error   bool // else a warning
	Summary string
	Detail  string
	Option  string // the option that it is about, or empty
}

// Diagnostics is a list of remarks. One that is an Error refuses the
// configuration.
type Diagnostics []Diagnostic
