package hub

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/bertopic-go/bertopic/internal/hub/hubtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const mini = "sentence-transformers/mini"

// world is a hub with one model, a client of it and a folder of models.
type world struct {
	t      *testing.T
	hub    *hubtest.Server
	client *Client
	dir    string
	waits  []time.Duration
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, hub: hubtest.New(map[string]*hubtest.Repo{mini: hubtest.SentenceTransformer()}), dir: filepath.Join(t.TempDir(), "models")}
	t.Cleanup(w.hub.Close)
	w.client = w.newClient(map[string]string{})
	return w
}

// newClient makes a client that does not wait.
func (w *world) newClient(env map[string]string) *Client {
	w.t.Helper()
	if env["HF_ENDPOINT"] == "" {
		env["HF_ENDPOINT"] = w.hub.URL + "/"
	}
	c, err := NewClient(func(k string) string { return env[k] }, "0 test")
	if err != nil {
		w.t.Fatal(err)
	}
	c.wait = func(ctx context.Context, d time.Duration) error {
		w.waits = append(w.waits, d)
		return ctx.Err()
	}
	w.t.Cleanup(c.http.CloseIdleConnections)
	return c
}

func (w *world) get(name string, o GetOptions) (*GetResult, error) {
	o.ModelsDir = w.dir
	return w.client.Get(context.Background(), name, o)
}

func (w *world) mustGet(name string, o GetOptions) *GetResult {
	w.t.Helper()
	r, err := w.get(name, o)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// tree lists the files under dir.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			out = append(out, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// check wants the model's folder to have the files of repo that are named, and
// no other.
func (w *world) check(r *GetResult, repo *hubtest.Repo, want []string) {
	w.t.Helper()
	want = append([]string{manifestName}, want...)
	slices.Sort(want)
	got := tree(w.t, r.Dir)
	slices.Sort(got)
	if d := cmp.Diff(want, got); d != "" {
		w.t.Errorf("files (-want +got):\n%s", d)
	}
	m, err := ReadManifest(r.Dir)
	if err != nil {
		w.t.Fatal(err)
	}
	if len(m.Files) != len(want)-1 {
		w.t.Errorf("the manifest has %d files, want %d", len(m.Files), len(want)-1)
	}
	for _, f := range m.Files {
		b, err := os.ReadFile(filepath.Join(r.Dir, f.Path))
		if err != nil {
			w.t.Fatal(err)
		}
		if string(b) != repo.Files[f.Path] || f.SHA256 != hubtest.SHA256(string(b)) || f.Size != int64(len(b)) {
			w.t.Errorf("%s is not what the hub has", f.Path)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(w.dir, "*", ".*")); len(left) > 0 {
		w.t.Errorf("left behind: %v", left)
	}
}

// needed are the files that running the model of hubtest takes.
var needed = []string{
	"1_Pooling/config.json", "2_Dense/config.json", "2_Dense/model.safetensors", "LICENSE", "config.json", "config_sentence_transformers.json",
	"model.safetensors", "modules.json", "sentence_bert_config.json", "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json",
}

func TestGetBringsWhatIsNeeded(t *testing.T) {
	w := newWorld(t)
	var files []string
	last := int64(-1)
	r := w.mustGet("mini", GetOptions{
		Fetched: func(f ManifestFile) { files = append(files, f.Path) },
		Progress: func(file string, done, total int64) {
			if done < last || done > total {
				t.Errorf("progress %d of %d after %d", done, total, last)
			}
			last = done
		},
	})
	if r.There || r.Name != mini || r.Manifest.Revision != hubtest.Commit || r.Manifest.Source != w.hub.URL {
		t.Errorf("result %+v", r)
	}
	w.check(r, w.hub.Repo(mini), needed)
	if len(files) != len(needed) || last != r.Manifest.Bytes() {
		t.Errorf("%d files told, progress ends at %d of %d", len(files), last, r.Manifest.Bytes())
	}

	w.hub.Requests()
	if again := w.mustGet(mini, GetOptions{}); !again.There || again.Dir != r.Dir {
		t.Errorf("the second time: %+v", again)
	}
	if asked := w.hub.Requests(); len(asked) > 0 {
		t.Errorf("the second time the hub was asked for %v", asked)
	}
	for _, name := range []string{"mini", mini} {
		if dir, err := Resolve(w.dir, t.TempDir(), name); err != nil || dir != r.Dir {
			t.Errorf("Resolve(%s) = %s, %v", name, dir, err)
		}
	}
}

func TestGetWithoutHashesInTheList(t *testing.T) {
	w := newWorld(t)
	w.hub.Bare = true
	w.check(w.mustGet(mini, GetOptions{}), w.hub.Repo(mini), needed)

	os.RemoveAll(w.dir) // the hash of the first answer is used, not the storage's
	w.hub.Fault = func(rw http.ResponseWriter, r *http.Request, n int) bool {
		if strings.HasSuffix(r.URL.Path, "/mini/model.safetensors") && r.URL.RawQuery != "" {
			fmt.Fprint(rw, hubtest.Noise(99, 200_000))
			return true
		}
		return false
	}
	wantError(t, w, GetOptions{}, KindContent, "has the SHA-256")
}

func wantError(t *testing.T, w *world, o GetOptions, kind Kind, text string) {
	t.Helper()
	_, err := w.get(mini, o)
	var e *Error
	if !errors.As(err, &e) || e.Kind != kind || !strings.Contains(err.Error(), text) {
		t.Errorf("error %v, want kind %d with %q", err, kind, text)
	}
	if err != nil && strings.Contains(err.Error(), "secret") {
		t.Errorf("the error tells a secret: %v", err)
	}
}

// A body that breaks off is gone on with, from where it broke.
func TestGetResumesWithinACall(t *testing.T) {
	w := newWorld(t)
	w.hub.Fault = func(rw http.ResponseWriter, r *http.Request, n int) bool {
		if r.URL.RawQuery != "" && strings.HasSuffix(r.URL.Path, "/mini/model.safetensors") && n <= 3 {
			w.hub.Cut(rw, r, 60_000)
			return true
		}
		return false
	}
	w.check(w.mustGet(mini, GetOptions{}), w.hub.Repo(mini), needed)
	var ranges []string
	for _, line := range w.hub.Requests() {
		if strings.HasPrefix(line, "/"+mini+"/model.safetensors bytes=") {
			ranges = append(ranges, strings.TrimPrefix(line, "/"+mini+"/model.safetensors "))
		}
	}
	if want := []string{"bytes=60000-", "bytes=120000-", "bytes=180000-"}; !slices.Equal(ranges, want) {
		t.Errorf("asked for %v, want %v", ranges, want)
	}
}

// A download that was killed is gone on with by the next process.
func TestGetResumesAfterAnInterruption(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(context.Background())
	_, err := w.client.Get(ctx, mini, GetOptions{ModelsDir: w.dir, Progress: func(file string, done, total int64) {
		if file == "model.safetensors" && done > 20_000 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	if _, err := Resolve(w.dir, "", "mini"); err == nil {
		t.Error("a half model is found")
	}
	if l, _ := List(w.dir); len(l) != 1 || !l[0].Unfinished || l[0].Name != mini || l[0].Bytes == 0 {
		t.Errorf("listed: %+v", l)
	}
	// What a kill leaves: a part of the file, here 100,000 bytes of it.
	repo := w.hub.Repo(mini)
	weights := repo.Files["model.safetensors"]
	part := partDir(filepath.Join(w.dir, mini))
	if err := os.WriteFile(filepath.Join(part, hubtest.SHA256(weights)+".incomplete"), []byte(weights[:100_000]), 0o644); err != nil {
		t.Fatal(err)
	}
	os.WriteFile(filepath.Join(part, "0000.incomplete"), nil, 0o644) // of another revision
	w.hub.Requests()
	w.check(w.mustGet(mini, GetOptions{}), repo, needed)
	asked := w.hub.Requests()
	if !slices.Contains(asked, "/"+mini+"/model.safetensors bytes=100000-") {
		t.Errorf("asked for %v", asked)
	}
	if slices.ContainsFunc(asked, func(l string) bool { return strings.Contains(l, "tokenizer.json") }) {
		t.Errorf("a whole file was fetched again: %v", asked)
	}
}

// What lies there from before is not trusted: the hash decides.
func TestGetDoesNotJoinWhatDoesNotFit(t *testing.T) {
	for name, part := range map[string]string{
		"other content": hubtest.Noise(50, 100_000), "longer than the file": hubtest.Noise(51, 300_000),
		"whole but wrong": hubtest.Noise(52, 200_000),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			repo := w.hub.Repo(mini)
			dir := partDir(filepath.Join(w.dir, mini))
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			os.WriteFile(filepath.Join(dir, hubtest.SHA256(repo.Files["model.safetensors"])+".incomplete"), []byte(part), 0o644)
			w.check(w.mustGet(mini, GetOptions{}), repo, needed)
		})
	}
}

func TestGetServerWithoutRanges(t *testing.T) {
	w := newWorld(t)
	w.hub.Fault = func(rw http.ResponseWriter, r *http.Request, n int) bool {
		if r.URL.RawQuery == "" || !strings.HasSuffix(r.URL.Path, "/mini/model.safetensors") {
			return false
		}
		if n == 1 {
			w.hub.Cut(rw, r, 60_000)
			return true
		}
		r.Header.Del("Range") // 200 and all of it
		return false
	}
	w.check(w.mustGet(mini, GetOptions{}), w.hub.Repo(mini), needed)
}

func TestGetWrongRange(t *testing.T) {
	w := newWorld(t)
	w.hub.Fault = func(rw http.ResponseWriter, r *http.Request, n int) bool {
		if r.URL.RawQuery == "" || !strings.HasSuffix(r.URL.Path, "/mini/model.safetensors") {
			return false
		}
		switch n {
		case 1:
			w.hub.Cut(rw, r, 60_000)
			return true
		case 2:
			r.Header.Set("Range", "bytes=59000-")
		case 3:
			w.hub.Cut(rw, r, 60_000)
			return true
		case 4:
			rw.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
			return true
		}
		return false
	}
	w.check(w.mustGet(mini, GetOptions{}), w.hub.Repo(mini), needed)
}

// A server that lets a body trickle to a halt is left after a while.
func TestGetStalledBody(t *testing.T) {
	w := newWorld(t)
	w.client.stall = 100 * time.Millisecond
	release := make(chan struct{})
	w.hub.Fault = func(rw http.ResponseWriter, r *http.Request, n int) bool {
		if r.URL.RawQuery == "" || !strings.HasSuffix(r.URL.Path, "/mini/model.safetensors") || n > 1 {
			return false
		}
		rw.Header().Set("Content-Length", "200000")
		fmt.Fprint(rw, w.hub.Repo(mini).Files["model.safetensors"][:50_000])
		rw.(http.Flusher).Flush()
		select {
		case <-release:
		case <-r.Context().Done():
		}
		return true
	}
	r := w.mustGet(mini, GetOptions{})
	close(release)
	w.check(r, w.hub.Repo(mini), needed)
}

func TestGetFaults(t *testing.T) {
	status := func(code int, header ...string) func(*world) {
		return func(w *world) {
			w.hub.Fault = func(rw http.ResponseWriter, r *http.Request, n int) bool {
				for i := 0; i < len(header); i += 2 {
					rw.Header().Set(header[i], header[i+1])
				}
				http.Error(rw, "no", code)
				return true
			}
		}
	}
	cases := []struct {
		name string
		set  func(*world)
		o    GetOptions
		kind Kind
		text string
	}{
		{"no such model", func(w *world) { w.hub.Set(mini, nil) }, GetOptions{}, KindMissing, "has no model sentence-transformers/mini: check the name; for a private one set HF_TOKEN"},
		{"no such model, by a token", func(w *world) {
			w.hub.Set(mini, nil)
			w.hub.Token = "hf_good"
			w.client.Token = "hf_good"
		}, GetOptions{}, KindMissing, "may see it"},
		{"plain 404", status(404), GetOptions{}, KindMissing, "has no model"},
		{"no such revision", nil, GetOptions{Revision: "v9"}, KindMissing, `has no revision "v9"`},
		{"gated", func(w *world) { w.hub.Repo(mini).Gated = true }, GetOptions{}, KindAccess, "accept its terms at"},
		{"gated, by a token", func(w *world) { w.client.Token = "hf_x"; status(403, "X-Error-Code", "GatedRepo")(w) }, GetOptions{}, KindAccess, "the owner of HF_TOKEN has no access"},
		{"wrong token", func(w *world) { w.client.Token = "hf_bad" }, GetOptions{}, KindAccess, "does not accept the token"},
		{"forbidden", status(403), GetOptions{}, KindAccess, "refuses"},
		{"a fault of the hub", status(500), GetOptions{}, KindNetwork, "500"},
		{"too many requests", status(429), GetOptions{}, KindNetwork, "429 Too Many Requests; with a token"},
		{"too many requests, for hours", status(429, "Retry-After", "7200"), GetOptions{}, KindNetwork, "come back in 2h0m0s"},
		{"a page instead of an answer", func(w *world) {
			w.hub.Fault = func(rw http.ResponseWriter, r *http.Request, n int) bool {
				fmt.Fprint(rw, "<html>Welcome to the hotel</html>")
				return true
			}
		}, GetOptions{}, KindNetwork, "does not answer as a hub does"},
		{"offline", func(w *world) { w.client.Offline = "HF_HUB_OFFLINE" }, GetOptions{}, KindOffline, "HF_HUB_OFFLINE forbids"},
		{"path leaves the folder", func(w *world) { w.hub.Repo(mini).Files["../evil.json"] = "{}" }, GetOptions{}, KindContent, "leaves the model's folder"},
		{"module leaves the folder", func(w *world) { w.hub.Repo(mini).Files["modules.json"] = `[{"path":"../../etc"}]` }, GetOptions{}, KindContent, "outside it"},
		{"modules.json is broken", func(w *world) { w.hub.Repo(mini).Files["modules.json"] = `[{` }, GetOptions{}, KindContent, "not understood"},
		{"wrong hash", func(w *world) {
			w.hub.Fault = func(rw http.ResponseWriter, r *http.Request, n int) bool {
				if r.URL.RawQuery == "" || !strings.HasSuffix(r.URL.Path, "/mini/model.safetensors") {
					return false
				}
				fmt.Fprint(rw, hubtest.Noise(77, 200_000))
				return true
			}
		}, GetOptions{}, KindContent, "it was spoilt on its way"},
		{"wrong small file", func(w *world) {
			w.hub.Fault = func(rw http.ResponseWriter, r *http.Request, n int) bool {
				if !strings.HasSuffix(r.URL.Path, "/1_Pooling/config.json") {
					return false
				}
				fmt.Fprint(rw, `{"pooling_mode_mean_tokens":null}`)
				return true
			}
		}, GetOptions{}, KindContent, "Git id"},
		{"too long", func(w *world) {
			w.hub.Fault = func(rw http.ResponseWriter, r *http.Request, n int) bool {
				if r.URL.RawQuery == "" || !strings.HasSuffix(r.URL.Path, "/mini/model.safetensors") {
					return false
				}
				fmt.Fprint(rw, hubtest.Noise(77, 200_001))
				return true
			}
		}, GetOptions{}, KindContent, "longer than the 200000 bytes"},
		{"storage refuses", func(w *world) {
			w.hub.Fault = func(rw http.ResponseWriter, r *http.Request, n int) bool {
				if r.URL.RawQuery == "" || !strings.Contains(r.URL.Path, "safetensors") {
					return false
				}
				http.Error(rw, "AccessDenied", http.StatusForbidden)
				return true
			}
		}, GetOptions{}, KindAccess, "refuses"},
		{"always cut", func(w *world) {
			w.hub.Fault = func(rw http.ResponseWriter, r *http.Request, n int) bool {
				if r.URL.RawQuery == "" || !strings.Contains(r.URL.Path, "safetensors") {
					return false
				}
				w.hub.Cut(rw, r, 0)
				return true
			}
		}, GetOptions{}, KindNetwork, "what has come is kept"},
		{"round in circles", func(w *world) {
			w.hub.Fault = func(rw http.ResponseWriter, r *http.Request, n int) bool {
				http.Redirect(rw, r, r.URL.String(), http.StatusFound)
				return true
			}
		}, GetOptions{}, KindNetwork, "in circles"},
		{"pickled weights", func(w *world) {
			delete(w.hub.Repo(mini).Files, "model.safetensors")
			delete(w.hub.Repo(mini).Files, "onnx/model.onnx")
		}, GetOptions{}, KindMissing, "pickle"},
		{"no weights", func(w *world) {
			w.hub.Set(mini, &hubtest.Repo{Files: map[string]string{"README.md": "x", "config.json": "{}"}})
		}, GetOptions{}, KindMissing, "no weights that are read (model.safetensors, or onnx/model.onnx); it has README.md, config.json"},
		{"no such file", nil, GetOptions{Files: []string{"onnx/*_fp16.onnx"}}, KindMissing, `no file of it is called "onnx/*_fp16.onnx"`},
		{"no pattern", nil, GetOptions{Files: []string{"["}}, KindName, "no pattern"},
		{"bad commit", func(w *world) { w.hub.Repo(mini).Commit = "../../x" }, GetOptions{}, KindNetwork, "which is none"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			if c.set != nil {
				c.set(w)
			}
			wantError(t, w, c.o, c.kind, c.text)
			if dir, err := Resolve(w.dir, t.TempDir(), "mini"); err == nil {
				t.Errorf("the model is found at %s after the fault", dir)
			}
			if leaked := w.hub.Leaked(); len(leaked) > 0 {
				t.Errorf("the storage saw a token: %v", leaked)
			}
		})
	}
}

func TestGetWaitsAsTheHubSays(t *testing.T) {
	w := newWorld(t)
	w.hub.Fault = func(rw http.ResponseWriter, r *http.Request, n int) bool {
		if !strings.HasPrefix(r.URL.Path, "/api/") || n > 3 {
			return false
		}
		if n == 1 {
			rw.Header().Set("Retry-After", "17")
			http.Error(rw, "slow down", http.StatusTooManyRequests)
		} else {
			http.Error(rw, "gone for lunch", http.StatusServiceUnavailable)
		}
		return true
	}
	w.mustGet(mini, GetOptions{})
	if want := []time.Duration{17 * time.Second, 2 * time.Second, 4 * time.Second}; !slices.Equal(w.waits, want) {
		t.Errorf("waited %v, want %v", w.waits, want)
	}
}

func TestGetNobodyThere(t *testing.T) {
	w := newWorld(t)
	w.hub.Close()
	wantError(t, w, GetOptions{}, KindNetwork, "copy the model's folder from a machine that has it")
	if len(w.waits) > 0 {
		t.Errorf("waited %v for a machine without a network", w.waits)
	}
}

func TestGetWithAToken(t *testing.T) {
	w := newWorld(t)
	w.hub.Token = "hf_good"
	w.hub.Repo(mini).Gated = true
	w.client = w.newClient(map[string]string{"HF_TOKEN": " hf_good\n"})
	w.check(w.mustGet(mini, GetOptions{}), w.hub.Repo(mini), needed)
	if leaked := w.hub.Leaked(); len(leaked) > 0 {
		t.Errorf("the storage saw the token: %v", leaked)
	}
}

func TestGetUpdate(t *testing.T) {
	w := newWorld(t)
	first := w.mustGet(mini, GetOptions{ONNX: true})
	w.check(first, w.hub.Repo(mini), append(slices.Clone(needed), "onnx/model.onnx"))

	w.hub.Requests()
	if r := w.mustGet(mini, GetOptions{Update: true}); !r.There {
		t.Errorf("nothing new, but %+v", r)
	}
	if asked := w.hub.Requests(); len(asked) != 1 {
		t.Errorf("to see that nothing is new: %v", asked)
	}

	fresh := hubtest.SentenceTransformer()
	fresh.Commit = strings.Repeat("f", 40)
	fresh.Files["config.json"] = `{"model_type":"bert","new":true}`
	w.hub.Set(mini, fresh)
	// Without Update the model stays at its commit, and the hub's default
	// branch has no say.
	if r := w.mustGet(mini, GetOptions{}); !r.There || r.Manifest.Revision != hubtest.Commit {
		t.Errorf("%+v", r)
	}
	w.hub.Requests()
	r := w.mustGet(mini, GetOptions{Update: true})
	w.check(r, fresh, append(slices.Clone(needed), "onnx/model.onnx"))
	if r.There || r.Manifest.Revision != fresh.Commit {
		t.Errorf("%+v", r)
	}
	for _, line := range w.hub.Requests() {
		if strings.Contains(line, "safetensors") {
			t.Errorf("unchanged, but fetched: %s", line)
		}
	}

	if r := w.mustGet(mini, GetOptions{Revision: fresh.Commit[:10]}); !r.There {
		t.Error("the commit that is here was fetched again")
	}
}

// A spoilt file is seen by its size at once, by its content at an update.
func TestGetRepairs(t *testing.T) {
	w := newWorld(t)
	r := w.mustGet(mini, GetOptions{})
	file := filepath.Join(r.Dir, "model.safetensors")
	for name, o := range map[string]GetOptions{"short": {}, "other content": {Update: true}} {
		content := hubtest.Noise(9, 200_000)
		if name == "short" {
			content = content[:500]
		}
		os.Remove(file)
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if name == "short" {
			if l, _ := List(w.dir); len(l) != 1 || !strings.Contains(l[0].Fault, "model.safetensors has 500 bytes, not 200000") {
				t.Errorf("listed: %+v", l)
			}
		}
		w.check(w.mustGet(mini, o), w.hub.Repo(mini), needed)
	}
}

func TestGetLeavesTheUsersFolderAlone(t *testing.T) {
	w := newWorld(t)
	dir := filepath.Join(w.dir, mini)
	os.MkdirAll(dir, 0o755)
	os.WriteFile(filepath.Join(dir, "config.json"), []byte("mine"), 0o644)
	if r := w.mustGet(mini, GetOptions{}); !r.There || len(r.Notes) != 1 {
		t.Errorf("%+v", r)
	}
	_, err := w.get(mini, GetOptions{Update: true})
	var e *Error
	if !errors.As(err, &e) || e.Kind != KindLocal {
		t.Errorf("error %v", err)
	}
	if got := tree(t, dir); len(got) != 1 {
		t.Errorf("the folder has %v", got)
	}
}

func TestGetOneProcessAtATime(t *testing.T) {
	w := newWorld(t)
	part := partDir(filepath.Join(w.dir, mini))
	os.MkdirAll(part, 0o755)
	unlock, err := lock(filepath.Join(part, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, w, GetOptions{}, KindLocal, "by another process")
	unlock()
	w.mustGet(mini, GetOptions{})
}

func TestGetOtherLayouts(t *testing.T) {
	config, tok := `{"model_type":"bert"}`, `{"model":{}}`
	cases := map[string]struct {
		files map[string]string
		want  []string
		note  string
	}{
		"sharded, Hugging Face": {map[string]string{"config.json": config, "tokenizer.json": tok, "model.safetensors.index.json": "{}",
			"model-00001-of-00002.safetensors": hubtest.Noise(1, 2000), "model-00002-of-00002.safetensors": hubtest.Noise(2, 2000), "pytorch_model.bin": "x", "merges.txt": "m"},
			[]string{"config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json", "tokenizer.json"}, ""},
		"old layout": {map[string]string{"modules.json": `[{"path":"0_Transformer"},{"path":"1_Pooling/"}]`, "config.json": "{}",
			"0_Transformer/config.json": config, "0_Transformer/model.safetensors": "w", "0_Transformer/tokenizer.json": tok, "0_Transformer/sentence_bert_config.json": "{}",
			"0_Transformer/pytorch_model.bin": "x", "1_Pooling/config.json": "{}", "2_Other/config.json": "{}"},
			[]string{"0_Transformer/config.json", "0_Transformer/model.safetensors", "0_Transformer/sentence_bert_config.json", "0_Transformer/tokenizer.json", "1_Pooling/config.json", "config.json", "modules.json"}, ""},
		"ONNX only": {map[string]string{"config.json": config, "tokenizer.json": tok, "onnx/model.onnx": "g", "onnx/model.onnx_data": "w", "onnx/model_fp16.onnx": "h", "pytorch_model.bin": "x"},
			[]string{"config.json", "onnx/model.onnx", "onnx/model.onnx_data", "tokenizer.json"}, "its ONNX graph is taken"},
		"CLIP, old layout": {map[string]string{"modules.json": `[{"path":"0_CLIPModel"}]`, "0_CLIPModel/config.json": `{"model_type":"clip"}`, "0_CLIPModel/model.safetensors": "w",
			"0_CLIPModel/vocab.json": "{}", "0_CLIPModel/merges.txt": "m", "0_CLIPModel/preprocessor_config.json": "{}", "0_CLIPModel/pytorch_model.bin": "x"},
			[]string{"0_CLIPModel/config.json", "0_CLIPModel/merges.txt", "0_CLIPModel/model.safetensors", "0_CLIPModel/preprocessor_config.json", "0_CLIPModel/vocab.json", "modules.json"}, ""},
		"CLIP, new layout": {map[string]string{"modules.json": `[{"path":""}]`, "config.json": `{"model_type":"clip"}`, "model.safetensors": "w", "tokenizer.json": tok, "processor_config.json": "{}"},
			[]string{"config.json", "model.safetensors", "modules.json", "processor_config.json", "tokenizer.json"}, ""},
		"no tokenizer.json": {map[string]string{"config.json": config, "vocab.txt": "v", "model.safetensors": "w"},
			[]string{"config.json", "model.safetensors", "vocab.txt"}, "it has no tokenizer.json"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			repo := &hubtest.Repo{Files: c.files}
			w.hub.Set(mini, repo)
			r := w.mustGet(mini, GetOptions{})
			w.check(r, repo, c.want)
			if got := strings.Join(r.Notes, "; "); !strings.Contains(got, c.note) || c.note == "" && got != "" {
				t.Errorf("notes %q, want %q", got, c.note)
			}
		})
	}
}

// A name without an organisation is one of sentence-transformers, or of the
// few that have none and that the hub knows by another name.
func TestGetBareName(t *testing.T) {
	w := newWorld(t)
	repo := hubtest.SentenceTransformer()
	repo.ID = "google-bert/bert-base-uncased"
	w.hub.Set("bert-base-uncased", repo)
	w.hub.Set("google-bert/bert-base-uncased", repo)
	r := w.mustGet("bert-base-uncased", GetOptions{})
	if r.Name != repo.ID {
		t.Errorf("name %s", r.Name)
	}
	w.check(r, repo, needed)
	if dir, err := Resolve(w.dir, "", "bert-base-uncased"); err != nil || dir != r.Dir {
		t.Errorf("Resolve: %s, %v", dir, err)
	}
	repo = hubtest.SentenceTransformer()
	repo.ID = "new/name"
	w.hub.Set("old/name", repo)
	if r := w.mustGet("old/name", GetOptions{}); r.Name != "old/name" {
		t.Errorf("a renamed model is at %s, where its old name does not lead", r.Name)
	}
}

func TestNames(t *testing.T) {
	for _, good := range []string{"a", "a/b", "sentence-transformers/all-MiniLM-L6-v2", "BAAI/bge-small-en-v1.5", "x/y_z.1"} {
		if !ValidName(good) {
			t.Errorf("%q is refused", good)
		}
	}
	for _, bad := range []string{"", "/", "a/", "/a", "a/b/c", "../a", "a/..", "a..b", ".a", "a/.b", "-a", "a b", "a\\b", "C:x", "a/b?c", "ä", "a/b#c", "a\n"} {
		if ValidName(bad) {
			t.Errorf("%q is accepted", bad)
		}
		w := &Client{}
		if _, err := w.Get(context.Background(), bad, GetOptions{ModelsDir: "none"}); err == nil {
			t.Errorf("Get(%q) has no error", bad)
		}
	}
}

func TestNewClient(t *testing.T) {
	for _, bad := range []string{"ftp://x", "hub.example", "https://", "https://user:pass@hub.example", "https://hub.example?a=b", "://"} {
		if _, err := NewClient(func(k string) string { return map[string]string{"HF_ENDPOINT": bad}[k] }, ""); err == nil {
			t.Errorf("HF_ENDPOINT=%s is accepted", bad)
		} else if strings.Contains(err.Error(), "pass") {
			t.Errorf("the error tells a secret: %v", err)
		}
	}
	c, err := NewClient(func(string) string { return "" }, "")
	if err != nil || c.Endpoint != DefaultEndpoint || c.Offline != "" {
		t.Errorf("%+v, %v", c, err)
	}
	c, _ = NewClient(func(k string) string { return map[string]string{"TRANSFORMERS_OFFLINE": "1", "HF_HUB_OFFLINE": "0"}[k] }, "")
	if c.Offline != "TRANSFORMERS_OFFLINE" {
		t.Errorf("offline by %q", c.Offline)
	}
	if _, err := NewClient(func(k string) string { return map[string]string{"HF_TOKEN": "a b"}[k] }, ""); err == nil || strings.Contains(err.Error(), "a b") {
		t.Errorf("error %v", err)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "30": 30 * time.Second, " 5 ": 5 * time.Second, "-1": 0, "soon": 0,
		"Thu, 26 Nov 2026 12:01:00 GMT": time.Minute, "Thu, 26 Nov 2026 11:00:00 GMT": 0, "99999999999999": 1 << 20 * time.Second,
	} {
		if got := retryAfter(text, now); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}
