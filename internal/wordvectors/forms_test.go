package wordvectors

import (
	"path/filepath"
	"testing"
)

// TestForms compares what gensim and NumPy save with the file it came from.
func TestForms(t *testing.T) {
	want := open(t, filepath.Join("testdata", "w2v.bin"), Options{})
	for _, c := range []struct{ name, words string }{
		{"w2v.kv", ""}, {"w2v-apart.kv", ""}, {"w2v.npz", ""}, {"apart.npy", ""}, {"double.npy", ""},
		{"double.npy", filepath.Join("testdata", "apart.parquet")}, {"w2v.txt", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := open(t, filepath.Join("testdata", c.name), Options{Words: c.words})
			same(t, v, want)
		})
	}
}

func TestFastTextKeyedVectors(t *testing.T) {
	want := open(t, filepath.Join("testdata", "fasttext.bin"), Options{})
	v := open(t, filepath.Join("testdata", "fasttext.kv"), Options{})
	if !v.Info.Subwords {
		t.Fatal("the n-grams are not read")
	}
	same(t, v, want)
	for _, w := range []string{"lampshade", "über", "gardenersss"} {
		a, ok1 := v.AppendSubwords(nil, w)
		b, ok2 := want.AppendSubwords(nil, w)
		if !ok1 || !ok2 || largest(a, b) != 0 {
			t.Errorf("%q: %v %v, want %v %v", w, a, ok1, b, ok2)
		}
	}
}

func same(t *testing.T, v, want *Table) {
	t.Helper()
	if v.Info.Words != want.Info.Words || v.Info.Dim != want.Info.Dim {
		t.Fatalf("%+v, want %+v", v.Info, want.Info)
	}
	for i := range want.Info.Rows {
		row, ok := v.Lookup(string(want.Word(i)))
		if !ok || row != i {
			t.Fatalf("%q is in row %d (%v), want %d", want.Word(i), row, ok, i)
		}
		if d := largest(v.AppendTo(nil, i), want.AppendTo(nil, i)); d != 0 {
			t.Fatalf("%q is %g off", want.Word(i), d)
		}
	}
}
