package embedder

import (
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/bertopic-go/bertopic/internal/remote"
	"github.com/bertopic-go/bertopic/sdk"
)

// Options are the options as the user names them. What a provider has beyond
// them is in Extra's fields.
type Options struct {
	Model      string `json:"model"`
	BaseURL    string `json:"base_url"`
	Dimensions int    `json:"dimensions"`
	InputType  string `json:"input_type"`
	KeyEnv     string `json:"key_env"`

	RequestsPerMinute int `json:"requests_per_minute"`
	TokensPerMinute   int `json:"tokens_per_minute"`
	Concurrency       int `json:"concurrency"`
	RequestTexts      int `json:"request_texts"`
	RequestTokens     int `json:"request_tokens"`

	MaxTokens int    `json:"max_tokens"`
	LongText  string `json:"long_text"`

	RequestTimeout float64 `json:"request_timeout"`
	MaxRetryTime   float64 `json:"max_retry_time"`
	RetryWait      float64 `json:"retry_wait"`

	Price          float64 `json:"price_per_million_tokens"`
	MaxCost        float64 `json:"max_cost"`
	BatchInvariant bool    `json:"batch_invariant"`

	EncodingFormat string `json:"encoding_format"` // openai
	APIVersion     string `json:"api_version"`     // openai
}

// Values of options.
const (
	truncate = "truncate"
	refuse   = "error"
	auto     = "auto"
	none     = "none"
)

// Cuts reports whether texts that are too long are to be cut.
func (o Options) Cuts() bool { return o.LongText == truncate }

// schema describes the options of a provider. Those that are tuning may be
// changed between a run that was interrupted and the one that goes on with it.
func (p Provider) schema() []sdk.Option {
	integer := func(name string, value int64, help string) sdk.Option {
		return sdk.Option{Name: name, Type: sdk.Integer, Default: value, Help: help}
	}
	number := func(name string, value float64, help string) sdk.Option {
		return sdk.Option{Name: name, Type: sdk.Number, Default: value, Help: help}
	}
	tuning := func(o sdk.Option) sdk.Option {
		o.Tuning = true
		return o
	}
	keys := append(append([]string{auto}, p.Env...), none)
	all := []sdk.Option{
		{Name: "model", Type: sdk.String, Default: p.Model, Help: "the model's name, as the server knows it"},
		{Name: "base_url", Type: sdk.String, Default: p.BaseURL, Help: "address of the service, up to what comes before " + p.Path},
		integer("dimensions", 0, "length of the vectors, where the model has a choice; 0: its own"),
		{Name: "input_type", Type: sdk.String, Default: p.InputType, Choices: p.InputTypes, Help: "what the vectors are for, where the model asks; empty: not said"},
		tuning(sdk.Option{Name: "key_env", Type: sdk.String, Default: auto, Choices: keys, Help: "the environment variable that holds the key; auto: the first that is set; none: send no key"}),
		tuning(integer("requests_per_minute", 0, "requests a minute at most; 0: no limit")),
		tuning(integer("tokens_per_minute", 0, "tokens a minute at most, as estimated; 0: no limit")),
		tuning(integer("concurrency", 4, "requests at a time")),
		integer("request_texts", int64(p.usualTexts()), "texts a request at most"),
		integer("request_tokens", int64(p.RequestTokens), "tokens a request at most, as estimated"),
		integer("max_tokens", 0, "tokens of a text that the model reads; 0: as known of the model, else as the server says"),
		{Name: "long_text", Type: sdk.String, Default: truncate, Choices: []string{truncate, refuse}, Help: "a text that is too long: truncate, or error: its row has failed"},
		tuning(number("request_timeout", 60, "seconds that one try may take")),
		tuning(number("max_retry_time", 120, "seconds without any good answer before the run ends")),
		tuning(number("retry_wait", 0.5, "seconds of the first pause before a request is repeated; each one after it is twice as long")),
		tuning(number("price_per_million_tokens", 0, "for the estimate of the cost; 0: not known")),
		tuning(number("max_cost", 0, "end where the cost, as estimated at first and as counted later, would be higher; 0: no limit")),
		{Name: "batch_invariant", Type: sdk.Boolean, Default: false, Help: "the server gives a text the same vector whatever is in the same request"},
	}
	return append(all, p.Extra...)
}

// usualTexts is how many texts a request has by default: as many as the service
// takes, but few enough for the requests of one batch to go at the same time.
func (p Provider) usualTexts() int { return min(p.RequestTexts, 128) }

// check returns what is wrong with the options that a schema can't tell.
func (o Options) check(p Provider) sdk.Diagnostics {
	var out sdk.Diagnostics
	fault := func(option, format string, args ...any) {
		out = append(out, sdk.Diagnostic{Error: true, Option: option, Summary: fmt.Sprintf(format, args...)})
	}
	if strings.TrimSpace(o.Model) == "" {
		fault("model", "model is empty: give the name that the server knows")
	}
	if err := checkURL(o.BaseURL); err != nil {
		fault("base_url", "%v", err)
	}
	for _, n := range []struct {
		name        string
		value, most int
		least       int
	}{
		{"dimensions", o.Dimensions, 1 << 20, 0},
		{"requests_per_minute", o.RequestsPerMinute, 1 << 30, 0},
		{"tokens_per_minute", o.TokensPerMinute, 1 << 30, 0},
		{"concurrency", o.Concurrency, 256, 1},
		{"request_texts", o.RequestTexts, p.RequestTexts, 1},
		{"request_tokens", o.RequestTokens, 1 << 30, 1},
		{"max_tokens", o.MaxTokens, 1 << 30, 0},
	} {
		if n.value < n.least || n.value > n.most {
			fault(n.name, "%s is %d: it must be from %d to %d", n.name, n.value, n.least, n.most)
		}
	}
	for _, n := range []struct {
		name  string
		value float64
		least float64
	}{
		{"request_timeout", o.RequestTimeout, 0.001}, {"max_retry_time", o.MaxRetryTime, 0.001}, {"retry_wait", o.RetryWait, 0.001},
		{"price_per_million_tokens", o.Price, 0}, {"max_cost", o.MaxCost, 0},
	} {
		if !(n.value >= n.least && n.value <= 1e6) {
			fault(n.name, "%s is %v: it must be from %v to %v", n.name, n.value, n.least, 1e6)
		}
	}
	if o.MaxCost > 0 && o.Price == 0 {
		fault("max_cost", "max_cost needs price_per_million_tokens, from which the cost is estimated")
	}
	return out
}

// checkURL refuses an address that is none, or that holds a secret: options are
// written down with the model and in run.json.
func checkURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("base_url is not an address like https://host/v1 or http://localhost:11434/v1")
	case u.User != nil:
		return fmt.Errorf("base_url holds a user or password, which would be written down with the model: put the key into the environment")
	case u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("base_url has a part after ? or #: leave it out; a key belongs into the environment")
	}
	return nil
}

// key finds the key in the environment. A key that can't be sent is a fault.
func (o Options) key(p Provider) (key, names string, err error) {
	var from []string
	switch o.KeyEnv {
	case none:
		return "", `key_env to the variable that holds the key, not "none"`, nil
	case auto:
		from = p.keyNames(o)
	default:
		from = []string{o.KeyEnv}
	}
	names = strings.Join(from, " or ")
	for _, name := range from {
		key = strings.TrimSpace(os.Getenv(name))
		if key == "" {
			continue
		}
		if strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return "", names, fmt.Errorf("the value of %s holds spaces, line ends or letters that no key has: set it to the key alone", name)
		}
		return key, name, nil
	}
	return "", names, nil
}

// keyNames are the variables that auto looks at, in order.
func (p Provider) keyNames(o Options) []string {
	if p.KeyNames != nil {
		return p.KeyNames(o)
	}
	return p.Env
}

// warnings are what the user should know about the options.
func (o Options) warnings(key string) sdk.Diagnostics {
	u, err := url.Parse(o.BaseURL)
	if err != nil || key == "" || u.Scheme != "http" || slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, u.Hostname()) {
		return nil
	}
	return sdk.Diagnostics{{Option: "base_url", Summary: "the key goes to " + u.Host + ` in plain text: use https, or key_env = "none" if the server wants no key`}}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// client is what the options mean to package remote.
func (o Options) client(p Provider, key, names string) remote.Options {
	model := p.Models[o.Model]
	r := remote.Options{
		Service: p.Service(o), URL: strings.TrimRight(o.BaseURL, "/") + p.Path, Base: o.BaseURL, Model: o.Model,
		Key: key, KeyNames: names, UserAgent: "bertopic-go/" + p.Version,
		Dimension: o.Dimensions, MaxTokens: o.MaxTokens, ServerCuts: p.ServerCuts && o.Cuts(), Refuse: !o.Cuts(),
		Floats:       o.EncodingFormat == "float",
		RequestTexts: o.RequestTexts, RequestTokens: o.RequestTokens, Concurrency: o.Concurrency,
		RequestsPerMinute: o.RequestsPerMinute, TokensPerMinute: o.TokensPerMinute,
		RequestTimeout: seconds(o.RequestTimeout), RetryTime: seconds(o.MaxRetryTime), RetryWait: seconds(o.RetryWait),
	}
	if r.MaxTokens == 0 {
		r.MaxTokens = model.MaxTokens
	}
	if r.Dimension == 0 && o.BaseURL == p.BaseURL {
		r.Dimension = model.Dimension
	}
	if p.Adjust != nil {
		p.Adjust(o, &r)
	}
	return r
}
