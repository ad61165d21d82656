package hub

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bertopic-go/bertopic/internal/hub/hubtest"
)

const glove = "glove-wiki-gigaword-50"

// gensimWorld is a world with a copy of gensim-data beside the hub.
func gensimWorld(t *testing.T, files map[string][][]byte, list func(map[string]map[string]any), fault func(http.ResponseWriter, *http.Request) bool) *world {
	t.Helper()
	g := hubtest.NewGensimData(files, list, fault)
	t.Cleanup(g.Close)
	w := newWorld(t)
	w.client = w.newClient(map[string]string{gensimEnv: g.URL + "/", "HF_TOKEN": "hf_secret"})
	return w
}

func TestGensimData(t *testing.T) {
	file := hubtest.Packed("2 1\nthe 0.5\nof 1\n")
	w := gensimWorld(t, map[string][][]byte{glove: {file}}, nil, func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Authorization") != "" {
			t.Error("the hub's token is sent to gensim-data")
		}
		return false
	})
	r := w.mustGet(glove, GetOptions{})
	if r.Name != "gensim-data/"+glove || r.There || r.Manifest.Revision != hubtest.MD5(file) {
		t.Errorf("%+v", r)
	}
	sum := sha256.Sum256(file)
	if f := r.Manifest.Files; len(f) != 1 || f[0] != (ManifestFile{glove + ".gz", int64(len(file)), hex.EncodeToString(sum[:])}) {
		t.Errorf("files %+v", f)
	}
	if b, err := os.ReadFile(filepath.Join(r.Dir, glove+".gz")); err != nil || string(b) != string(file) {
		t.Error("the file is another", err)
	}
	if len(w.hub.Requests()) > 0 {
		t.Error("the hub was asked")
	}
	for _, name := range []string{glove, "gensim-data/" + glove} {
		if path, err := ResolveVectors(w.dir, t.TempDir(), name); err != nil || path != r.Dir {
			t.Errorf("%s resolves to %s, %v", name, path, err)
		}
	}
	w.client.Offline = "HF_HUB_OFFLINE"
	if r := w.mustGet("gensim-data/"+glove, GetOptions{}); !r.There {
		t.Error("what is here was fetched again")
	}
	w.client.Offline = ""
	if r := w.mustGet(glove, GetOptions{Update: true}); !r.There {
		t.Error("what is the same was fetched again")
	}
	models, err := List(w.dir)
	if err != nil || len(models) != 1 || models[0].Fault != "" || models[0].Name != "gensim-data/"+glove {
		t.Errorf("%+v, %v", models, err)
	}
}

// TestGensimDataParts: a file that lies there in parts becomes one.
func TestGensimDataParts(t *testing.T) {
	w := gensimWorld(t, map[string][][]byte{"large": {[]byte("one "), []byte("two "), []byte("three")}}, nil, nil)
	r := w.mustGet("gensim-data/large", GetOptions{})
	if b, err := os.ReadFile(filepath.Join(r.Dir, "large.gz")); err != nil || string(b) != "one two three" {
		t.Errorf("%q, %v", b, err)
	}
	if got := tree(t, r.Dir); len(got) != 2 || len(r.Manifest.Files) != 1 || r.Manifest.Whole(r.Dir) != nil {
		t.Errorf("the folder has %v", got)
	}
}

// TestGensimDataResumes: a download that breaks off goes on where it was.
func TestGensimDataResumes(t *testing.T) {
	file := []byte(strings.Repeat("0123456789", 10_000))
	var ranges []string
	w := gensimWorld(t, map[string][][]byte{glove: {file}}, nil, func(rw http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, ".gz") {
			return false
		}
		ranges = append(ranges, r.Header.Get("Range"))
		if len(ranges) > 1 {
			return false
		}
		rw.Header().Set("Content-Length", "100000")
		rw.Write(file[:40_000])
		rw.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	w.mustGet(glove, GetOptions{})
	if len(ranges) != 2 || ranges[0] != "" || !strings.HasPrefix(ranges[1], "bytes=") {
		t.Errorf("asked for %q", ranges)
	}
}

func TestGensimDataFaults(t *testing.T) {
	file := hubtest.Packed("the 1\n")
	for _, c := range []struct {
		name, get string
		options   GetOptions
		list      func(map[string]map[string]any)
		fault     func(http.ResponseWriter, *http.Request) bool
		kind      Kind
		want      string
	}{
		{name: "another content", get: glove, list: func(m map[string]map[string]any) { m[glove]["checksum"] = strings.Repeat("0", 32) },
			kind: KindContent, want: "the list of gensim-data says 00000000000000000000000000000000: it was spoilt on its way"},
		{name: "no checksum", get: glove, list: func(m map[string]map[string]any) { delete(m[glove], "checksum") }, kind: KindNetwork, want: "there is no checksum"},
		{name: "a path", get: glove, list: func(m map[string]map[string]any) { m[glove]["file_name"] = "../x" }, kind: KindNetwork, want: `its file is called "../x"`},
		{name: "parts", get: glove, list: func(m map[string]map[string]any) { m[glove]["parts"] = "many" }, kind: KindNetwork, want: "number of its parts"},
		{name: "a corpus", get: "gensim-data/text8", kind: KindMissing, want: "is a corpus"},
		{name: "unknown", get: "gensim-data/none", kind: KindMissing, want: `no word vectors "none": it has ` + glove},
		{name: "not in this copy", get: "glove-twitter-25", kind: KindMissing, want: `no word vectors "glove-twitter-25": it has ` + glove},
		{name: "a revision", get: glove, options: GetOptions{Revision: "v1"}, kind: KindName, want: "it has no revisions"},
		{name: "no list", get: glove, fault: func(w http.ResponseWriter, r *http.Request) bool {
			http.NotFound(w, r)
			return true
		}, kind: KindMissing, want: "has no list.json (404 Not Found): see whether GENSIM_DATA_URL is right"},
		{name: "another server", get: glove, fault: func(w http.ResponseWriter, r *http.Request) bool {
			w.Write([]byte("<html>"))
			return true
		}, kind: KindNetwork, want: "is not the list of gensim-data"},
		{name: "down", get: glove, fault: func(w http.ResponseWriter, r *http.Request) bool {
			http.Error(w, "no", http.StatusBadGateway)
			return true
		}, kind: KindNetwork, want: "502 Bad Gateway"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := gensimWorld(t, map[string][][]byte{glove: {file}}, c.list, c.fault)
			_, err := w.get(c.get, c.options)
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Kind != c.kind || !strings.Contains(e.Error(), c.want) {
				t.Errorf("the error is %v, want one of kind %d with %q", err, c.kind, c.want)
			}
			if strings.Contains(e.Error(), "HF_") {
				t.Errorf("the error speaks of the hub: %v", e)
			}
		})
	}
	w := gensimWorld(t, nil, nil, nil)
	w.client.Offline = "HF_HUB_OFFLINE"
	if _, err := w.get(glove, GetOptions{}); err == nil || !strings.Contains(err.Error(), "copy its file into") {
		t.Errorf("offline: %v", err)
	}
	if _, err := NewClient(func(k string) string {
		if k == gensimEnv {
			return "mirror"
		}
		return ""
	}, "0"); err == nil || !strings.Contains(err.Error(), gensimEnv) {
		t.Errorf("a wrong address: %v", err)
	}
}

func TestResolveVectors(t *testing.T) {
	base, models := t.TempDir(), t.TempDir()
	for _, path := range []string{filepath.Join(base, "here.txt"), filepath.Join(base, "folder", "v.bin"), filepath.Join(models, "mine", "vectors", "v.bin")} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(base, "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, want, fault string }{
		{"here.txt", filepath.Join(base, "here.txt"), ""},
		{"./here.txt", filepath.Join(base, "here.txt"), ""},
		{"folder", filepath.Join(base, "folder"), ""},
		{filepath.Join(base, "folder", "v.bin"), filepath.Join(base, "folder", "v.bin"), ""},
		{"mine/vectors", filepath.Join(models, "mine", "vectors"), ""},
		{"vectors", filepath.Join(models, "mine", "vectors"), ""},
		{"./none.txt", "", "there is no file or folder of word vectors at " + filepath.Join(base, "none.txt")},
		{"empty", "", "holds no model"},
		{"none.txt", "", "there is neither a file nor a folder " + filepath.Join(base, "none.txt")},
		{glove, "", "`bertopic models get " + glove + "` brings it"},
		{"none", "", "such as glove-wiki-gigaword-50"},
		{"", "", "no word vectors are named"},
	} {
		path, err := ResolveVectors(models, base, c.name)
		if path != c.want || (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
			t.Errorf("%q: %q, %v; want %q, %q", c.name, path, err, c.want, c.fault)
		}
	}
}
