package embedder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"strconv"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/bertopic-go/bertopic/internal/remote"
	"github.com/bertopic-go/bertopic/sdk"
)

// New returns the embedder program of a provider, for sdk.Serve.
func New(p Provider) sdk.Embedder { return &embedder{provider: p} }

// embedder is the program. Configure, Fit and LoadState run alone.
type embedder struct {
	provider Provider

	mu      sync.Mutex // guards what follows against Close
	options Options
	client  *remote.Client // nil before Configure and after Close
	counted remote.Usage   // of clients before
}

var (
	_ sdk.Fitter       = (*embedder)(nil)
	_ sdk.WordEmbedder = (*embedder)(nil)
	_ sdk.Closer       = (*embedder)(nil)
)

// Describe tells what the program is.
func (e *embedder) Describe() sdk.Description {
	p := e.provider
	return sdk.Description{
		Name:       p.Name,
		Version:    p.Version,
		Summary:    p.Summary,
		Modalities: []sdk.Modality{sdk.Text},
		Options:    p.schema(),
		Network:    true,
		Env:        p.Env,
	}
}

// Configure reads the options and the key. It sends nothing.
func (e *embedder) Configure(_ context.Context, s sdk.Settings) (sdk.Info, sdk.Diagnostics, error) {
	var o Options
	if err := s.Decode(&o); err != nil {
		return sdk.Info{}, nil, err
	}
	p := e.provider
	remarks := o.check(p)
	if p.Check != nil {
		remarks = append(remarks, p.Check(o)...)
	}
	key, names, err := o.key(p)
	switch {
	case err != nil:
		remarks = append(remarks, sdk.Diagnostic{Error: true, Option: "key_env", Summary: err.Error()})
	case key == "" && o.BaseURL == p.BaseURL:
		remarks = append(remarks, sdk.Diagnostic{Error: true, Summary: fmt.Sprintf("%s wants a key: set %s", p.BaseURL, names)})
	}
	if remarks.Refused() {
		return sdk.Info{}, remarks, nil
	}
	settings := o.client(p, key, names)
	settings.Log = slog.Default()
	c := remote.New(settings)
	e.swap(o, c)
	return e.info(c), append(remarks, o.warnings(key)...), nil
}

// swap puts a client in the place of the one before.
func (e *embedder) swap(o Options, c *remote.Client) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.client != nil {
		e.counted = e.counted.Plus(e.client.Usage())
		e.client.Close()
	}
	e.options, e.client = o, c
}

func (e *embedder) current() (*remote.Client, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.client == nil {
		return nil, errors.New(e.provider.Name + " has no server: configure it first")
	}
	return e.client, nil
}

// info is what is promised. NeedsFit, since Fit is where the corpus can be
// counted before it is paid for, and the dimension asked for once and not at
// every start of a process.
func (e *embedder) info(c *remote.Client) sdk.Info {
	o := e.options
	info := sdk.Info{
		Metric:         sdk.Cosine,
		NeedsFit:       true,
		Words:          true,
		MaxTokens:      o.MaxTokens,
		Model:          o.Model,
		Device:         "remote",
		BatchInvariant: o.BatchInvariant,
		Dimension:      c.Dimension(),
	}
	if info.MaxTokens == 0 {
		info.MaxTokens = e.provider.Models[o.Model].MaxTokens
	}
	return info
}

// Fit counts the corpus and tells what it may cost, and asks for one vector
// where the dimension is not known.
func (e *embedder) Fit(ctx context.Context, rows iter.Seq2[sdk.Row, error]) (sdk.Info, sdk.Diagnostics, error) {
	c, err := e.current()
	if err != nil {
		return sdk.Info{}, nil, err
	}
	limit := e.info(c).MaxTokens
	texts, tokens := 0, 0
	for row, err := range rows {
		if err != nil {
			return sdk.Info{}, nil, err
		}
		if n := remote.Estimate(row.Text); n > 0 {
			if limit > 0 {
				n = min(n, limit)
			}
			texts, tokens = texts+1, tokens+n
		}
	}
	e.log("about to be sent, as estimated", texts, tokens)
	if cost := e.options.cost(tokens); e.options.MaxCost > 0 && cost > e.options.MaxCost {
		return sdk.Info{}, sdk.Diagnostics{{
			Error: true, Option: "max_cost",
			Summary: fmt.Sprintf("about %d tokens cost about %s, and max_cost is %v: nothing was sent", tokens, money(cost), e.options.MaxCost),
		}}, nil
	}
	if c.Dimension() > 0 {
		return e.info(c), nil, nil
	}
	base64 := c.TakesBase64()
	if _, err := c.Probe(ctx); err != nil {
		return sdk.Info{}, nil, statusOf(ctx, err)
	}
	var remarks sdk.Diagnostics
	if base64 && !c.TakesBase64() {
		remarks = sdk.Diagnostics{{
			Option:  "encoding_format",
			Summary: `the server takes no base64: vectors come as lists of numbers, which are longer; encoding_format = "float" asks for them at once`,
		}}
	}
	return e.info(c), remarks, nil
}

// cost is what so many tokens cost, as far as the price is known.
func (o Options) cost(tokens int) float64 { return float64(tokens) / 1e6 * o.Price }

func money(x float64) string { return strconv.FormatFloat(x, 'f', 4, 64) }

func (e *embedder) log(message string, texts, tokens int, more ...any) {
	attrs := append([]any{"model", e.options.Model, "texts", texts, "tokens", tokens}, more...)
	if e.options.Price > 0 {
		attrs = append(attrs, "cost", money(e.options.cost(tokens)))
	}
	slog.Info(message, attrs...)
}

// state is what travels with a model.
type state struct {
	Format    int `json:"format"`
	Dimension int `json:"dimension"`
}

const stateFormat = 1

// SaveState returns the dimension.
func (e *embedder) SaveState(context.Context) ([]byte, error) {
	c, err := e.current()
	if err != nil {
		return nil, err
	}
	return json.Marshal(state{Format: stateFormat, Dimension: c.Dimension()})
}

// LoadState takes the dimension; nothing is sent.
func (e *embedder) LoadState(_ context.Context, text []byte) (sdk.Info, error) {
	c, err := e.current()
	if err != nil {
		return sdk.Info{}, err
	}
	var s state
	if err := json.Unmarshal(text, &s); err != nil {
		return sdk.Info{}, fmt.Errorf("read the state of %s: %w", e.provider.Name, err)
	}
	if s.Format != stateFormat || s.Dimension <= 0 {
		return sdk.Info{}, fmt.Errorf("read the state of %s: format %d with dimension %d is not one of this version", e.provider.Name, s.Format, s.Dimension)
	}
	if err := c.SetDimension(s.Dimension); err != nil {
		return sdk.Info{}, fmt.Errorf("read the state of %s: %w", e.provider.Name, err)
	}
	return e.info(c), nil
}

// Embed returns the vectors of rows. White space alone is empty, and is not sent.
func (e *embedder) Embed(ctx context.Context, rows []sdk.Row) (sdk.Vectors, error) {
	texts := make([]string, len(rows))
	for i, row := range rows {
		texts[i] = row.Text
	}
	return e.EmbedWords(ctx, texts)
}

// EmbedWords embeds words as texts.
func (e *embedder) EmbedWords(ctx context.Context, words []string) (sdk.Vectors, error) {
	c, err := e.current()
	if err != nil {
		return sdk.Vectors{}, err
	}
	if err := e.afford(c, words); err != nil {
		return sdk.Vectors{}, err
	}
	rows, err := c.Embed(ctx, words, func(done int) { sdk.Progress(ctx, done) })
	if err != nil {
		return sdk.Vectors{}, statusOf(ctx, err)
	}
	d := c.Dimension()
	out := sdk.Vectors{Dense: &sdk.Dense{Rows: len(rows), Columns: d, Data: make([]float32, len(rows)*d)}}
	for i, row := range rows {
		copy(out.Dense.Data[i*d:(i+1)*d], row.Vector)
		if row.Status != remote.OK {
			out.Statuses = append(out.Statuses, sdk.RowStatus{Row: i, Status: statuses[row.Status], TokensLost: row.Lost, Reason: row.Reason})
		}
	}
	return out, nil
}

// afford refuses a batch by which the cost would come above max_cost: the
// estimate before a run may have been too low, and a transform has none.
func (e *embedder) afford(c *remote.Client, texts []string) error {
	o := e.options
	if o.MaxCost == 0 {
		return nil
	}
	tokens := c.Usage().Tokens
	for _, t := range texts {
		tokens += remote.Estimate(t)
	}
	if o.cost(tokens) <= o.MaxCost {
		return nil
	}
	return status.Errorf(codes.FailedPrecondition,
		"the next batch would make it about %d tokens, which cost about %s, and max_cost is %v: raise it and go on with --resume", tokens, money(o.cost(tokens)), o.MaxCost)
}

var statuses = map[remote.Status]sdk.Status{remote.Empty: sdk.Empty, remote.Truncated: sdk.Truncated, remote.Failed: sdk.Failed}

// statusOf tells the host whether the same may go well later. What can't ends
// the run at once.
func statusOf(ctx context.Context, err error) error {
	var e *remote.Error
	if ctx.Err() != nil || !errors.As(err, &e) {
		return err
	}
	switch e.Kind {
	case remote.KindKey:
		return status.Error(codes.Unauthenticated, e.Text)
	case remote.KindForbidden:
		return status.Error(codes.PermissionDenied, e.Text)
	case remote.KindUnavailable:
		return fmt.Errorf("%w: %s", sdk.ErrUnavailable, e.Text)
	}
	return status.Error(codes.FailedPrecondition, e.Text)
}

// Close tells what was sent, and lets go of the connections.
func (e *embedder) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.client == nil {
		return nil
	}
	u := e.counted.Plus(e.client.Usage())
	e.client.Close()
	e.client, e.counted = nil, remote.Usage{}
	if u.Requests == 0 {
		return nil
	}
	more := []any{"requests", u.Requests, "failed_requests", u.Failed}
	if u.Silent > 0 {
		more = append(more, "requests_without_count", u.Silent)
	}
	e.log("sent, as the server counts", u.Texts, u.Tokens, more...)
	return nil
}
