package encoder

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"testing"
)

// tolerance is what float32 costs: the Python library's own vectors differ by
// up to 2.9e-6 between batch 1 and batch 8, and by up to 5e-6 between two of
// its implementations of attention.
const tolerance = 2e-5

var encoders = []string{"bert", "bert-cased", "distilbert", "roberta", "xlm-roberta", "mpnet", "modernbert", "nomic-bert", "deberta-v2"}

// expected is what a folder of golden/embedders/encoders holds.
type expected struct {
	InputIDs [][]int64              `json:"input_ids"`
	Hidden   map[string][][]float32 `json:"last_hidden_state"`
	Pooling  map[string][][]float32 `json:"pooling"`
}

func build1(t testing.TB, spec Spec) *Model {
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
	for _, name := range encoders {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := golden(t, "embedders", "encoders", name)
			needRuntime(t)
			var want expected
			readGolden(t, filepath.Join(dir, "expected.json.gz"), &want)
			for _, unpadded := range []bool{true, false} {
				t.Run(fmt.Sprint("unpadded=", unpadded), func(t *testing.T) {
					testHidden(t, dir, want, unpadded)
					for _, mode := range modes {
						testPooling(t, dir, mode, want, unpadded)
					}
				})
			}
		})
	}
}

func testHidden(t *testing.T, dir string, want expected, unpadded bool) {
	m := build1(t, Spec{Dir: dir, Unpadded: unpadded})
	s := open(t, m, 1)
	worst := 0.0
	for i, h := range want.Hidden {
		n, _ := strconv.Atoi(i)
		var flat []float32
		for _, r := range h {
			flat = append(flat, r...)
		}
		worst = max(worst, farthest(s.run(t, want.InputIDs[n:n+1], 0), flat))
	}
	if !(worst <= tolerance) {
		t.Errorf("token embeddings differ by up to %.3g", worst)
	}
	t.Logf("token embeddings differ by up to %.3g", worst)
}

func testPooling(t *testing.T, dir, mode string, want expected, unpadded bool) {
	m := build1(t, Spec{Dir: dir, Unpadded: unpadded, Head: []Layer{Pooling{Modes: []string{mode}}}})
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
	if !(worst <= tolerance) {
		t.Errorf("%s differs by up to %.3g", mode, worst)
	}
	t.Logf("%s differs by up to %.3g", mode, worst)
}
