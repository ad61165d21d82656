package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeClock goes on when somebody sleeps, by as much at once.
type fakeClock struct {
	mu    sync.Mutex
	now   time.Time
	slept time.Duration
}

func (f *fakeClock) clock() clock {
	return clock{
		now: func() time.Time { f.mu.Lock(); defer f.mu.Unlock(); return f.now },
		sleep: func(ctx context.Context, d time.Duration) error {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.now, f.slept = f.now.Add(d), f.slept+d
			return ctx.Err()
		},
	}
}

func (f *fakeClock) total() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.slept
}

// lengths is a service whose vectors are the lengths of texts.
type lengths struct{}

func (lengths) Body(texts []string, _ Form) ([]byte, error) { return json.Marshal(texts) }

func (lengths) Parse(body []byte, n int) (Reply, error) {
	var raw []json.RawMessage
	if err := Decode(body, &raw); err != nil {
		return Reply{}, err
	}
	if len(raw) != n {
		return Reply{}, fmt.Errorf("%d for %d", len(raw), n)
	}
	r := Reply{Tokens: n}
	for _, v := range raw {
		r.Vectors = append(r.Vectors, ParseVector(v))
	}
	return r, nil
}

func answerLengths(w http.ResponseWriter, r *http.Request) {
	var texts []string
	_ = json.NewDecoder(r.Body).Decode(&texts)
	vectors := make([][]int, len(texts))
	for i, t := range texts {
		vectors[i] = []int{len(t), 1}
	}
	_ = json.NewEncoder(w).Encode(vectors)
}

// fake serves h and returns a client of it with a clock of its own.
func fake(t *testing.T, o Options, h http.HandlerFunc) (*Client, *fakeClock) {
	t.Helper()
	s := httptest.NewServer(h)
	f := &fakeClock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	o.Service, o.URL, o.Base = lengths{}, s.URL, s.URL
	c := newClient(o, f.clock())
	t.Cleanup(func() { c.Close(); s.Close() })
	return c, f
}

func texts(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("text %d", i)
	}
	return list
}

// want sees that err is of a kind and holds a text.
func want(t *testing.T, err error, kind Kind, text string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Kind != kind || !strings.Contains(e.Text, text) {
		t.Errorf("the error is %v, want kind %d with %q", err, kind, text)
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	n := 0
	c, f := fake(t, Options{Concurrency: 1}, func(w http.ResponseWriter, r *http.Request) {
		if n++; n <= 2 {
			w.Header().Set("Retry-After", "40")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		answerLengths(w, r)
	})
	if _, err := c.Embed(t.Context(), texts(3), nil); err != nil {
		t.Fatal(err)
	}
	if s := f.total(); s < 80*time.Second || s > 90*time.Second {
		t.Errorf("two pauses of 40 s and at most a tenth took %v", s)
	}
}

func TestStormEndsInTime(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		header string
	}{"429": {429, ""}, "429 with a word": {429, "7"}, "500": {500, ""}, "503 with a word": {503, "7"}} {
		t.Run(name, func(t *testing.T) {
			var requests atomic.Int64
			client, f := fake(t, Options{RetryTime: time.Minute}, func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				if c.header != "" {
					w.Header().Set("Retry-After", c.header)
				}
				w.WriteHeader(c.status)
			})
			_, err := client.Embed(t.Context(), texts(300), nil)
			want(t, err, KindUnavailable, http.StatusText(c.status))
			// Each of four lanes sleeps for itself; the clock adds that up.
			if s := f.total(); s > 5*time.Minute {
				t.Errorf("it took %v", s)
			}
			before := requests.Load()
			_, err = client.Embed(t.Context(), texts(10), nil)
			want(t, err, KindUnavailable, "")
			if n := requests.Load() - before; n > 2 {
				t.Errorf("%d more requests to a server that is known to be down", n)
			}
		})
	}
}

func TestOutageThatPasses(t *testing.T) {
	var clock *fakeClock
	c, f := fake(t, Options{Concurrency: 1}, func(w http.ResponseWriter, r *http.Request) {
		if clock.total() < 90*time.Second {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		answerLengths(w, r)
	})
	clock = f
	rows, err := c.Embed(t.Context(), texts(300), nil)
	if err != nil {
		t.Fatalf("90 s of 502 end it, though max_retry_time is two minutes: %v", err)
	}
	for i, row := range rows {
		if row.Status != OK {
			t.Fatalf("row %d: %+v", i, row)
		}
	}
}

func TestWaitThatIsTooLong(t *testing.T) {
	c, f := fake(t, Options{}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "86400")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	_, err := c.Embed(t.Context(), texts(3), nil)
	want(t, err, KindSetup, "the server wants 24h0m0s without requests")
	if f.total() > 0 {
		t.Errorf("it slept %v", f.total())
	}
}

func TestPace(t *testing.T) {
	for name, c := range map[string]struct {
		o           Options
		least, most time.Duration
	}{
		"requests": {Options{RequestsPerMinute: 6, RequestTexts: 10, Concurrency: 1}, 90 * time.Second, 91 * time.Second},
		"tokens":   {Options{TokensPerMinute: 60, RequestTokens: 60, Concurrency: 1}, 239 * time.Second, 241 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			client, f := fake(t, c.o, answerLengths)
			if _, err := client.Embed(t.Context(), texts(100), nil); err != nil {
				t.Fatal(err)
			}
			if s := f.total(); s < c.least || s > c.most {
				t.Errorf("100 texts took %v, want %v to %v", s, c.least, c.most)
			}
		})
	}
}

func TestGate(t *testing.T) {
	f := &fakeClock{now: time.Unix(0, 0)}
	g := newGate(f.clock(), 8)
	enter := func(n int) {
		for range n {
			if err := g.enter(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	enter(8)
	for range 8 { // one storm
		if n := g.slowDown(time.Second); n != 4 {
			t.Errorf("%d at a time after a storm, want 4", n)
		}
		g.leave(false)
	}
	enter(1)
	if f.total() != time.Second {
		t.Errorf("one enters after %v", f.total())
	}
	if n := g.slowDown(0); n != 2 {
		t.Errorf("%d at a time after another storm, want 2", n)
	}
	g.leave(false)
	for limit := 2; limit < 8; limit++ {
		for range calmRounds * limit {
			enter(1)
			g.leave(true)
		}
		if g.limit != limit+1 {
			t.Errorf("%d at a time, want %d", g.limit, limit+1)
		}
	}
	enter(8)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := g.enter(ctx); err != context.Canceled {
		t.Errorf("a full gate gives %v", err)
	}
}

func TestPlan(t *testing.T) {
	o := Options{RequestTexts: 100, RequestTokens: 1000, MaxTokens: 50}
	sizes := func(n, tokens int, text string) string {
		jobs := make([]job, n)
		for i := range jobs {
			jobs[i] = job{row: i, text: text, tokens: tokens}
		}
		var out []int
		next := 0
		for _, r := range o.plan(jobs) {
			out = append(out, len(r))
			for _, j := range r {
				if j.row != next {
					t.Fatalf("row %d comes where %d is due", j.row, next)
				}
				next++
			}
		}
		return fmt.Sprint(out)
	}
	for _, c := range []struct {
		n, tokens int
		text      string
		want      string
	}{
		{0, 1, "a", "[]"},
		{31, 1, "a", "[31]"},
		{250, 1, "a", "[100 100 50]"},
		{60, 40, "a", "[25 25 10]"},                 // 1000 tokens
		{3, 45, strings.Repeat("a", 60), "[1 1 1]"}, // perhaps too long
		{3, 45, strings.Repeat("a", 40), "[3]"},     // too few bytes for that
	} {
		if got := sizes(c.n, c.tokens, c.text); got != c.want {
			t.Errorf("%d texts of %d tokens go as %s, want %s", c.n, c.tokens, got, c.want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		headers []string
		want    time.Duration
	}{
		"none":          {nil, 0},
		"seconds":       {[]string{"Retry-After", "7"}, 7 * time.Second},
		"fraction":      {[]string{"Retry-After", "0.25"}, 250 * time.Millisecond},
		"milliseconds":  {[]string{"Retry-After-Ms", "120", "Retry-After", "7"}, 120 * time.Millisecond},
		"negative":      {[]string{"Retry-After", "-3"}, 0},
		"nonsense":      {[]string{"Retry-After", "soon"}, 0},
		"huge":          {[]string{"Retry-After", "1e300"}, 365 * 24 * time.Hour},
		"date":          {[]string{"Retry-After", "Sun, 01 Mar 2026 12:00:09 GMT"}, 9 * time.Second},
		"by its clock":  {[]string{"Retry-After", "Sun, 01 Mar 2026 17:00:09 GMT", "Date", "Sun, 01 Mar 2026 17:00:00 GMT"}, 9 * time.Second},
		"past":          {[]string{"Retry-After", "Sun, 01 Mar 2026 11:00:00 GMT"}, 0},
		"tokens":        {[]string{"X-Ratelimit-Remaining-Tokens", "0", "X-Ratelimit-Reset-Tokens", "6m0s"}, 6 * time.Minute},
		"not used up":   {[]string{"X-Ratelimit-Remaining-Tokens", "12", "X-Ratelimit-Reset-Tokens", "6m0s"}, 0},
		"requests, too": {[]string{"X-Ratelimit-Remaining-Tokens", "0", "X-Ratelimit-Reset-Tokens", "1s", "X-Ratelimit-Remaining-Requests", "0", "X-Ratelimit-Reset-Requests", "2m59.5s"}, 179500 * time.Millisecond},
	} {
		h := http.Header{}
		for i := 0; i < len(c.headers); i += 2 {
			h.Set(c.headers[i], c.headers[i+1])
		}
		if got := retryAfter(h, now); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestProblems(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{`{"error": {"message": "no", "type": "t", "code": null}}`, "no (t)"},
		{`{"error": {"message": "no", "type": "t", "code": "c"}}`, "no (c)"},
		{`{"error": "no", "error_type": "Validation"}`, "no"},
		{`{"object": "error", "message": "no", "type": "BadRequestError", "param": null, "code": 400}`, "no (400)"},
		{`{"message": "no"}`, "no"},
		{`{"detail": "no"}`, "no"},
		{`{"detail": [{"loc": ["body", "input", 3], "msg": "too short"}, {"loc": ["body"], "msg": "bad"}]}`, "input[3]: too short; bad"},
		{`<html><head><TITLE>
		504 Gateway</TITLE></head>`, `an HTML page, "504 Gateway"`},
		{`<!doctype html><p>hm`, "an HTML page"},
		{"", "an empty answer"},
		{"upstream\nfailed", `"upstream failed"`},
		{`{}`, "no reason given"},
		{`[1]`, `"[1]"`},
		{`{"message": "` + strings.Repeat("x", 5000) + `"}`, strings.Repeat("x", longestMessage) + "..."},
	} {
		if got := parseProblem([]byte(c.body)).String(); got != c.want {
			t.Errorf("%s\nis %q\nwant %q", c.body, got, c.want)
		}
	}
}

// What servers say of texts that are too long.
func TestTooLong(t *testing.T) {
	for _, c := range []struct {
		message      string
		given, limit int
	}{
		{"This model's maximum context length is 8192 tokens, however you requested 9482 tokens (9482 in your prompt; 0 for the completion). Please reduce your prompt; or completion length.", 9482, 8192},
		{"This model's maximum context length is 512 tokens. However, you requested 730 tokens in the input for embedding generation. Please reduce the length of the input.", 730, 512},
		{"Invalid 'input[0]': maximum context length is 8192 tokens.", 0, 8192},
		{"Invalid 'input[0]': maximum input length is 8192 tokens.", 0, 8192},
		{"Input validation error: `inputs` must have less than 512 tokens. Given: 703", 703, 512},
		{"the input length exceeds the context length", 0, 0},
		{"Illegal param: prefill 744 tokens exceed n_ctx_per_seq", 744, 0},
		{"invalid request: texts[0] is too long: 620 tokens", 620, 0},
	} {
		yes, given, limit := problem{message: c.message}.tooLong()
		if !yes || given != c.given || limit != c.limit {
			t.Errorf("%q: %v, %d tokens given, %d the limit", c.message, yes, given, limit)
		}
	}
	for _, m := range []string{"the text is against the rules", "invalid model", "'$.input' is invalid"} {
		if yes, _, _ := (problem{message: m}).tooLong(); yes {
			t.Errorf("%q is about length", m)
		}
	}
	for s, want := range map[string]int{"Invalid 'input[3]': x": 3, "input[99]": -1, "texts[0] is bad": 0, "nothing": -1} {
		if got := (problem{message: s}).culprit(10); got != want {
			t.Errorf("the culprit of %q is %d, want %d", s, got, want)
		}
	}
}

func TestHide(t *testing.T) {
	const key = "sk-proj-Abc123_xyz-987654"
	for _, c := range []struct{ in, want string }{
		{"nothing", "nothing"},
		{"Incorrect API key provided: " + key + ". See", "Incorrect API key provided: [key]. See"},
		{"Incorrect API key provided: sk-proj-********7654. You", "Incorrect API key provided: [key] You"},
		{`{"message":"Bearer ` + key + `"}`, `{"message":"Bearer [key]"}`},
		{"begins with sk-proj-Abc1...", "begins with [key]"},
		{"ends with ...z-987654", "ends with [key]"},
	} {
		if got := hide(c.in, key); got != c.want {
			t.Errorf("%q is %q, want %q", c.in, got, c.want)
		}
	}
	if got := hide("an x in example is x", "x"); got != "an [key] in example is [key]" {
		t.Errorf("a key of one letter: %q", got)
	}
	if got := hide("a key: abc", ""); got != "a key: abc" {
		t.Errorf("without a key: %q", got)
	}
}

func TestParseVector(t *testing.T) {
	for _, c := range []struct {
		raw, want string
	}{
		{`[1, -0.5, 1e-3]`, "[1 -0.5 0.001]"},
		{`"AACAPwAAAL8="`, "[1 -0.5]"},
		{`"AACAPwAA"`, "the server's vector has 6 bytes, which is no number of float32"},
		{`"???"`, "the server's vector is not base64"},
		{`[1, null]`, "value 1 of the server's vector is not a number"},
		{`[1, "x"]`, "the server's vector is not a list of numbers"},
		{`[1, 1e999]`, "the server's vector is not a list of numbers"},
		{`[1, 1e300]`, "value 1 of the server's vector is +Inf"},
		{`"AADAfw=="`, "value 0 of the server's vector is NaN"},
		{`[]`, "the server's vector is empty"},
		{`[0, 0]`, "the server's vector is all zeros"},
		{`null`, "the server's vector is missing"},
		{`{"a": 1}`, "the server's vector is not a list of numbers"},
	} {
		v := ParseVector(json.RawMessage(c.raw))
		got := fmt.Sprint(v.Values)
		if err := v.Check(0); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s is %s, want %s", c.raw, got, c.want)
		}
	}
	if err := (Vector{Values: []float32{1}}).Check(2); err == nil || err.Error() != "the server's vector has 1 values, not 2" {
		t.Errorf("a narrow vector: %v", err)
	}
}

func FuzzAnswers(f *testing.F) {
	for _, s := range []string{`[[1, 2], "AACAPw=="]`, `[[NaN, 1]]`, `{"error": {"message": "no", "param": "input[1]"}}`, `{"detail": [{"loc": ["body", "input", 3], "msg": "x"}]}`, "<html><title>x</title>"} {
		f.Add([]byte(s))
	}
	const key = "sk-fuzz-0123456789"
	f.Fuzz(func(t *testing.T, body []byte) {
		if r, err := (lengths{}).Parse(body, 2); err == nil {
			for _, v := range r.Vectors {
				if v.Check(0) == nil && len(v.Values) == 0 {
					t.Fatal("a vector of nothing is right")
				}
			}
		}
		p := parseProblem([]byte(hide(string(body)+key, key)))
		if s := p.String(); s == "" || strings.Contains(s, key) {
			t.Errorf("%q is described as %q", body, s)
		}
		p.tooLong()
		p.culprit(5)
	})
}
