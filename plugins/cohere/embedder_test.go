package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/bertopic-go/bertopic/internal/remote/embedder"
	"github.com/bertopic-go/bertopic/internal/remote/remotetest"
	"github.com/bertopic-go/bertopic/sdk"
	"github.com/bertopic-go/bertopic/sdk/sdktest"
)

const secret = "co-test-0a1b2c3d4e5f6a7b8c9d"

// start configures and fits the embedder against a stand-in.
func start(t *testing.T, cfg remotetest.Config, more map[string]any) (*remotetest.Server, *sdktest.Program) {
	t.Helper()
	before, log := slog.Default(), &bytes.Buffer{}
	slog.SetDefault(slog.New(slog.NewTextHandler(log, nil)))
	t.Setenv("COHERE_API_KEY", secret)
	if cfg.Key == "" {
		cfg.Key = secret
	}
	s := remotetest.Start(t, cfg)
	p := sdktest.Start(t, embedder.New(provider))
	t.Cleanup(func() {
		slog.SetDefault(before)
		if strings.Contains(log.String(), secret) {
			t.Errorf("the key is in the log: %s", log)
		}
	})
	options := map[string]any{"base_url": s.URL, "retry_wait": 0.002, "max_retry_time": 5}
	for k, v := range more {
		options[k] = v
	}
	p.Configure(options)
	return s, p
}

func numbered(n int) []string {
	texts := make([]string, n)
	for i := range texts {
		texts[i] = fmt.Sprintf("text number %d of the corpus", i)
	}
	return texts
}

// check holds rows against the stand-in's vectors.
func check(t *testing.T, v sdk.Vectors, texts []string, without map[int]sdk.Status) {
	t.Helper()
	have := map[int]sdk.Status{}
	for _, s := range v.Statuses {
		have[s.Row] = s.Status
	}
	for i, text := range texts {
		row := v.Dense.Data[i*v.Dense.Columns : (i+1)*v.Dense.Columns]
		if have[i] != without[i] || without[i] == sdk.OK && !slices.Equal(row, remotetest.Vector(text, v.Dense.Columns)) {
			t.Errorf("row %d: status %v, want %v; or the vector of another text: %v", i, have[i], without[i], v.Statuses)
		}
	}
}

func TestEmbed(t *testing.T) {
	s, p := start(t, remotetest.Config{}, nil)
	p.Fit(sdktest.Texts("a corpus")...)
	texts := append(numbered(200), "", "text number 3 of the corpus")
	check(t, p.Embed(sdktest.Texts(texts...)...), texts, map[int]sdk.Status{200: sdk.Empty})
	requests := s.Requests()
	if len(requests) != 4 { // one for the dimension, and 96, 96 and 8 texts
		t.Errorf("%d requests", len(requests))
	}
	r := requests[1]
	if r.Path != "/v2/embed" || r.Body["model"] != "embed-v4.0" || r.Body["input_type"] != "clustering" || r.Body["truncate"] != "END" ||
		r.Header.Get("Authorization") != "Bearer "+secret || fmt.Sprint(r.Body["embedding_types"]) != "[float]" || r.Body["output_dimension"] != nil {
		t.Errorf("it sends %v to %s", r.Body, r.Path)
	}
	if v := p.EmbedWords("lighthouse", "orchid"); !slices.Equal(v.Dense.Data[:64], remotetest.Vector("lighthouse", 64)) {
		t.Error("a word has the vector of another text")
	}
}

func TestNinetySixTexts(t *testing.T) {
	s, p := start(t, remotetest.Config{}, map[string]any{"concurrency": 1, "dimensions": 256})
	p.Fit(sdktest.Texts("a corpus")...)
	texts := numbered(300)
	check(t, p.Embed(sdktest.Texts(texts...)...), texts, nil)
	if n := len(s.Requests()); n != 4 || s.Requests()[0].Body["output_dimension"] != 256.0 {
		t.Errorf("%d requests, the first is %v", n, s.Requests()[0].Body)
	}
}

func TestFaults(t *testing.T) {
	for name, faults := range map[string][]remotetest.Fault{
		"429 storm":   {remotetest.Storm(6)},
		"500":         {remotetest.Every(2, remotetest.Code(9, 500, "internal"))},
		"cut bodies":  {remotetest.Every(2, remotetest.Cut(9))},
		"wrong count": {remotetest.Every(2, remotetest.Short(3))},
		"NaN":         {remotetest.NaN(2, "number 9 ")},
		"HTML":        {remotetest.HTML(2, 502)},
	} {
		t.Run(name, func(t *testing.T) {
			_, p := start(t, remotetest.Config{Faults: faults}, nil)
			p.Fit()
			texts := numbered(150)
			check(t, p.Embed(sdktest.Texts(texts...)...), texts, nil)
		})
	}
	t.Run("one forbidden row", func(t *testing.T) {
		_, p := start(t, remotetest.Config{Faults: []remotetest.Fault{remotetest.For("number 66 ", remotetest.Code(1<<30, 400, "blocked"))}}, nil)
		p.Fit()
		texts := numbered(150)
		v := p.Embed(sdktest.Texts(texts...)...)
		check(t, v, texts, map[int]sdk.Status{66: sdk.Failed})
		if len(v.Statuses) != 1 || v.Statuses[0].Reason != "the server refuses it: 400 Bad Request: blocked" {
			t.Errorf("the statuses are %+v", v.Statuses)
		}
	})
}

func TestFinal(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  remotetest.Config
		code codes.Code
		want string
	}{
		"401":   {remotetest.Config{Key: "another"}, codes.Unauthenticated, "set COHERE_API_KEY to one that is valid"},
		"trial": {remotetest.Config{Faults: []remotetest.Fault{remotetest.Code(1<<30, 429, "You are using a Trial key, which is limited to 1000 API calls / month.")}}, codes.FailedPrecondition, "quota is used up"},
		"404":   {remotetest.Config{Faults: []remotetest.Fault{remotetest.Code(1<<30, 404, "model 'embed-v4.0' not found")}}, codes.FailedPrecondition, "check model and base_url"},
	} {
		t.Run(name, func(t *testing.T) {
			_, p := start(t, c.cfg, map[string]any{"dimensions": 64})
			p.Fit()
			_, err := p.TryEmbed(context.Background(), sdktest.Texts("a")...)
			if status.Code(err) != c.code || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), secret) {
				t.Errorf("it ends with %v, want %v: %s", err, c.code, c.want)
			}
		})
	}
}

// Cohere cuts texts itself and does not say so: the status is by estimate.
func TestLongTexts(t *testing.T) {
	long := strings.Repeat("harbour ", 900)
	s, p := start(t, remotetest.Config{Limit: 512}, map[string]any{"model": "embed-english-v3.0"})
	p.Fit()
	v := p.Embed(sdktest.Texts("short", long)...)
	if len(v.Statuses) != 1 || v.Statuses[0].Status != sdk.Truncated || v.Statuses[0].Row != 1 || v.Statuses[0].TokensLost < 300 {
		t.Errorf("the statuses are %+v", v.Statuses)
	}
	if n := len(s.Requests()); n != 2 {
		t.Errorf("%d requests", n)
	}

	s, p = start(t, remotetest.Config{Limit: 512}, map[string]any{"model": "embed-english-v3.0", "long_text": "error"})
	p.Fit()
	v = p.Embed(sdktest.Texts("short", long[:8*600])...) // 600 words: the server has to say so
	check(t, v, []string{"short", ""}, map[int]sdk.Status{1: sdk.Failed})
	if r := s.Requests()[1]; r.Body["truncate"] != "NONE" {
		t.Errorf("it sends %v", r.Body)
	}
}

func TestOptions(t *testing.T) {
	t.Setenv("COHERE_API_KEY", "")
	t.Setenv("CO_API_KEY", "")
	p := sdktest.Start(t, embedder.New(provider))
	if remarks, err := p.TryConfigure(nil); err == nil || !strings.Contains(fmt.Sprint(remarks), "https://api.cohere.com wants a key: set COHERE_API_KEY or CO_API_KEY") {
		t.Errorf("without a key: %v %v", remarks, err)
	}
	if _, err := p.TryConfigure(map[string]any{"input_type": "clusterin"}); err == nil || !strings.Contains(err.Error(), `did you mean "clustering"`) {
		t.Errorf("a misspelt input_type: %v", err)
	}
	t.Setenv("CO_API_KEY", secret)
	if remarks := p.Configure(nil); len(remarks) > 0 || p.Info.Dimension != 1536 {
		t.Errorf("with CO_API_KEY: %v %+v", remarks, p.Info)
	}
}
