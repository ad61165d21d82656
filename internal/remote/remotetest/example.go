package remotetest

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/bertopic-go/bertopic/internal/rng"
)

// Build builds programs of this module, given by the names of their files and
// their folders, into a folder.
func Build(dir string, programs map[string]string) error {
	for name, pkg := range programs {
		if runtime.GOOS == "windows" {
			name += ".exe"
		}
		if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, name), pkg).CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", pkg, err, out)
		}
	}
	return nil
}

// Example is a configuration that is to be run as a user would.
type Example struct {
	Programs string // folder of bertopic and the embedder
	Config   string
	Path     string // of base_url, behind the stand-in's address
	Env      string // variable of the key
	Key      string
}

const (
	exampleRows  = 200
	forbiddenRow = 41
)

// Run runs the example on a corpus of five themes against a stand-in that has
// too many requests, fails now and then and refuses one text. It checks
// documents.csv, and that the key is in nothing that is printed or left.
func (x Example) Run(t *testing.T) {
	t.Helper()
	s := Start(t, Config{Key: x.Key, Faults: []Fault{
		Storm(2),
		Every(3, Code(2, http.StatusInternalServerError, "the server had an error")),
		For(fmt.Sprintf("row %d ", forbiddenRow), Code(1<<30, http.StatusBadRequest, "the text is against the rules")),
	}})
	out := t.TempDir()
	corpus := filepath.Join(out, "corpus.jsonl")
	writeCorpus(t, corpus)
	cmd := exec.Command(filepath.Join(x.Programs, "bertopic"), "run", x.Config, "--out", filepath.Join(out, "run"), "--log", "json",
		"--set", "corpus.path="+corpus, "--set", "cluster.min_cluster_size=8",
		"--set", "embedder.options.base_url="+s.URL+x.Path, "--set", "embedder.options.retry_wait=0.01", "--set", "embedder.options.requests_per_minute=0")
	cmd.Env = append(os.Environ(), x.Env+"="+x.Key, "BERTOPIC_PLUGIN_PATH="+x.Programs, "HOME="+out, "XDG_CACHE_HOME="+out)
	printed, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, printed)
	}
	for _, want := range []string{"about to be sent, as estimated", "sent, as the server counts"} {
		if !bytes.Contains(printed, []byte(want)) {
			t.Errorf("the run does not print %q:\n%s", want, printed)
		}
	}
	if bytes.Contains(printed, []byte(x.Key)) {
		t.Error("the key is in what the run prints")
	}
	WantNoKey(t, filepath.Join(out, "run"), x.Key)
	checkDocuments(t, filepath.Join(out, "run", "documents.csv"))
}

// WantNoKey reads every file below a folder.
func WantNoKey(t *testing.T, dir, key string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		if bytes.Contains(text, []byte(key)) {
			t.Errorf("the key is in %s", path)
		}
		return err
	})
	if err != nil || files == 0 {
		t.Errorf("%d files in %s: %v", files, dir, err)
	}
}

var themes = []string{
	"orbit rocket launch planet crater moon comet telescope lander probe",
	"flour oven butter dough yeast crust sugar knead bake pastry",
	"violin chord rhythm melody tempo concert sonata flute orchestra cello",
	"harbour anchor sail tide deck mast rudder captain keel voyage",
	"pawn bishop knight castle rook queen checkmate gambit opening endgame",
}

// writeCorpus writes rows of the themes in turn.
func writeCorpus(t *testing.T, file string) {
	t.Helper()
	var b bytes.Buffer
	for i := range exampleRows {
		words := strings.Fields(themes[i%len(themes)])
		text := fmt.Sprintf("row %d ", i)
		for j := range 12 {
			text += words[rng.Below(rng.Hash2(11, uint64(i), uint64(j)), len(words))] + " "
		}
		row, err := json.Marshal(map[string]string{"id": fmt.Sprintf("doc-%03d", i), "class": fmt.Sprint(i % len(themes)), "text": text})
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(row, '\n'))
	}
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// checkDocuments wants a row for each of the corpus's, in order, the forbidden
// one failed, and the others together by their themes.
func checkDocuments(t *testing.T, file string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	table, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(table) != exampleRows+1 {
		t.Fatalf("documents.csv has %d rows", len(table)-1)
	}
	column := map[string]int{}
	for i, name := range table[0] {
		column[name] = i
	}
	topics := make([]map[string]int, len(themes))
	for i, row := range table[1:] {
		id, topic, status := row[column["id"]], row[column["topic"]], row[column["status"]]
		if id != fmt.Sprintf("doc-%03d", i) {
			t.Fatalf("row %d is %s", i, id)
		}
		if i == forbiddenRow {
			if topic != "-1" || !strings.HasPrefix(status, "failed(the server refuses it: 400") {
				t.Errorf("the forbidden row has topic %s and status %s", topic, status)
			}
			continue
		}
		if status != "ok" {
			t.Errorf("row %d has the status %s", i, status)
		}
		if theme := i % len(themes); topics[theme] == nil {
			topics[theme] = map[string]int{topic: 1}
		} else {
			topics[theme][topic]++
		}
	}
	for theme, n := range topics {
		most := 0
		for topic, k := range n {
			if topic != "-1" {
				most = max(most, k)
			}
		}
		if most < 30 {
			t.Errorf("theme %d of 40 rows is spread over the topics %v", theme, n)
		}
	}
}
