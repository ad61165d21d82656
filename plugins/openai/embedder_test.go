package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/bertopic-go/bertopic/internal/remote/embedder"
	"github.com/bertopic-go/bertopic/internal/remote/remotetest"
	"github.com/bertopic-go/bertopic/sdk"
	"github.com/bertopic-go/bertopic/sdk/proto"
	"github.com/bertopic-go/bertopic/sdk/sdktest"
)

// secret is a key that must be nowhere.
const secret = "sk-test-0a1b2c3d4e5f6a7b8c9d"

// logged collects what the embedder logs, and everything else that could hold
// the key.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// record gives the test a log of its own and sees at its end that the key is
// not in it, nor the beginning or the end of the key.
func record(t *testing.T) *logged {
	t.Helper()
	l := &logged{}
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewJSONHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug})))
	t.Cleanup(func() {
		slog.SetDefault(before)
		for _, part := range []string{secret, secret[:12], secret[len(secret)-8:]} {
			if text := l.String(); strings.Contains(text, part) {
				t.Errorf("the key is in what was written: %s", text)
			}
		}
	})
	return l
}

// quick are options for a stand-in: pauses are short.
func quick(url string, more map[string]any) map[string]any {
	options := map[string]any{"base_url": url + "/v1", "retry_wait": 0.002, "max_retry_time": 5, "batch_invariant": true}
	for k, v := range more {
		options[k] = v
	}
	return options
}

// start configures and fits the embedder against a stand-in.
func start(t *testing.T, cfg remotetest.Config, more map[string]any) (*remotetest.Server, *sdktest.Program, *logged) {
	t.Helper()
	l := record(t)
	t.Setenv("OPENAI_API_KEY", secret)
	if cfg.Key == "" {
		cfg.Key = secret
	}
	s := remotetest.Start(t, cfg)
	p := sdktest.Start(t, embedder.New(provider))
	p.Configure(quick(s.URL, more))
	if len(s.Requests()) > 0 {
		t.Fatal("Configure has sent something")
	}
	p.Fit(sdktest.Texts("a corpus")...)
	return s, p, l
}

func numbered(n int) []string {
	texts := make([]string, n)
	for i := range texts {
		texts[i] = fmt.Sprintf("text number %d of the corpus", i)
	}
	return texts
}

// check holds rows against the stand-in's vectors; without are the rows that
// have none, with their status.
func check(t *testing.T, v sdk.Vectors, texts []string, without map[int]sdk.Status) {
	t.Helper()
	have := map[int]sdk.Status{}
	for _, s := range v.Statuses {
		have[s.Row] = s.Status
	}
	if v.Dense.Rows != len(texts) {
		t.Fatalf("%d rows for %d texts", v.Dense.Rows, len(texts))
	}
	for i, text := range texts {
		row := v.Dense.Data[i*v.Dense.Columns : (i+1)*v.Dense.Columns]
		if have[i] != without[i] {
			t.Errorf("row %d has the status %v, want %v: %v", i, have[i], without[i], v.Statuses)
		}
		if without[i] == sdk.OK && !slices.Equal(row, remotetest.Vector(text, v.Dense.Columns)) {
			t.Errorf("row %d has the vector of another text", i)
		}
	}
}

func TestEmbed(t *testing.T) {
	s, p, _ := start(t, remotetest.Config{}, nil)
	if p.Info.Dimension != 64 || !p.Info.NeedsFit || p.Info.Device != "remote" || p.Info.Model != "text-embedding-3-small" || p.Info.ModelSHA256 != "" {
		t.Errorf("it promises %+v", p.Info)
	}
	texts := []string{"one text", "", "another", "one text", " \t\u00a0", "third"}
	v := p.Embed(sdktest.Texts(texts...)...)
	check(t, v, texts, map[int]sdk.Status{1: sdk.Empty, 4: sdk.Empty})
	if n := s.Answered("one text"); n != 1 {
		t.Errorf("a text that is there twice was paid for %d times", n)
	}
	r := s.Requests()[len(s.Requests())-1]
	if r.Path != "/v1/embeddings" || r.Body["encoding_format"] != "base64" || r.Body["model"] != "text-embedding-3-small" || r.Header.Get("Authorization") != "Bearer "+secret {
		t.Errorf("it sends %v to %s", r.Body, r.Path)
	}
	for _, name := range []string{"dimensions", "input_type"} {
		if _, ok := r.Body[name]; ok {
			t.Errorf("it sends %s, which was not given", name)
		}
	}
}

func TestNothingIsSentForEmptyRows(t *testing.T) {
	s, p, _ := start(t, remotetest.Config{}, map[string]any{"dimensions": 16})
	check(t, p.Embed(sdktest.Texts("", " ")...), []string{"", " "}, map[int]sdk.Status{0: sdk.Empty, 1: sdk.Empty})
	if n := len(s.Requests()); n > 0 {
		t.Errorf("%d requests for nothing", n)
	}
}

func TestOptionsAreSent(t *testing.T) {
	t.Setenv("AZURE_OPENAI_API_KEY", secret)
	s, p, _ := start(t, remotetest.Config{}, map[string]any{"dimensions": 32, "input_type": "passage", "model": "m", "api_version": "2024-10-21", "encoding_format": "float"})
	check(t, p.Embed(sdktest.Texts("a")...), []string{"a"}, nil)
	r := s.Requests()[0]
	if r.Body["dimensions"] != 32.0 || r.Body["input_type"] != "passage" || r.Body["model"] != "m" || r.Body["encoding_format"] != nil {
		t.Errorf("it sends %v", r.Body)
	}
	if r.Header.Get("Api-Key") != secret || r.Header.Get("Authorization") != "" || r.Path != "/v1/embeddings?api-version=2024-10-21" {
		t.Errorf("Azure gets %v at %s", r.Header, r.Path)
	}
}

// Faults that pass: every row gets its vector in the end.
func TestPassingFaults(t *testing.T) {
	nothing := func(int, int) any { return nil }
	for name, c := range map[string]struct {
		faults  []remotetest.Fault
		options map[string]any
		log     string
	}{
		"429 storm":          {[]remotetest.Fault{remotetest.Storm(9)}, nil, "slowing down"},
		"429 in ms":          {[]remotetest.Fault{remotetest.StormWith(4, map[string]string{"Retry-After-Ms": "3"})}, nil, "slowing down"},
		"429 by date":        {[]remotetest.Fault{remotetest.StormWith(2, map[string]string{"Retry-After": time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)})}, nil, "slowing down"},
		"429 by reset":       {[]remotetest.Fault{remotetest.StormWith(2, map[string]string{"X-Ratelimit-Remaining-Tokens": "0", "X-Ratelimit-Reset-Tokens": "4ms"})}, nil, "4ms"},
		"503 with a date":    {[]remotetest.Fault{remotetest.Code(2, 503, "busy")}, nil, "busy"},
		"500 now and then":   {[]remotetest.Fault{remotetest.Every(2, remotetest.Code(99, 500, "the server had an error"))}, nil, "the server had an error"},
		"cut bodies":         {[]remotetest.Fault{remotetest.Every(2, remotetest.Cut(99))}, nil, "broke off"},
		"slow body":          {[]remotetest.Fault{remotetest.Slow(1, 20*time.Millisecond)}, map[string]any{"request_timeout": 1}, "no whole answer within 1s"},
		"HTML with 502":      {[]remotetest.Fault{remotetest.HTML(2, 502)}, nil, "HTML page"},
		"HTML with 200":      {[]remotetest.Fault{remotetest.HTML(2, 200)}, nil, "HTML page"},
		"one vector less":    {[]remotetest.Fault{remotetest.Every(3, remotetest.Short(2))}, nil, "vectors for"},
		"vectors too narrow": {[]remotetest.Fault{remotetest.Every(2, remotetest.Narrow(2))}, nil, "has 63 values, not 64"},
		"NaN":                {[]remotetest.Fault{remotetest.NaN(2, "number 7 ")}, nil, "not a number"},
		"zeros":              {[]remotetest.Fault{remotetest.Zeros(2, "number 7 ")}, nil, "all zeros"},
		"reordered":          {[]remotetest.Fault{remotetest.Reordered()}, nil, ""},
		"index twice":        {[]remotetest.Fault{remotetest.Every(2, remotetest.Indices(2, func(int, int) any { return 0 }))}, nil, "two vectors with the index 0"},
		"index too large":    {[]remotetest.Fault{remotetest.Every(2, remotetest.Indices(2, func(i, _ int) any { return i + 1 }))}, nil, "the index"},
		"no index":           {[]remotetest.Fault{remotetest.Every(2, remotetest.Indices(2, nothing))}, nil, "without an index"},
		"index 0 left out": {[]remotetest.Fault{remotetest.Indices(99, func(i, _ int) any {
			if i == 0 {
				return nil
			}
			return i
		})}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			options := map[string]any{"request_texts": 50}
			maps.Copy(options, c.options)
			_, p, l := start(t, remotetest.Config{Faults: c.faults}, options)
			texts := numbered(230)
			check(t, p.Embed(sdktest.Texts(texts...)...), texts, nil)
			if !strings.Contains(l.String(), c.log) {
				t.Errorf("the log does not hold %q:\n%s", c.log, l)
			}
		})
	}
}

// Rows that never get a vector: theirs is the only loss, and they say why.
func TestFailedRows(t *testing.T) {
	const forbidden = "number 77 "
	for name, c := range map[string]struct {
		fault    remotetest.Fault
		reason   string
		requests int // at most
	}{
		"400":             {remotetest.For(forbidden, remotetest.Code(1<<30, 400, "the text is against the rules")), "the server refuses it: 400 Bad Request: the text is against the rules", 30},
		"400 by its name": {byName(forbidden), "against the rules", 8},
		"422":             {remotetest.For(forbidden, remotetest.Code(1<<30, 422, "unprocessable")), "422 Unprocessable Entity: unprocessable", 30},
		"413":             {remotetest.For(forbidden, remotetest.Code(1<<30, 413, "payload")), "413 Request Entity Too Large: payload", 30},
		"500":             {remotetest.For(forbidden, remotetest.Code(1<<30, 500, "boom")), "the server fails at it: 500 Internal Server Error: boom", 60},
		"NaN":             {remotetest.NaN(1<<30, forbidden), "value 0 of the server's vector is not a number", 30},
		"zeros":           {remotetest.Zeros(1<<30, forbidden), "all zeros", 30},
		"too narrow":      {remotetest.For(forbidden, narrowFor(forbidden)), "has 63 values, not 64", 30},
		"one vector less": {remotetest.For(forbidden, remotetest.Short(1<<30)), "the server sent", 60},
	} {
		t.Run(name, func(t *testing.T) {
			s, p, _ := start(t, remotetest.Config{Faults: []remotetest.Fault{c.fault}}, nil)
			texts := numbered(200)
			v := p.Embed(sdktest.Texts(texts...)...)
			check(t, v, texts, map[int]sdk.Status{77: sdk.Failed})
			if len(v.Statuses) == 1 && !strings.Contains(v.Statuses[0].Reason, c.reason) {
				t.Errorf("the reason is %q, want %q in it", v.Statuses[0].Reason, c.reason)
			}
			if n := len(s.Requests()); n > c.requests {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// byName refuses a text by its index, as OpenAI does.
func byName(part string) remotetest.Fault {
	return func(_ *remotetest.Server, w http.ResponseWriter, r *remotetest.Request) bool {
		for i, text := range r.Texts {
			if strings.Contains(text, part) {
				w.WriteHeader(http.StatusBadRequest)
				fmt.Fprintf(w, `{"error": {"message": "Invalid 'input[%d]': against the rules", "param": "input[%d]"}}`, i, i)
				return true
			}
		}
		return false
	}
}

func narrowFor(part string) remotetest.Fault {
	return remotetest.Spoil(1<<30, func(r *remotetest.Request, v [][]float32) [][]float32 {
		for i, text := range r.Texts {
			if strings.Contains(text, part) {
				v[i] = v[i][1:]
			}
		}
		return v
	})
}

// What no other try can mend ends the run at once, with what to do.
func TestFinal(t *testing.T) {
	always := func(code int, message string) remotetest.Fault { return remotetest.Code(1<<30, code, message) }
	for name, c := range map[string]struct {
		cfg     remotetest.Config
		options map[string]any
		code    codes.Code
		want    []string
	}{
		"401":           {remotetest.Config{Key: "another"}, nil, codes.Unauthenticated, []string{"401 Unauthorized: Incorrect API key provided: [key]", "set OPENAI_API_KEY to one that is valid"}},
		"401 no key":    {remotetest.Config{Key: "another"}, map[string]any{"key_env": "none"}, codes.Unauthenticated, []string{"the server wants a key: set"}},
		"403":           {remotetest.Config{Faults: []remotetest.Fault{always(403, "Country not supported")}}, nil, codes.PermissionDenied, []string{"Country not supported", "OPENAI_API_KEY", "text-embedding-3-small"}},
		"404":           {remotetest.Config{Faults: []remotetest.Fault{always(404, "model not found, try pulling it first")}}, nil, codes.FailedPrecondition, []string{"try pulling it first", "check model and base_url"}},
		"quota":         {remotetest.Config{Faults: []remotetest.Fault{always(429, "You exceeded your current quota, please check your plan and billing details.")}}, nil, codes.FailedPrecondition, []string{"quota is used up", "--resume"}},
		"wait too long": {remotetest.Config{Faults: []remotetest.Fault{remotetest.StormWith(1<<30, map[string]string{"Retry-After": "3600"})}}, nil, codes.FailedPrecondition, []string{"wants 1h0m0s without requests", "--resume"}},
		"redirect":      {remotetest.Config{Faults: []remotetest.Fault{redirect}}, nil, codes.FailedPrecondition, []string{"sends requests elsewhere (https://other.example/v1", "base_url"}},
		"dimensions":    {remotetest.Config{Faults: []remotetest.Fault{remotetest.Narrow(1 << 30)}}, map[string]any{"dimensions": 32}, codes.FailedPrecondition, []string{"has 31 values, not 32", "dimensions"}},
		"every text":    {remotetest.Config{Faults: []remotetest.Fault{always(400, "no such thing")}}, map[string]any{"dimensions": 32}, codes.FailedPrecondition, []string{"refuses every text: 400 Bad Request: no such thing"}},
		"a page":        {remotetest.Config{Faults: []remotetest.Fault{remotetest.HTML(1<<30, 200)}}, nil, codes.FailedPrecondition, []string{`an HTML page, "Bad gateway"`, "check base_url"}},
		"param": {remotetest.Config{Faults: []remotetest.Fault{func(_ *remotetest.Server, w http.ResponseWriter, _ *remotetest.Request) bool {
			w.WriteHeader(400)
			fmt.Fprint(w, `{"error": {"message": "This model does not support specifying dimensions.", "param": "dimensions"}}`)
			return true
		}}}, map[string]any{"dimensions": 32}, codes.FailedPrecondition, []string{"the option dimensions"}},
	} {
		t.Run(name, func(t *testing.T) {
			record(t)
			t.Setenv("OPENAI_API_KEY", secret)
			s := remotetest.Start(t, c.cfg)
			p := sdktest.Start(t, embedder.New(provider))
			p.Configure(quick(s.URL, c.options))
			err := tryAll(p)
			if status.Code(err) != c.code {
				t.Errorf("it ends with %v, want %v", err, c.code)
			}
			for _, want := range c.want {
				if !strings.Contains(fmt.Sprint(err), want) {
					t.Errorf("%q is not in: %v", want, err)
				}
			}
			wantNoKey(t, err)
			if n := len(s.Requests()); n > 20 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

func redirect(_ *remotetest.Server, w http.ResponseWriter, _ *remotetest.Request) bool {
	w.Header().Set("Location", "https://other.example/v1/embeddings")
	w.WriteHeader(http.StatusMovedPermanently)
	return true
}

func wantNoKey(t *testing.T, err error) {
	t.Helper()
	for _, part := range []string{secret, secret[:12], secret[len(secret)-8:]} {
		if strings.Contains(fmt.Sprint(err), part) {
			t.Errorf("the key is in: %v", err)
		}
	}
}

// tryAll fits and embeds, and returns the first error.
func tryAll(p *sdktest.Program) error {
	stream, err := p.Client.Fit(context.Background())
	if err != nil {
		return err
	}
	if _, err := stream.CloseAndRecv(); err != nil {
		return err
	}
	_, err = p.TryEmbed(context.Background(), sdktest.Texts(numbered(40)...)...)
	return err
}

// Servers that are none.
func TestNoServer(t *testing.T) {
	record(t)
	t.Setenv("OPENAI_API_KEY", secret)
	tls := httptest.NewTLSServer(remotetest.New(remotetest.Config{}))
	tls.Config.ErrorLog = nil
	defer tls.Close()
	plain := remotetest.Start(t, remotetest.Config{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + l.Addr().String()
	l.Close()
	for name, c := range map[string]struct{ url, want string }{
		"closed port":  {closed, "nothing listens there: start the server"},
		"certificate":  {tls.URL, "SSL_CERT_FILE"},
		"no TLS there": {strings.Replace(plain.URL, "http:", "https:", 1), "write http:// in base_url"},
	} {
		t.Run(name, func(t *testing.T) {
			p := sdktest.Start(t, embedder.New(provider))
			p.Configure(quick(c.url, nil))
			begin := time.Now()
			err := tryAll(p)
			if status.Code(err) != codes.FailedPrecondition || !strings.Contains(err.Error(), c.want) {
				t.Errorf("it ends with %v, want %q", err, c.want)
			}
			wantNoKey(t, err)
			if took := time.Since(begin); took > 30*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// A server that goes away is tried again for a bounded time; the same batch
// later does not pay again for what had come.
func TestUnavailable(t *testing.T) {
	var down sync.Mutex
	gone, served := false, 0
	s, p, _ := start(t, remotetest.Config{Faults: []remotetest.Fault{func(_ *remotetest.Server, w http.ResponseWriter, r *remotetest.Request) bool {
		down.Lock()
		defer down.Unlock()
		if served++; gone && served > 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}
		return false
	}}}, map[string]any{"request_texts": 25, "concurrency": 1, "max_retry_time": 0.02})
	down.Lock()
	gone, served = true, 0
	down.Unlock()
	texts := numbered(100)
	_, err := p.TryEmbed(context.Background(), sdktest.Texts(texts...)...)
	if status.Code(err) != codes.Unavailable {
		t.Fatalf("it ends with %v", err)
	}
	before := len(s.Requests())
	if _, err := p.TryEmbed(context.Background(), sdktest.Texts(texts...)...); status.Code(err) != codes.Unavailable {
		t.Fatalf("it ends with %v", err)
	}
	if n := len(s.Requests()) - before; n > 2 {
		t.Errorf("%d more requests to a server that is known to be down", n)
	}
	down.Lock()
	gone = false
	down.Unlock()
	check(t, p.Embed(sdktest.Texts(texts...)...), texts, nil)
	for _, text := range texts {
		if n := s.Answered(text); n != 1 {
			t.Fatalf("%q was paid for %d times", text, n)
		}
	}
}

// A server whose model is another one all of a sudden.
func TestOtherDimension(t *testing.T) {
	_, p, _ := start(t, remotetest.Config{Faults: []remotetest.Fault{remotetest.For("number", remotetest.Narrow(1<<30))}}, nil)
	_, err := p.TryEmbed(context.Background(), sdktest.Texts(numbered(20)...)...)
	if status.Code(err) != codes.FailedPrecondition || !strings.Contains(err.Error(), "has 63 values, not 64") {
		t.Errorf("it ends with %v", err)
	}
}

func TestNoBase64(t *testing.T) {
	t.Run("found out by Fit", func(t *testing.T) {
		record(t)
		s := remotetest.Start(t, remotetest.Config{NoBase64: true})
		p := sdktest.Start(t, embedder.New(provider))
		p.Configure(quick(s.URL, nil))
		stream, err := p.Client.Fit(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		r, err := stream.CloseAndRecv()
		if err != nil {
			t.Fatal(err)
		}
		if d := r.GetDiagnostics(); len(d) != 1 || d[0].GetOption() != "encoding_format" || d[0].GetSeverity() != proto.Severity_SEVERITY_WARNING {
			t.Errorf("the diagnostics are %v", d)
		}
		p.Fit() // for what it promises now
		check(t, p.Embed(sdktest.Texts("a")...), []string{"a"}, nil)
	})
	t.Run("found out later", func(t *testing.T) {
		_, p, l := start(t, remotetest.Config{NoBase64: true}, map[string]any{"dimensions": 16})
		check(t, p.Embed(sdktest.Texts("a")...), []string{"a"}, nil)
		if !strings.Contains(l.String(), "takes no base64") {
			t.Errorf("the log is silent about it: %s", l)
		}
	})
}

func TestLongTexts(t *testing.T) {
	long := strings.Repeat("harbour ", 150)
	longest := strings.Repeat("lighthouse keeper ", 5000)
	unsure := strings.Repeat("a1b2,c3 ", 60) // looks longer than the stand-in finds it
	texts := []string{"short", long, "as short", longest, unsure}
	t.Run("truncate", func(t *testing.T) {
		s, p, _ := start(t, remotetest.Config{Limit: 100}, map[string]any{"max_tokens": 100})
		v := p.Embed(sdktest.Texts(texts...)...)
		lost := map[int]int{}
		for _, st := range v.Statuses {
			if st.Status != sdk.Truncated {
				t.Errorf("row %d: %+v", st.Row, st)
			}
			lost[st.Row] = st.TokensLost
		}
		kept := 0 // of the long text, which the stand-in counts exactly
		for _, r := range s.Requests() {
			if len(r.Texts) == 1 && strings.HasPrefix(r.Texts[0], "harbour") && remotetest.Tokens(r.Texts[0]) <= 100 {
				kept = remotetest.Tokens(r.Texts[0])
			}
		}
		if kept < 80 || lost[1] != 150-kept {
			t.Errorf("%d tokens kept and %d said to be lost of 150", kept, lost[1])
		}
		if lost[3] < 5000 || lost[0] != 0 || lost[2] != 0 {
			t.Errorf("lost are %v", lost)
		}
	})
	t.Run("error", func(t *testing.T) {
		_, p, _ := start(t, remotetest.Config{Limit: 100}, map[string]any{"max_tokens": 100, "long_text": "error"})
		v := p.Embed(sdktest.Texts(texts[:4]...)...)
		check(t, v, texts[:4], map[int]sdk.Status{1: sdk.Failed, 3: sdk.Failed})
		for _, st := range v.Statuses {
			if !strings.Contains(st.Reason, "the text is too long") {
				t.Errorf("row %d: %q", st.Row, st.Reason)
			}
		}
	})
	t.Run("limit not known", func(t *testing.T) {
		_, p, _ := start(t, remotetest.Config{Limit: 100}, map[string]any{"model": "unknown"})
		v := p.Embed(sdktest.Texts("short", long)...)
		if len(v.Statuses) != 1 || v.Statuses[0].Status != sdk.Truncated || v.Statuses[0].Row != 1 {
			t.Errorf("the statuses are %+v", v.Statuses)
		}
	})
	t.Run("a server that gives no numbers", func(t *testing.T) {
		vague := func(_ *remotetest.Server, w http.ResponseWriter, r *remotetest.Request) bool {
			for _, text := range r.Texts {
				if remotetest.Tokens(text) > 100 {
					w.WriteHeader(http.StatusInternalServerError)
					fmt.Fprint(w, `{"error": "the input length exceeds the context length"}`)
					return true
				}
			}
			return false
		}
		_, p, _ := start(t, remotetest.Config{Faults: []remotetest.Fault{vague}}, map[string]any{"model": "unknown"})
		v := p.Embed(sdktest.Texts("short", long)...)
		if len(v.Statuses) != 1 || v.Statuses[0].Status != sdk.Truncated {
			t.Errorf("the statuses are %+v", v.Statuses)
		}
	})
}

func TestLimits(t *testing.T) {
	s, p, _ := start(t, remotetest.Config{Delay: 20 * time.Millisecond}, map[string]any{"concurrency": 3, "request_texts": 8, "dimensions": 8})
	texts := numbered(200)
	check(t, p.Embed(sdktest.Texts(texts...)...), texts, nil)
	if s.Most() > 3 || s.Most() < 2 {
		t.Errorf("%d requests at a time, where concurrency is 3", s.Most())
	}
	if n := len(s.Requests()); n != 25 {
		t.Errorf("%d requests of 8 for 200 texts", n)
	}
	s, p, _ = start(t, remotetest.Config{}, map[string]any{"request_tokens": 60, "dimensions": 8})
	check(t, p.Embed(sdktest.Texts(texts[:40]...)...), texts[:40], nil)
	for _, r := range s.Requests() {
		if len(r.Texts) > 10 {
			t.Errorf("%d texts in a request of 60 tokens", len(r.Texts))
		}
	}
}

// A batch that is given up stops at once.
func TestCancel(t *testing.T) {
	s, p, _ := start(t, remotetest.Config{Delay: 300 * time.Millisecond}, map[string]any{"request_texts": 1, "concurrency": 1, "dimensions": 8})
	ctx, cancel := context.WithCancel(t.Context())
	stream, err := p.Client.Embed(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&proto.EmbedRequest{Sequence: 1, Rows: sdk.RowsToProto(sdktest.Texts(numbered(500)...))}); err != nil {
		t.Fatal(err)
	}
	for len(s.Requests()) == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	check(t, p.Embed(sdktest.Texts("next")...), []string{"next"}, nil)
	if n := len(s.Requests()); n > 20 {
		t.Errorf("%d requests, though the batch was given up", n)
	}
}

func TestCost(t *testing.T) {
	l := record(t)
	s := remotetest.Start(t, remotetest.Config{})
	e := embedder.New(provider).(sdk.Closer)
	p := sdktest.Start(t, e)
	p.Configure(quick(s.URL, map[string]any{"price_per_million_tokens": 1000, "max_cost": 0.5, "dimensions": 8}))
	texts := numbered(10)
	p.Fit(sdktest.Texts(texts...)...)
	p.Embed(sdktest.Texts(texts...)...)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"msg":"about to be sent, as estimated","model":"text-embedding-3-small","texts":10,"tokens":70,"cost":"0.0700"`,
		`"msg":"sent, as the server counts","model":"text-embedding-3-small","texts":10,"tokens":60,"requests":1,"failed_requests":0,"cost":"0.0600"`,
	} {
		if !strings.Contains(l.String(), want) {
			t.Errorf("%s is not in\n%s", want, l)
		}
	}

	n := len(s.Requests())
	p.Configure(quick(s.URL, map[string]any{"price_per_million_tokens": 1000, "max_cost": 0.1, "dimensions": 8}))
	p.Fit() // of another corpus: a transform has no estimate
	p.Embed(sdktest.Texts(texts...)...)
	if _, err := p.TryEmbed(context.Background(), sdktest.Texts(texts...)...); status.Code(err) != codes.FailedPrecondition || !strings.Contains(err.Error(), "about 130 tokens, which cost about 0.1300, and max_cost is 0.1") {
		t.Errorf("above max_cost it ends with %v", err)
	}
	if len(s.Requests()) != n+1 {
		t.Error("something was sent that costs more than max_cost")
	}

	n = len(s.Requests())
	p.Configure(quick(s.URL, map[string]any{"price_per_million_tokens": 1000, "max_cost": 0.05}))
	stream, err := p.Client.Fit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_ = stream.Send(&proto.FitRequest{Rows: sdk.RowsToProto(sdktest.Texts(texts...))})
	r, err := stream.CloseAndRecv()
	if err != nil {
		t.Fatal(err)
	}
	if d := r.GetDiagnostics(); len(d) != 1 || d[0].GetOption() != "max_cost" || d[0].GetSeverity() != proto.Severity_SEVERITY_ERROR {
		t.Errorf("the diagnostics are %v", d)
	}
	if len(s.Requests()) > n {
		t.Error("something was sent that costs more than max_cost")
	}
}

func TestOptions(t *testing.T) {
	record(t)
	for name, c := range map[string]struct {
		options map[string]any
		env     string // of OPENAI_API_KEY
		want    string
	}{
		"no key":          {nil, "", "https://api.openai.com/v1 wants a key: set OPENAI_API_KEY or EMBEDDINGS_API_KEY"},
		"no key, named":   {map[string]any{"key_env": "AZURE_OPENAI_API_KEY"}, "x", "set AZURE_OPENAI_API_KEY"},
		"key of two":      {nil, secret + " " + secret, "the value of OPENAI_API_KEY holds spaces"},
		"a key's name":    {map[string]any{"key_env": "MY_KEY"}, secret, "must be one of"},
		"no model":        {map[string]any{"model": " "}, secret, "model is empty"},
		"address":         {map[string]any{"base_url": "localhost:8000"}, secret, "base_url is not an address like"},
		"address and key": {map[string]any{"base_url": "https://user:" + secret + "@host/v1"}, secret, "put the key into the environment"},
		"address, query":  {map[string]any{"base_url": "https://host/v1?key=" + secret}, secret, "a key belongs into the environment"},
		"concurrency":     {map[string]any{"concurrency": 0}, secret, "concurrency is 0: it must be from 1 to 256"},
		"texts":           {map[string]any{"request_texts": 5000}, secret, "from 1 to 2048"},
		"dimensions":      {map[string]any{"dimensions": -1}, secret, "dimensions is -1"},
		"timeout":         {map[string]any{"request_timeout": 0}, secret, "request_timeout is 0"},
		"cost":            {map[string]any{"max_cost": 3}, secret, "max_cost needs price_per_million_tokens"},
		"misspelt":        {map[string]any{"base_ulr": "x"}, secret, `did you mean "base_url"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("OPENAI_API_KEY", c.env)
			p := sdktest.Start(t, embedder.New(provider))
			remarks, err := p.TryConfigure(c.options)
			if text := fmt.Sprint(err, remarks); err == nil || !strings.Contains(text, c.want) {
				t.Errorf("%q is not in: %s", c.want, text)
			}
			wantNoKey(t, fmt.Errorf("%v %v", err, remarks))
		})
	}
	t.Setenv("OPENAI_API_KEY", secret+"\n") // as it is read from a file
	p := sdktest.Start(t, embedder.New(provider))
	if remarks := p.Configure(map[string]any{"base_url": "http://models.example:8000/v1"}); len(remarks) != 1 || !strings.Contains(remarks[0].Summary, "plain text") {
		t.Errorf("a key over http has the remarks %v", remarks)
	}
	if remarks := p.Configure(nil); len(remarks) > 0 || p.Info.Dimension != 1536 || p.Info.MaxTokens != 8191 {
		t.Errorf("as it stands: %v, %+v", remarks, p.Info)
	}
}

func TestState(t *testing.T) {
	s, p, _ := start(t, remotetest.Config{}, nil)
	state := p.State()
	if string(state) != `{"format":1,"dimension":64}` {
		t.Errorf("the state is %s", state)
	}
	n := len(s.Requests())
	q := sdktest.Start(t, embedder.New(provider))
	q.Configure(quick(s.URL, nil))
	q.LoadState(state)
	if q.Info.Dimension != 64 || len(s.Requests()) > n {
		t.Errorf("after LoadState it promises %+v and has sent %d requests", q.Info, len(s.Requests())-n)
	}
	check(t, q.Embed(sdktest.Texts("a")...), []string{"a"}, nil)
}
