package sdk

import (
	"encoding/json"
	"testing"

	protobuf "google.golang.org/protobuf/proto"

	"github.com/bertopic-go/bertopic/sdk/proto"
)

// Whatever a program answers, checking it ends in an error or in vectors that
// can be read.
func FuzzVectors(f *testing.F) {
	for _, v := range []Vectors{
		{Dense: &Dense{Rows: 2, Columns: 2, Data: []float32{1, 0, 0, 1}}, Statuses: []RowStatus{{Row: 1, Status: Truncated}}},
		{Sparse: &Sparse{Rows: 2, Columns: 3, Indptr: []uint32{0, 1, 3}, Indices: []uint32{2, 0, 1}, Data: []float32{1, 2, 3}}},
		{},
	} {
		text, err := protobuf.Marshal(v.toProto())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var p proto.Vectors
		if protobuf.Unmarshal(text, &p) != nil {
			return
		}
		v, err := VectorsFromProto(&p)
		if err != nil {
			return
		}
		for n := range 4 {
			for _, i := range []Info{{Dimension: 2, Metric: Cosine}, {Dimension: 3, Sparse: true, Metric: Hellinger, UnitLength: true}} {
				if v.Check(n, i) != nil {
					continue
				}
				refused := []RowStatus{{Row: 0, Status: Empty}, {Row: 2, Status: Empty}}
				if n > 0 {
					i.Metric, i.UnitLength = Euclidean, false
					if err := v.spread(n+2, refused).Check(n+2, i); err != nil {
						t.Errorf("spread: %v", err)
					}
				}
			}
		}
	})
}

// Options that pass are JSON and pass again unchanged.
func FuzzOptions(f *testing.F) {
	f.Add(`{"dim": 3, "words": ["a"], "extra": {"a": [1e5, null]}}`)
	f.Add(`{"dmi": 3}`)
	f.Fuzz(func(t *testing.T, text string) {
		v, err := decodeJSON([]byte(text))
		if err != nil {
			return
		}
		values, ok := v.(map[string]any)
		if !ok {
			return
		}
		once, faults := CheckOptions(everyType, values)
		for _, f := range faults {
			_ = f.Error()
		}
		if faults != nil {
			return
		}
		again := map[string]any{}
		for name, text := range once {
			again[name] = text
		}
		twice, faults := CheckOptions(everyType, again)
		if faults != nil {
			t.Fatalf("a second time: %v", faults)
		}
		a, _ := json.Marshal(once)
		b, _ := json.Marshal(twice)
		if string(a) != string(b) {
			t.Errorf("%s became %s", a, b)
		}
	})
}
