package encoder

import (
	"compress/gzip"
	"context"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// tolerance is what float32 costs: the Python library's own vectors differ by
// up to 2.9e-6 between batch 1 and batch 8, and by up to 5e-6 between two of
// its implementations of attention.
const tolerance = 2e-5

// fixtures are the folders in testdata.
var fixtures = []string{"bert", "deberta-v2", "modernbert", "mpnet", "nomic-bert"}

// encoders are the folders of golden/embedders/encoders.
var encoders = []string{"bert", "bert-cased", "deberta-v2", "distilbert", "modernbert", "mpnet", "nomic-bert", "roberta", "xlm-roberta"}

// expected is what the Python libraries gave for a folder.
type expected struct {
	InputIDs [][]int64              `json:"input_ids"`
	Hidden   map[string][][]float32 `json:"last_hidden_state"`
	Pooling  map[string][][]float32 `json:"pooling"`
}

// fixture unpacks a folder of testdata.
func fixture(t testing.TB, name string) string {
	t.Helper()
	dir := t.TempDir()
	config, err := os.ReadFile(filepath.Join("testdata", name, "config.json"))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "config.json"), config, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join("testdata", name, "model.safetensors.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(z)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "model.safetensors"), raw, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func built(t testing.TB, spec Spec) *Model {
	t.Helper()
	m, err := Build(context.Background(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestEncoders compares the token embeddings and every way of pooling with
// transformers 5.24.0 and sentence-transformers 6.2.0.
func TestEncoders(t *testing.T) {
	for _, name := range fixtures {
		t.Run(name, func(t *testing.T) {
			needRuntime(t)
			var want expected
			readGolden(t, filepath.Join("testdata", name, "expected.json.gz"), &want)
			testEncoder(t, fixture(t, name), want)
		})
	}
}

// TestGoldenEncoders does so for all texts of nine folders.
func TestGoldenEncoders(t *testing.T) {
	for _, name := range encoders {
		t.Run(name, func(t *testing.T) {
			dir := golden(t, "embedders", "encoders", name)
			needRuntime(t)
			var want expected
			readGolden(t, filepath.Join(dir, "expected.json.gz"), &want)
			testEncoder(t, dir, want)
		})
	}
}

func testEncoder(t *testing.T, dir string, want expected) {
	for _, unpadded := range []bool{true, false} {
		worst := hiddenDifference(t, dir, want, unpadded)
		for _, mode := range modes {
			worst = max(worst, poolingDifference(t, dir, mode, want, unpadded))
		}
		if !(worst <= tolerance) {
			t.Errorf("unpadded %v: vectors differ by up to %.3g", unpadded, worst)
		}
		t.Logf("unpadded %v: vectors differ by up to %.3g", unpadded, worst)
	}
}

func hiddenDifference(t *testing.T, dir string, want expected, unpadded bool) float64 {
	s := open(t, built(t, Spec{Dir: dir, Unpadded: unpadded}), 1)
	worst := 0.0
	for i, h := range want.Hidden {
		n, err := strconv.Atoi(i)
		if err != nil {
			t.Fatal(err)
		}
		var flat []float32
		for _, r := range h {
			flat = append(flat, r...)
		}
		worst = max(worst, farthest(s.run(t, want.InputIDs[n:n+1], 0), flat))
	}
	return worst
}

// poolingDifference runs all texts alone, and where a graph can pad also in
// batches of 8 and in one.
func poolingDifference(t *testing.T, dir, mode string, want expected, unpadded bool) float64 {
	m := built(t, Spec{Dir: dir, Unpadded: unpadded, Head: []Layer{Pooling{Modes: []string{mode}}}})
	s := open(t, m, 1)
	worst := 0.0
	sizes := []int{1}
	if !unpadded {
		sizes = []int{1, 8, len(want.InputIDs)}
	}
	for _, size := range sizes {
		for at := 0; at < len(want.InputIDs); at += size {
			rows := want.InputIDs[at:min(at+size, len(want.InputIDs))]
			got := s.run(t, rows, 0)
			for i := range rows {
				worst = max(worst, farthest(got[i*m.Dimension:(i+1)*m.Dimension], want.Pooling[mode][at+i]))
			}
		}
	}
	return worst
}

// TestSentenceTransformers compares whole models: pooling by several modes,
// and dense layers read from their folders.
func TestSentenceTransformers(t *testing.T) {
	for _, c := range []struct {
		folder, encoder string
		max             int
		pooling         []string
		dense, unit     bool
	}{
		{"cls-max-mean", "bert", 64, []string{CLS, Max, Mean}, false, false},
		{"dense-tanh-normalize", "mpnet", 64, []string{Mean}, true, true},
		{"dense-identity-nobias", "distilbert", 48, []string{Mean}, true, false},
		{"mean-normalize", "bert", 64, []string{Mean}, false, true},
	} {
		t.Run(c.folder, func(t *testing.T) {
			dir := golden(t, "embedders", "st", c.folder)
			needRuntime(t)
			var ids expected
			readGolden(t, filepath.Join(golden(t, "embedders", "encoders", c.encoder), "expected.json.gz"), &ids)
			var want struct {
				Vectors [][]float32 `json:"vectors"`
				Max     int         `json:"max_seq_length"`
			}
			readGolden(t, filepath.Join(dir, "expected.json.gz"), &want)
			head := []Layer{Pooling{Modes: c.pooling}}
			if c.dense {
				d, err := ReadDense(filepath.Join(dir, "2_Dense"))
				if err != nil {
					t.Fatal(err)
				}
				head = append(head, d)
			}
			if c.unit {
				head = append(head, Normalize{})
			}
			m := built(t, Spec{Dir: dir, Head: head, Unpadded: true})
			if m.Dimension != len(want.Vectors[0]) {
				t.Fatalf("dimension %d", m.Dimension)
			}
			s := open(t, m, 1)
			worst := 0.0
			for i, row := range ids.InputIDs {
				if n := want.Max; len(row) > n { // the end token stays
					row = append(append([]int64(nil), row[:n-1]...), row[len(row)-1])
				}
				worst = max(worst, farthest(s.run(t, [][]int64{row}, 0), want.Vectors[i]))
			}
			if !(worst <= tolerance) {
				t.Errorf("vectors differ by up to %.3g", worst)
			}
			t.Logf("vectors differ by up to %.3g", worst)
		})
	}
}

// minilm is the folder of all-MiniLM-L6-v2 that set-up installs.
func minilm(t testing.TB) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cache, "bertopic", "models", "sentence-transformers", "all-MiniLM-L6-v2")
	if !exists(filepath.Join(dir, "model.safetensors")) {
		t.Skip("all-MiniLM-L6-v2 is not installed: make setup installs it")
	}
	return dir
}

// TestMiniLM compares with sentence-transformers on real weights, in float32
// and in 8 bits.
func TestMiniLM(t *testing.T) {
	dir := minilm(t)
	needRuntime(t)
	var want struct {
		IDs        [][]int64   `json:"ids"`
		Embeddings [][]float32 `json:"embeddings"`
	}
	readGolden(t, golden(t, "minilm.json.gz"), &want)
	head := []Layer{Pooling{Modes: []string{Mean}}, Normalize{}}
	worst, mean, least := 0.0, 0.0, 1.0
	full := open(t, built(t, Spec{Dir: dir, Head: head, Unpadded: true}), 2)
	small := open(t, built(t, Spec{Dir: dir, Head: head, Unpadded: true, Precision: Int8}), 2)
	for i, row := range want.IDs {
		worst = max(worst, farthest(full.run(t, [][]int64{row}, 0), want.Embeddings[i]))
		c := cosine(small.run(t, [][]int64{row}, 0), want.Embeddings[i])
		mean += c / float64(len(want.IDs))
		least = min(least, c)
	}
	if !(worst <= 1e-5) {
		t.Errorf("vectors differ by up to %.3g", worst)
	}
	if mean < 0.99 {
		t.Errorf("8 bits have a mean cosine of %.4f", mean)
	}
	t.Logf("fp32 differs by up to %.3g; int8 has a cosine of %.4f in the mean, %.4f at least", worst, mean, least)
}

func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		ab += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	return ab / math.Sqrt(aa*bb)
}

// TestPrecisions runs every architecture in 8 and 16 bits, near to float32.
func TestPrecisions(t *testing.T) {
	for _, name := range fixtures {
		t.Run(name, func(t *testing.T) {
			needRuntime(t)
			var want expected
			readGolden(t, filepath.Join("testdata", name, "expected.json.gz"), &want)
			dir := fixture(t, name)
			for p, least := range map[Precision]float64{Int8: 0.99, FP16: 0.9999} {
				for _, unpadded := range []bool{true, false} {
					m := built(t, Spec{Dir: dir, Unpadded: unpadded, Precision: p, Head: []Layer{Pooling{Modes: []string{Mean}}}})
					s := open(t, m, 1)
					for i, row := range want.InputIDs {
						got := s.run(t, [][]int64{row}, 0)
						if c := cosine(got, want.Pooling[Mean][i]); c < least {
							t.Errorf("%s, unpadded %v: text %d has a cosine of %.5f", p, unpadded, i, c)
						}
					}
				}
			}
		})
	}
}
