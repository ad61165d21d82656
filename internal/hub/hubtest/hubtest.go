// Package hubtest is a stand-in for a Hugging Face hub, for tests: it lists the
// files of repositories, serves small ones itself, and sends clients on to a
// storage on another host for large ones. Faults can be put into any answer.
package hubtest

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Commit is the commit of every repository unless it says another.
const Commit = "0123456789abcdef0123456789abcdef01234567"

// Repo is a model.
type Repo struct {
	Commit string // "" is Commit
	Files  map[string]string
	Gated  bool   // given to those with a token only
	ID     string // what the hub calls it, if not as it is asked for
}

// Server is the hub and its storage.
type Server struct {
	URL   string // of the hub
	Token string // the one that it accepts; "" accepts none and asks for none
	// Bare leaves size and hash out of the list of files, as some mirrors do.
	Bare bool
	// Fault may answer a request itself, to the hub or the storage; it returns
	// true if it did. n counts the requests of that path from 1.
	Fault func(w http.ResponseWriter, r *http.Request, n int) bool

	mu       sync.Mutex
	repos    map[string]*Repo
	count    map[string]int
	requests []string // "PATH" or "PATH RANGE", in order
	leaked   []string // storage requests that bore a token
	hub      *httptest.Server
	storage  *httptest.Server
}

// large is the size from which a file is kept in the storage.
const large = 1000

// New starts a server with the models of repos, by name. What setup sets is in
// place before the first request; a client in another process is not held back
// by what is set later.
func New(repos map[string]*Repo, setup ...func(*Server)) *Server {
	s := &Server{repos: repos, count: map[string]int{}}
	for _, f := range setup {
		f(s)
	}
	s.storage = httptest.NewServer(http.HandlerFunc(s.serveStorage))
	s.hub = httptest.NewServer(http.HandlerFunc(s.serveHub))
	s.URL = s.hub.URL
	return s
}

// Close stops the server.
func (s *Server) Close() {
	s.hub.Close()
	s.storage.Close()
}

// Set puts a model in place of the one of that name.
func (s *Server) Set(name string, r *Repo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.repos[name] = r
}

// Requests returns the requests since the last call.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.requests
	s.requests = nil
	return out
}

// Leaked returns the requests by which the storage saw a token.
func (s *Server) Leaked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.leaked
}

func (s *Server) note(r *http.Request) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	line := r.URL.Path
	if rg := r.Header.Get("Range"); rg != "" {
		line += " " + rg
	}
	s.requests = append(s.requests, line)
	s.count[r.URL.Path]++
	return s.count[r.URL.Path]
}

// Repo is the model of that name, nil if there is none.
func (s *Server) Repo(name string) *Repo {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.repos[name]
}

func (s *Server) serveHub(w http.ResponseWriter, r *http.Request) {
	n := s.note(r)
	if s.Fault != nil && s.Fault(w, r, n) {
		return
	}
	if token := r.Header.Get("Authorization"); token != "" && token != "Bearer "+s.Token {
		http.Error(w, "Invalid credentials", http.StatusUnauthorized)
		return
	}
	path := strings.TrimPrefix(r.URL.Path, "/")
	if rest, ok := strings.CutPrefix(path, "api/models/"); ok {
		name, revision, _ := strings.Cut(rest, "/revision/")
		if repo := s.admit(w, r, name, revision); repo != nil {
			s.list(w, name, repo)
		}
		return
	}
	name, rest, ok := strings.Cut(path, "/resolve/")
	if !ok {
		http.NotFound(w, r)
		return
	}
	revision, file, _ := strings.Cut(rest, "/")
	repo := s.admit(w, r, name, revision)
	if repo == nil {
		return
	}
	content, ok := repo.Files[file]
	if !ok {
		w.Header().Set("X-Error-Code", "EntryNotFound")
		http.Error(w, "Entry not found", http.StatusNotFound)
		return
	}
	w.Header().Set("X-Repo-Commit", repo.commit())
	if len(content) < large {
		w.Header().Set("Etag", `"`+GitID(content)+`"`)
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(content))
		return
	}
	w.Header().Set("X-Linked-Etag", `"`+SHA256(content)+`"`)
	w.Header().Set("X-Linked-Size", strconv.Itoa(len(content)))
	// Another host, as the real one has: localhost is not 127.0.0.1 to a client.
	storage := strings.Replace(s.storage.URL, "127.0.0.1", "localhost", 1)
	http.Redirect(w, r, storage+"/"+name+"/"+file+"?signature=secret", http.StatusFound)
}

func (r *Repo) commit() string {
	if r.Commit != "" {
		return r.Commit
	}
	return Commit
}

// admit returns the repository, or answers the request.
func (s *Server) admit(w http.ResponseWriter, r *http.Request, name, revision string) *Repo {
	repo := s.Repo(name)
	authorized := s.Token != "" && r.Header.Get("Authorization") == "Bearer "+s.Token
	switch {
	case repo == nil && !authorized:
		w.Header().Set("X-Error-Code", "RepoNotFound")
		http.Error(w, "Repository not found", http.StatusUnauthorized)
		return nil
	case repo == nil:
		w.Header().Set("X-Error-Code", "RepoNotFound")
		http.Error(w, "Repository not found", http.StatusNotFound)
		return nil
	case repo.Gated && !authorized:
		w.Header().Set("X-Error-Code", "GatedRepo")
		http.Error(w, "Access to this model is restricted", http.StatusUnauthorized)
		return nil
	case !slices.Contains([]string{"main", repo.commit()}, revision):
		w.Header().Set("X-Error-Code", "RevisionNotFound")
		http.Error(w, "Invalid rev id", http.StatusNotFound)
		return nil
	}
	return repo
}

func (s *Server) list(w http.ResponseWriter, name string, repo *Repo) {
	var siblings []map[string]any
	for path, content := range repo.Files {
		f := map[string]any{"rfilename": path}
		if !s.Bare {
			f["size"], f["blobId"] = len(content), GitID(content)
			if len(content) >= large {
				f["lfs"] = map[string]any{"sha256": SHA256(content), "size": len(content), "pointerSize": 134}
			}
		}
		siblings = append(siblings, f)
	}
	slices.SortFunc(siblings, func(a, b map[string]any) int {
		return strings.Compare(a["rfilename"].(string), b["rfilename"].(string))
	})
	if repo.ID != "" {
		name = repo.ID
	}
	json.NewEncoder(w).Encode(map[string]any{"id": name, "modelId": name, "sha": repo.commit(), "siblings": siblings})
}

func (s *Server) serveStorage(w http.ResponseWriter, r *http.Request) {
	n := s.note(r)
	if r.Header.Get("Authorization") != "" {
		s.mu.Lock()
		s.leaked = append(s.leaked, r.URL.Path)
		s.mu.Unlock()
	}
	if s.Fault != nil && s.Fault(w, r, n) {
		return
	}
	content, ok := s.content(r)
	if !ok || r.URL.Query().Get("signature") != "secret" {
		http.Error(w, "AccessDenied", http.StatusForbidden)
		return
	}
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(content))
}

// content is that of a path of the storage, ORG/NAME/FILE.
func (s *Server) content(r *http.Request) (string, bool) {
	parts := strings.SplitN(strings.TrimPrefix(r.URL.Path, "/"), "/", 3)
	if len(parts) != 3 {
		return "", false
	}
	repo := s.Repo(parts[0] + "/" + parts[1])
	if repo == nil {
		return "", false
	}
	content, ok := repo.Files[parts[2]]
	return content, ok
}

// Cut answers a request to the storage by at most n bytes of what was asked
// for, and drops the connection.
func (s *Server) Cut(w http.ResponseWriter, r *http.Request, n int) {
	content, _ := s.content(r)
	rec := httptest.NewRecorder()
	http.ServeContent(rec, r, "", time.Time{}, strings.NewReader(content))
	for k, v := range rec.Header() {
		w.Header()[k] = v
	}
	w.WriteHeader(rec.Code)
	body := rec.Body.Bytes()
	w.Write(body[:min(n, len(body))])
	w.(http.Flusher).Flush()
	if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
		conn.Close()
	}
}

// SHA256 is the hash of a large file.
func SHA256(content string) string {
	h := sha256.Sum256([]byte(content))
	return hex.EncodeToString(h[:])
}

// GitID is Git's id of a small file.
func GitID(content string) string {
	h := sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(content), content))
	return hex.EncodeToString(h[:])
}

// Noise is a content of n bytes that no part of repeats.
func Noise(seed byte, n int) string {
	var b bytes.Buffer
	block := sha256.Sum256([]byte{seed})
	for b.Len() < n {
		b.Write(block[:])
		block = sha256.Sum256(block[:])
	}
	return b.String()[:n]
}

// SentenceTransformer is a model with everything that a real repository has,
// of which only a part is needed. The weights are noise.
func SentenceTransformer() *Repo {
	return &Repo{Files: map[string]string{
		".gitattributes": "*.bin filter=lfs", "README.md": "# A model", "LICENSE": "Apache License",
		"config.json":                       `{"model_type":"bert"}`,
		"modules.json":                      `[{"idx":0,"name":"0","path":"","type":"sentence_transformers.models.Transformer"},{"idx":1,"name":"1","path":"1_Pooling","type":"sentence_transformers.models.Pooling"},{"idx":2,"name":"2","path":"2_Dense","type":"sentence_transformers.models.Dense"},{"idx":3,"name":"3","path":"3_Normalize","type":"sentence_transformers.models.Normalize"}]`,
		"sentence_bert_config.json":         `{"max_seq_length":256}`,
		"config_sentence_transformers.json": `{"prompts":{}}`,
		"tokenizer.json":                    `{"model":{"type":"WordPiece"}}` + strings.Repeat(" ", 2000),
		"tokenizer_config.json":             `{}`, "special_tokens_map.json": `{}`, "vocab.txt": "[PAD]\n",
		"model.safetensors": Noise(1, 200_000), "pytorch_model.bin": Noise(2, 200_000), "tf_model.h5": Noise(3, 5000),
		"1_Pooling/config.json": `{"pooling_mode_mean_tokens":true}`,
		"2_Dense/config.json":   `{"in_features":4}`, "2_Dense/model.safetensors": Noise(4, 3000), "2_Dense/pytorch_model.bin": Noise(5, 3000),
		"onnx/model.onnx": Noise(6, 4000), "onnx/model_qint8_avx512.onnx": Noise(7, 4000), "openvino/openvino_model.bin": Noise(8, 4000),
		"train_script.py": "print()",
	}}
}
