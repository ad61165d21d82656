package config

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestTemplateSaysTheDefaults(t *testing.T) {
	text, err := Template(Start{Path: "corpus.jsonl", Text: "text", Plugin: "tfidf"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := Parse(text, "/base")
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.resolve("/base")
	want.Corpus.Path = "/base/corpus.jsonl"
	want.Embedder.Plugin = "tfidf"
	want.BaseDir = "/base"
	diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Config{}), cmpopts.EquateEmpty())
	if diff != "" {
		t.Errorf("the template and the defaults differ (-default +template):\n%s", diff)
	}
	for _, table := range keys(nil) {
		for _, key := range keys([]string{table}) {
			if !strings.Contains(text, key) {
				t.Errorf("the template does not tell of %s.%s", table, key)
			}
		}
	}
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "run.toml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMistakesAreToldWithTheirPlace(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"unknown key", "[cluster]\nmin_cluster_sise = 5\n", "run.toml:2: cluster.min_cluster_sise: unknown key; did you mean min_cluster_size?"},
		{"key in the wrong table", "[run]\nn_neighbors = 5\n", "run.toml:2: run.n_neighbors: unknown key; did you mean reduce.n_neighbors?"},
		{"unknown table", "[clusters]\nmethod = \"hdbscan\"\n", "run.toml:1: clusters: unknown key; did you mean cluster?"},
		{"wrong type", "[run]\n\nseed = \"x\"\n", "run.toml:3: run.seed: the value is a string, it must be an integer"},
		{"wrong type of a number", "[embedder]\nplugin = 3\n", "run.toml:2: embedder.plugin: the value is an integer, it must be a string"},
		{"table for a string", "[embedder]\nplugin = {a = 1}\n", "run.toml:2: embedder.plugin: the value is a table, it must be a string"},
		{"string for a boolean", "[vectorizer]\nlowercase = \"x\"\n", "run.toml:2: vectorizer.lowercase: the value is a string, it must be a boolean"},
		{"negative seed", "[run]\nseed = -1\n", "run.toml:2: run.seed: -1 is not a number from 0 to 9223372036854775807"},
		{"value out of range", "[reduce]\nn_neighbors = 1\n", "run.toml:2: reduce.n_neighbors: 1 is less than 2, the least that makes sense"},
		{"unknown choice", "[reduce]\nmethod = \"umpa\"\n", `run.toml:2: reduce.method: "umpa" is not one of umap, pca, svd, incremental-pca, none; did you mean "umap"?`},
		{"time span", "[embedder]\ntimeout = \"5\"\n", `run.toml:2: embedder.timeout: "5" is not a time span such as "90s" or "5m"`},
		{"memory", "[embedder]\nmemory = \"much\"\n", `run.toml:2: embedder.memory: "much" is no amount of memory such as "4GiB" or "500MB"`},
		{"too little memory", "[embedder]\nmemory = \"4\"\n", `run.toml:2: embedder.memory: "4" is less than 16MiB`},
		{"isolation", "[plugins]\nisolate = \"none\"\n", `run.toml:2: plugins.isolate: "none" is not one of auto, off, require`},
		{"topics", "[topics]\nnr_topics = \"all\"\n", `run.toml:2: topics.nr_topics: takes a number of topics`},
		{"syntax", "[run\nseed = 1\n", "end table name"},
		{"two sources", "[embedder]\nplugin = \"tfidf\"\n[embeddings]\npath = \"a.npy\"\n", "leave one out"},
		{"representation", "[[representation]]\nmethod = \"mrr\"\n", `did you mean "mmr"?`},
		{"zero-shot without labels", "[[representation]]\nmethod = \"zero-shot\"\n", "representation.labels: zero-shot needs a list of labels, here or in [topics]"},
		{"labels for another method", "[[representation]]\nmethod = \"mmr\"\nlabels = [\"a\"]\n", "run.toml:3: representation.labels: mmr takes no labels, zero-shot does"},
		{"min_similarity", "[[representation]]\nmethod = \"mmr\"\nmin_similarity = 80\n", "run.toml:3: representation.min_similarity: 80 is not between -1 and 1"},
		{"prompt", "[topics]\nlabel_prompt = \"a photo of\"\n", `run.toml:2: topics.label_prompt: "a photo of" has no {}, which stands for the label`},
		{"labels of a wrong type", "[topics]\nlabels = 3\n", "run.toml:2: topics.labels: takes a name or a list of words, not 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Load(write(t, c.text), nil)
			if err == nil {
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
			var ce *Error
			if !errors.As(err, &ce) {
				t.Errorf("%T is not an *Error", err)
			}
		})
	}
}

func TestSetLiesOverTheFile(t *testing.T) {
	path := write(t, "[run]\nseed = 1\n[corpus]\npath = \"c.jsonl\"\n[embedder]\nplugin = \"tfidf\"\n[embedder.options]\nmin_df = 3\n")
	c, err := Load(path, []string{
		"run.seed=7", "embedder.timeout=90s", "embedder.options.svd=100", "vectorizer.stop_words=[\"a\", \"b\"]",
		"vectorizer.max_df=0.5", "topics.nr_topics=auto", "cluster.method=kmeans",
	})
	if err != nil {
		t.Fatal(err)
	}
	if c.Run.Seed != 7 || time.Duration(c.Embedder.Timeout) != 90*time.Second || c.Cluster.Method != "kmeans" || !c.Topics.NrTopics.Auto {
		t.Errorf("got %+v", c)
	}
	if diff := cmp.Diff(map[string]any{"min_df": int64(3), "svd": int64(100)}, c.Embedder.Options); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"a", "b"}, c.Vectorizer.StopWords.Words); diff != "" {
		t.Error(diff)
	}
	if want := filepath.Join(filepath.Dir(path), "c.jsonl"); c.Corpus.Path != want {
		t.Errorf("path %s, want %s: relative to the file", c.Corpus.Path, want)
	}
	if wd, _ := os.Getwd(); true {
		c, err := Load(path, []string{"corpus.path=other.jsonl"})
		if err != nil || c.Corpus.Path != filepath.Join(wd, "other.jsonl") {
			t.Errorf("path %s (%v): relative to the working directory when set there", c.Corpus.Path, err)
		}
	}
	if _, err := Load(path, []string{"run.sead=7"}); err == nil || !strings.Contains(err.Error(), "did you mean seed?") {
		t.Errorf("got %v", err)
	}
	if _, err := Load(path, []string{"run.seed"}); err == nil || !strings.Contains(err.Error(), "KEY=VALUE") {
		t.Errorf("got %v", err)
	}
}

func TestJSONHasTheKeysOfTheFile(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", `"run":{"out":"/base/out","seed":42,"threads":0,"on_bad_row":"outlier","memory":""}`},
		{"", `"topics":{"top_n_words":10,"nr_topics":0,"labels":[],"label_prompt":"{}","nr_bins":20,"global_tuning":true,"evolution_tuning":true}}`},
		{"[topics]\nlabels = \"words.txt\"\n", `"labels":"/base/words.txt"`},
		{"[[representation]]\nmethod = \"zero-shot\"\nlabels = [\"a\"]\nmin_similarity = 0.2\n", `"method":"zero-shot","diversity":0,"labels":["a"],"min_similarity":0.2}`},
		{"", `"seed_words":[]`},
		{"", `"timeout":"5m0s","start_timeout":"1m0s","max_restarts":3,"memory":"","options":{}`},
		{"[embedder]\nmemory = \"4GiB\"\n", `"memory":"4GiB"`},
		{"[vectorizer]\nmax_df = 1.0\nmin_df = 2\nstop_words = [\"a\"]\n", `"stop_words":["a"],"min_df":2,"max_df":1.0,`},
		{"[[representation]]\nmethod = \"mmr\"\n", `"representation":[{"name":"","method":"mmr","diversity":0}]}`},
		{"[embedder]\nplugin = \"x\"\n[embedder.options]\nn = 3\n", `"options":{"n":3}}`},
	} {
		got, err := Parse(c.text, "/base")
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(b), c.want) {
			t.Errorf("%q: the JSON lacks %s:\n%s", c.text, c.want, b)
		}
	}
}

func TestSetOfATableReplacesIt(t *testing.T) {
	path := write(t, "[embedder]\nplugin = \"x\"\n[embedder.options]\na = 1\n")
	for _, c := range []struct {
		sets []string
		want map[string]any
	}{
		{[]string{"embedder.options={}"}, map[string]any{}},
		{[]string{"embedder.options={b = 2}"}, map[string]any{"b": int64(2)}},
		{[]string{"embedder.options.b=2"}, map[string]any{"a": int64(1), "b": int64(2)}},
	} {
		got, err := Load(path, c.sets)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, got.Embedder.Options, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c.sets, diff)
		}
	}
}

func TestExamplesAreRight(t *testing.T) {
	files, err := filepath.Glob("../../examples/*.toml")
	if err != nil || len(files) < 3 {
		t.Fatalf("%d examples, %v", len(files), err)
	}
	for _, file := range append(files, "../../bertopic.toml") {
		if _, err := Load(file, nil); err != nil {
			t.Error(err)
		}
	}
}
