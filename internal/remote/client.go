package remote

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"
)

// Options say which service to ask and how. New fills in what is zero.
type Options struct {
	Service Service
	URL     string // of the endpoint, whole
	Base    string // the part of URL that the user gave, for messages
	Model   string // for messages

	Header    string // that carries the key; empty: Authorization, as a bearer token
	Key       string // empty: none is sent
	KeyNames  string // the variables that a key may be in, for messages
	UserAgent string

	Dimension int // of a vector; 0: not known yet, see Client.Probe
	MaxTokens int // of a text; 0: not known
	// ServerCuts: the service cuts a text that is too long and does not say so.
	// Without, the client cuts it, or the row has failed where Refuse is set.
	ServerCuts bool
	Refuse     bool
	Floats     bool // see Form

	RequestTexts  int // at most; 0: 2048
	RequestTokens int // at most, estimated; 0: 300,000
	Concurrency   int // requests at a time; 0: 4

	RequestsPerMinute int // 0: no limit
	TokensPerMinute   int // 0: no limit

	RequestTimeout time.Duration // of one try; 0: a minute
	RetryTime      time.Duration // without any good answer before a call is given up; 0: two minutes
	RetryWait      time.Duration // first pause; 0: half a second

	Log *slog.Logger // nil: none
}

func (o Options) withDefaults() Options {
	set := func(n *int, value int) {
		if *n <= 0 {
			*n = value
		}
	}
	set(&o.RequestTexts, 2048)
	set(&o.RequestTokens, 300_000)
	set(&o.Concurrency, 4)
	if o.RequestTimeout <= 0 {
		o.RequestTimeout = time.Minute
	}
	if o.RetryTime <= 0 {
		o.RetryTime = 2 * time.Minute
	}
	if o.RetryWait <= 0 {
		o.RetryWait = 500 * time.Millisecond
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Status says how a text fared.
type Status int

// The statuses. Empty and Failed texts have no vector.
const (
	OK Status = iota
	Empty
	Truncated
	Failed
)

// Row is what became of a text.
type Row struct {
	Vector []float32
	Status Status
	Lost   int    // tokens that were cut off, with Truncated
	Reason string // with Failed
}

// Usage is what a client has sent so far.
type Usage struct {
	Requests int // with an answer, good or not
	Texts    int // that got a vector
	Tokens   int // as the server counted
	Silent   int // requests of which the server did not say how many tokens they had
	Failed   int // requests without vectors
}

// Client asks a service. Its methods may be called from several goroutines.
type Client struct {
	o     Options
	http  *http.Client
	clock clock
	gate  *gate
	pace  *pace

	floats    atomic.Bool  // the server takes no base64
	dimension atomic.Int64 // 0: not known yet
	answered  atomic.Int64 // good answers so far
	lastGood  atomic.Int64 // time of the last one, in nanoseconds; 0: none
	refused   atomic.Int64 // texts that were refused alone
	down      atomic.Bool  // nothing came for RetryTime, and nothing has since

	told rate.Sometimes // so that a long trouble does not fill the log

	mu    sync.Mutex
	usage Usage
	spare map[string]Row // finished rows of calls that failed
	room  int            // values that spare has room for
}

// maxSpare is how many values are kept of calls that failed: 128 MiB.
const maxSpare = 32 << 20

// New returns a client. It opens no connection.
func New(o Options) *Client { return newClient(o, realClock) }

func newClient(o Options, k clock) *Client {
	o = o.withDefaults()
	transport := http.DefaultTransport.(*http.Transport).Clone() // with the proxies of the environment
	transport.MaxIdleConnsPerHost = o.Concurrency
	c := &Client{
		o: o, clock: k, gate: newGate(k, o.Concurrency), pace: newPace(k, o.RequestsPerMinute, o.TokensPerMinute),
		http: &http.Client{
			Transport: transport,
			// A redirected POST would lose its body and may carry the key to another host.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		told:  rate.Sometimes{First: 3, Interval: 10 * time.Second},
		spare: map[string]Row{}, room: maxSpare,
	}
	c.floats.Store(o.Floats)
	c.dimension.Store(int64(o.Dimension))
	return c
}

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Usage returns what was sent so far.
func (c *Client) Usage() Usage {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.usage
}

// Dimension is that of the vectors; 0 while it is not known.
func (c *Client) Dimension() int { return int(c.dimension.Load()) }

// TakesBase64 reports whether vectors come in base64, as far as is known.
func (c *Client) TakesBase64() bool { return !c.floats.Load() }

// Probe asks for the vector of one short word, which tells the dimension where
// that is not known, and that address, key and model are right.
func (c *Client) Probe(ctx context.Context) (dimension int, err error) {
	rows, err := c.Embed(ctx, []string{harmless}, nil)
	if err != nil {
		return 0, err
	}
	if rows[0].Status == Failed {
		return 0, &Error{KindSetup, "the server has no vector for a single word: " + rows[0].Reason}
	}
	return len(rows[0].Vector), nil
}

// Embed returns a row for each text, in order. One of several texts that are
// alike is sent. done, if not nil, is told now and then how many texts have been
// finished, from any goroutine. The error is an *Error, or that of ctx.
func (c *Client) Embed(ctx context.Context, texts []string, done func(finished int)) ([]Row, error) {
	place := make([]int, len(texts)) // of the distinct ones; -1: blank
	index := make(map[string]int, len(texts))
	var distinct []string
	var copies []int
	for i, t := range texts {
		if blank(t) {
			place[i] = -1
			continue
		}
		k, ok := index[t]
		if !ok {
			k = len(distinct)
			index[t] = k
			distinct, copies = append(distinct, t), append(copies, 0)
		}
		place[i] = k
		copies[k]++
	}
	call := &call{c: c, texts: distinct, rows: make([]Row, len(distinct)), copies: copies, done: done}
	call.finished.Store(int64(len(texts) - sum(copies)))
	if err := call.run(ctx); err != nil {
		c.remember(call)
		return nil, err
	}
	out := make([]Row, len(texts))
	for i, k := range place {
		if out[i].Status = Empty; k >= 0 {
			out[i] = call.rows[k]
		}
	}
	return out, nil
}

func sum(list []int) int {
	n := 0
	for _, x := range list {
		n += x
	}
	return n
}

// call is one call of Embed: its distinct texts.
type call struct {
	c        *Client
	texts    []string
	rows     []Row // written by the request that has the row
	copies   []int // texts that a row stands for
	done     func(int)
	finished atomic.Int64
}

func (k *call) run(ctx context.Context) error {
	c := k.c
	var jobs []job
	for i, t := range k.texts {
		if row, ok := c.recall(t); ok {
			k.settle(i, row)
		} else if j, ok := k.prepare(i, t); ok {
			jobs = append(jobs, j)
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(c.o.Concurrency)
	for _, request := range c.o.plan(jobs) {
		group.Go(func() error {
			if err := ctx.Err(); err != nil { // another request has ended the call
				return err
			}
			return k.send(ctx, request, maxFaults)
		})
	}
	return group.Wait()
}

// prepare makes a job of a text. It reports false where the text is settled
// without a request: it is far too long, and is not to be cut.
func (k *call) prepare(i int, t string) (job, bool) {
	o := &k.c.o
	j := job{row: i, text: t, tokens: Estimate(t)}
	if o.MaxTokens == 0 || o.ServerCuts || j.tokens <= 2*o.MaxTokens {
		if o.ServerCuts && o.MaxTokens > 0 && j.tokens > o.MaxTokens {
			// The service reads no further; twice as much surely has all that it reads.
			j.lost = j.tokens - o.MaxTokens
			j.text = head(t, 3*o.MaxTokens)
			j.tokens = o.MaxTokens
		}
		return j, true
	}
	if o.Refuse {
		k.settle(i, Row{Status: Failed, Reason: tooLongReason(j.tokens, o.MaxTokens, "about ")})
		return j, false
	}
	// Cut roughly, with room: the server's own count decides then.
	j.text = strings.TrimRight(head(t, o.MaxTokens*3/2), " \t\r\n")
	whole := j.tokens
	j.tokens = Estimate(j.text)
	j.lost = whole - j.tokens
	return j, true
}

// settle puts a row in its place and counts it.
func (k *call) settle(i int, row Row) {
	k.rows[i] = row
	n := k.finished.Add(int64(k.copies[i]))
	if k.done != nil {
		k.done(int(n))
	}
}

// remember keeps the vectors of a call that failed, for the next one.
func (c *Client) remember(k *call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, row := range k.rows {
		if _, ok := c.spare[k.texts[i]]; !ok && row.Vector != nil && len(row.Vector) <= c.room {
			c.spare[k.texts[i]] = row
			c.room -= len(row.Vector)
		}
	}
}

// recall takes a remembered row.
func (c *Client) recall(text string) (Row, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	row, ok := c.spare[text]
	if ok {
		delete(c.spare, text)
		c.room += len(row.Vector)
	}
	return row, ok
}

// warn tells of trouble that may pass: the first few times, and then now and
// then.
func (c *Client) warn(message string, attrs ...any) {
	level := slog.LevelDebug
	c.told.Do(func() { level = slog.LevelWarn })
	c.o.Log.Log(context.Background(), level, message, attrs...)
}

// good notes a good answer.
func (c *Client) good() {
	c.answered.Add(1)
	c.lastGood.Store(c.clock.now().UnixNano())
	c.down.Store(false)
}

// patience is until when a request that first failed at since is tried again.
func (c *Client) patience(since time.Time) time.Time {
	if c.down.Load() {
		return since
	}
	if last := time.Unix(0, c.lastGood.Load()); last.After(since) {
		since = last
	}
	return since.Add(c.o.RetryTime)
}

// SetDimension says what the dimension is, where that is known from before.
func (c *Client) SetDimension(n int) error {
	if !c.dimension.CompareAndSwap(0, int64(n)) && c.Dimension() != n {
		return fmt.Errorf("vectors of %d values, where the options say %d", n, c.Dimension())
	}
	return nil
}

// Plus adds up.
func (u Usage) Plus(v Usage) Usage {
	return Usage{
		Requests: u.Requests + v.Requests, Texts: u.Texts + v.Texts, Tokens: u.Tokens + v.Tokens,
		Silent: u.Silent + v.Silent, Failed: u.Failed + v.Failed,
	}
}
