package remotetest

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bertopic-go/bertopic/internal/rng"
)

// Config says what a stand-in is like.
type Config struct {
	Dimension int    // where a request does not say; 0: 64
	Key       string // the one that is welcome; empty: any, or none
	Limit     int    // tokens (words) of a text at most; 0: no limit
	NoBase64  bool   // base64 is refused
	Faults    []Fault
	Delay     time.Duration // before each good answer
}

// Request is what a stand-in was asked.
type Request struct {
	Number int // from 1
	Path   string
	Header http.Header
	Texts  []string
	Body   map[string]any
	Cohere bool

	dimension int
}

// Fault misbehaves. It reports whether it has answered; else the next one, or
// the stand-in in its right mind, does.
type Fault func(s *Server, w http.ResponseWriter, r *Request) bool

// Server is a stand-in.
type Server struct {
	URL string
	cfg Config

	mu       sync.Mutex
	requests []*Request
	answered map[string]int // texts, by how often they got a vector
	active   int
	most     int // requests at a time
}

var _ http.Handler = (*Server)(nil)

// New returns a stand-in to be served.
func New(cfg Config) *Server {
	if cfg.Dimension == 0 {
		cfg.Dimension = 64
	}
	return &Server{cfg: cfg, answered: map[string]int{}}
}

// Start serves a stand-in until the test ends.
func Start(t testing.TB, cfg Config) *Server {
	t.Helper()
	s := New(cfg)
	h := httptest.NewServer(s)
	t.Cleanup(func() { h.CloseClientConnections(); h.Close() })
	s.URL = h.URL
	return s
}

// Requests are all so far, in the order of their coming.
func (s *Server) Requests() []*Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Answered is how often a text got a vector.
func (s *Server) Answered(text string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.answered[text]
}

// Most is how many requests there were at a time.
func (s *Server) Most() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.most
}

// ServeHTTP answers a request of either API.
func (s *Server) ServeHTTP(w http.ResponseWriter, h *http.Request) {
	body, err := io.ReadAll(h.Body)
	if err != nil {
		return
	}
	r := &Request{Path: h.URL.RequestURI(), Header: h.Header.Clone(), Cohere: strings.HasSuffix(h.URL.Path, "/v2/embed")}
	if json.Unmarshal(body, &r.Body) != nil {
		s.refuse(w, r, http.StatusBadRequest, "the body is no JSON", "")
		return
	}
	list, _ := r.Body[r.field()].([]any)
	for _, v := range list {
		text, _ := v.(string)
		r.Texts = append(r.Texts, text)
	}
	r.dimension = s.cfg.Dimension
	for _, name := range []string{"dimensions", "output_dimension"} {
		if d, ok := r.Body[name].(float64); ok {
			r.dimension = int(d)
		}
	}
	s.mu.Lock()
	s.requests = append(s.requests, r)
	r.Number = len(s.requests)
	s.active++
	s.most = max(s.most, s.active)
	s.mu.Unlock()
	defer func() { s.mu.Lock(); s.active--; s.mu.Unlock() }()

	switch {
	case !r.Cohere && !strings.HasSuffix(h.URL.Path, "/embeddings"):
		http.NotFound(w, h)
		return
	case s.cfg.Key != "" && h.Header.Get("Authorization") != "Bearer "+s.cfg.Key && h.Header.Get("Api-Key") != s.cfg.Key:
		// As some servers do, with the key in it.
		s.refuse(w, r, http.StatusUnauthorized, "Incorrect API key provided: "+strings.TrimPrefix(h.Header.Get("Authorization")+h.Header.Get("Api-Key"), "Bearer ")+".", "")
		return
	}
	for _, f := range s.cfg.Faults {
		if f(s, w, r) {
			return
		}
	}
	s.answer(w, r)
}

func (r *Request) field() string {
	if r.Cohere {
		return "texts"
	}
	return "input"
}

// refuse answers with an error in the form of the API.
func (s *Server) refuse(w http.ResponseWriter, r *Request, code int, message, param string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	if r.Cohere {
		_ = json.NewEncoder(w).Encode(map[string]any{"message": message})
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"message": message, "type": "invalid_request_error", "param": param}})
}

// answer is the stand-in in its right mind.
func (s *Server) answer(w http.ResponseWriter, r *Request) {
	if len(r.Texts) == 0 || r.Cohere && len(r.Texts) > 96 || len(r.Texts) > 2048 {
		s.refuse(w, r, http.StatusBadRequest, fmt.Sprintf("%d texts in one request", len(r.Texts)), "")
		return
	}
	base64 := r.Body["encoding_format"] == "base64"
	if base64 && s.cfg.NoBase64 {
		s.refuse(w, r, http.StatusBadRequest, "base64 encoding is not currently supported", "encoding_format")
		return
	}
	tokens := 0
	texts := slices.Clone(r.Texts)
	for i, t := range texts {
		n := Tokens(t)
		if t == "" {
			s.refuse(w, r, http.StatusBadRequest, "'$.input' is invalid: an empty text", "")
			return
		}
		if s.cfg.Limit > 0 && n > s.cfg.Limit {
			if r.Body["truncate"] != "END" {
				s.refuse(w, r, http.StatusBadRequest, fmt.Sprintf("This model's maximum context length is %d tokens, however you requested %d tokens", s.cfg.Limit, n), "")
				return
			}
			texts[i], n = strings.Join(strings.Fields(t)[:s.cfg.Limit], " "), s.cfg.Limit
		}
		tokens += n
	}
	vectors := make([][]float32, len(texts))
	for i, t := range texts {
		vectors[i] = Vector(t, r.dimension)
	}
	time.Sleep(s.cfg.Delay)
	s.send(w, r, r.object(vectors, tokens, base64), r.Texts)
}

// send writes a good answer and notes which texts are in it.
func (s *Server) send(w http.ResponseWriter, _ *Request, object map[string]any, texts []string) {
	s.mu.Lock()
	for _, t := range texts {
		s.answered[t]++
	}
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(object)
}

// object is the body of a good answer.
func (r *Request) object(vectors [][]float32, tokens int, base64 bool) map[string]any {
	if r.Cohere {
		return map[string]any{
			"id": "stand-in", "embeddings": map[string]any{"float": vectors}, "texts": r.Texts,
			"meta": map[string]any{"billed_units": map[string]any{"input_tokens": tokens}},
		}
	}
	data := make([]map[string]any, len(vectors))
	for i, v := range vectors {
		var e any = v
		if base64 {
			e = Base64(v)
		}
		data[i] = map[string]any{"object": "embedding", "index": i, "embedding": e}
	}
	return map[string]any{
		"object": "list", "model": r.Body["model"], "data": data,
		"usage": map[string]any{"prompt_tokens": tokens, "total_tokens": tokens},
	}
}

// Base64 is a vector as OpenAI sends it.
func Base64(v []float32) string {
	b := make([]byte, 0, 4*len(v))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return base64.StdEncoding.EncodeToString(b)
}

// Tokens is how many tokens the stand-in counts in a text: its words.
func Tokens(text string) int { return max(1, len(strings.Fields(text))) }

// Vector is the stand-in's vector of a text: the sum of one for each of its
// words, of unit length. Texts with words in common are near each other.
func Vector(text string, dimension int) []float32 {
	words := strings.Fields(strings.ToLower(text))
	if len(words) == 0 {
		words = []string{text}
	}
	count := map[string]float64{}
	for _, w := range words {
		count[w]++
	}
	sum := make([]float64, dimension)
	for _, w := range words { // in order, and each once
		n := count[w]
		if count[w] = 0; n == 0 {
			continue
		}
		h := fnv.New64a()
		_, _ = io.WriteString(h, w)
		for j := range sum {
			sum[j] += n * rng.Normal(h.Sum64(), uint64(j), 0)
		}
	}
	var square float64
	for _, x := range sum {
		square += x * x
	}
	out := make([]float32, dimension)
	for j, x := range sum {
		out[j] = float32(x / math.Sqrt(square))
	}
	return out
}
