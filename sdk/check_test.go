package sdk

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestVectorsCheck(t *testing.T) {
	dense := func(rows, columns int, data ...float32) Vectors {
		return Vectors{Dense: &Dense{Rows: rows, Columns: columns, Data: data}}
	}
	sparse := func(indptr, indices []uint32, data ...float32) Vectors {
		return Vectors{Sparse: &Sparse{Rows: 2, Columns: 3, Indptr: indptr, Indices: indices, Data: data}}
	}
	with := func(v Vectors, s ...RowStatus) Vectors { v.Statuses = s; return v }
	u := func(x ...uint32) []uint32 { return x }

	d := Info{Dimension: 2, Metric: Cosine}
	unit := Info{Dimension: 2, Metric: Cosine, UnitLength: true}
	euclid := Info{Dimension: 2, Metric: Euclidean}
	s := Info{Dimension: 3, Metric: Hellinger, Sparse: true}
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	cases := []struct {
		name string
		v    Vectors
		info Info
		want string // in the error; empty: none
	}{
		{"dense", dense(2, 2, 1, 2, 3, 4), d, ""},
		{"largest values", dense(2, 2, math.MaxFloat32, math.MaxFloat32, 3, 4), d, ""},
		{"no matrix", Vectors{}, d, "neither"},
		{"both", Vectors{Dense: &Dense{}, Sparse: &Sparse{}}, d, "at once"},
		{"sparse for dense", sparse(u(0, 0, 0), nil), d, "a sparse matrix where a dense one"},
		{"dense for sparse", dense(2, 3, 1, 2, 3, 4, 5, 6), s, "a dense matrix where a sparse one"},
		{"a row short", dense(1, 2, 1, 2), d, "1 rows for a batch of 2"},
		{"a row long", dense(3, 2, 1, 2, 3, 4, 5, 6), d, "3 rows for a batch of 2"},
		{"columns", dense(2, 3, 1, 2, 3, 4, 5, 6), d, "3 columns where the dimension is 2"},
		{"values", dense(2, 2, 1, 2, 3), d, "3 values in a matrix of 2 x 2"},
		{"NaN", dense(2, 2, 1, 2, 3, nan), d, "row 1: value 1 is NaN"},
		{"infinite", dense(2, 2, inf, 2, 3, 4), d, "row 0: value 0 is -Inf"},
		{"unit", dense(2, 2, 0.6, 0.8, 0, -1), unit, ""},
		{"not unit", dense(2, 2, 0.6, 0.8, 0, 2), unit, "row 1 has the norm 2"},
		{"zeros", dense(2, 2, 1, 0, 0, 0), d, "row 1 is all zeros"},
		{"zeros under euclidean", dense(2, 2, 1, 0, 0, 0), euclid, ""},
		{"zeros with a status", with(dense(2, 2, 1, 0, 0, 0), RowStatus{Row: 1, Status: OOV}), unit, ""},
		{"values with a status", with(dense(2, 2, 1, 0, 1, 0), RowStatus{Row: 1, Status: Empty}), d, "row 1 has a vector"},
		{"truncated", with(dense(2, 2, 1, 0, 1, 0), RowStatus{Row: 1, Status: Truncated, TokensLost: 3}), d, ""},
		{"no reason", with(dense(2, 2, 1, 0, 0, 0), RowStatus{Row: 1, Status: Failed}), d, "without a reason"},
		{"status out of range", with(dense(2, 2, 1, 0, 1, 0), RowStatus{Row: 2, Status: OOV}), d, "a status of row 2"},
		{"two statuses", with(dense(2, 2, 1, 0, 0, 0), RowStatus{Row: 1, Status: OOV}, RowStatus{Row: 1}), d, "two statuses of row 1"},
		{"unknown status", with(dense(2, 2, 1, 0, 1, 0), RowStatus{Row: 1, Status: 9}), d, "unknown status 9"},
		{"tokens", with(dense(2, 2, 1, 0, 1, 0), RowStatus{Row: 1, Status: Truncated, TokensLost: -1}), d, "lost -1 tokens"},
		{"sparse", sparse(u(0, 2, 3), u(0, 2, 1), 1, 2, 3), s, ""},
		{"sparse, empty row", with(sparse(u(0, 0, 1), u(1), 3), RowStatus{Status: OOV}), s, ""},
		{"sparse, all zeros", sparse(u(0, 0, 1), u(1), 3), s, "row 0 is all zeros"},
		{"negative", sparse(u(0, 2, 3), u(0, 2, 1), 1, -2, 3), s, "row 0 has a negative value"},
		{"pointers", sparse(u(0, 3), u(0, 2, 1), 1, 2, 3), s, "2 row pointers for 2 rows"},
		{"first pointer", sparse(u(1, 2, 3), u(0, 2, 1), 1, 2, 3), s, "first row pointer is 1"},
		{"last pointer", sparse(u(0, 2, 4), u(0, 2, 1), 1, 2, 3), s, "last row pointer says 4"},
		{"indices", sparse(u(0, 2, 3), u(0, 2), 1, 2, 3), s, "2 column indices and 3 values"},
		{"descending pointers", sparse(u(0, 9, 3), u(0, 2, 1), 1, 2, 3), s, "row 0: row pointers 0 and 9"},
		{"descending columns", sparse(u(0, 2, 3), u(2, 0, 1), 1, 2, 3), s, "row 0: column 0 after 2"},
		{"a column twice", sparse(u(0, 2, 3), u(1, 1, 1), 1, 2, 3), s, "row 0: column 1 after 1"},
		{"column out of range", sparse(u(0, 2, 3), u(0, 3, 1), 1, 2, 3), s, "row 0: column 3 of 3"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := c.v.Check(2, c.info)
			if c.want == "" {
				if err != nil {
					t.Errorf("got error %v", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want %q in it", err, c.want)
			}
		})
	}
	if err := (Vectors{Dense: &Dense{Columns: 2}}).Check(0, d); err != nil {
		t.Errorf("no rows: got error %v", err)
	}
}

func TestDescriptionCheck(t *testing.T) {
	good := func() Description {
		return Description{
			Name: "a-b2", Version: "1.2.3-rc.1", Summary: "s", Modalities: []Modality{Text, Image}, Env: []string{"API_KEY"},
			Options: append(everyType.Options[:len(everyType.Options):len(everyType.Options)], Option{Name: "path", Type: String, Required: true, Help: "h"}),
		}
	}
	if err := good().Check(); err != nil {
		t.Fatalf("a good one: %v", err)
	}
	option := func(o Option) func(*Description) { return func(d *Description) { d.Options = append(d.Options, o) } }
	cases := []struct {
		name   string
		change func(*Description)
		want   string
	}{
		{"name", func(d *Description) { d.Name = "A" }, `name "A"`},
		{"version", func(d *Description) { d.Version = "1" }, `version "1"`},
		{"summary", func(d *Description) { d.Summary = "a\nb" }, "not one line"},
		{"no modality", func(d *Description) { d.Modalities = nil }, "no modalities"},
		{"modality", func(d *Description) { d.Modalities = []Modality{"smell"} }, `modality "smell"`},
		{"modality twice", func(d *Description) { d.Modalities = []Modality{Text, Text} }, "twice"},
		{"env", func(d *Description) { d.Env = []string{"A=B"} }, `"A=B" is not a name`},
		{"option twice", option(everyType.Options[0]), `option "model" is there twice`},
		{"option name", option(Option{Name: "A", Type: Any, Help: "h"}), `option "A": a name is`},
		{"option type", option(Option{Name: "a", Type: "float", Help: "h"}), `type "float"`},
		{"help", option(Option{Name: "a", Type: Any}), "help"},
		{"default", option(Option{Name: "a", Type: Integer, Default: "x", Help: "h"}), "default must be an integer"},
		{"no default", option(Option{Name: "a", Type: Integer, Help: "h"}), "default must be an integer, not empty"},
		{"default not among the choices", option(Option{Name: "a", Type: String, Default: "x", Choices: []string{"y"}, Help: "h"}), "must be one of y"},
		{"choices of a number", option(Option{Name: "a", Type: Number, Default: 1, Choices: []string{"y"}, Help: "h"}), "has choices"},
		{"required with a default", option(Option{Name: "a", Type: Integer, Default: 1, Required: true, Help: "h"}), "no default"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d := good()
			c.change(&d)
			if err := d.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want %q in it", err, c.want)
			}
		})
	}
}

func TestDescriptionRoundTrip(t *testing.T) {
	d := Description{
		Name: "x", Version: "1.0.0", Summary: "s", Modalities: []Modality{Image, Text}, Network: true, Env: []string{"KEY"},
		Options: []Option{
			{Name: "a", Type: String, Default: "v", Help: "h", Choices: []string{"v", "w"}},
			{Name: "b", Type: Integer, Default: int64(1) << 60, Help: "h"},
			{Name: "c", Type: Number, Default: 0.1, Help: "h"},
			{Name: "d", Type: IntegerList, Default: []int64{1}, Help: "h"},
			{Name: "e", Type: StringList, Default: []string{"q"}, Help: "h"},
			{Name: "f", Type: Boolean, Default: false, Help: "h"},
			{Name: "g", Type: String, Required: true, Help: "h"},
			{Name: "t", Type: Integer, Default: int64(1), Help: "h", Tuning: true},
		},
	}
	p, err := d.toProto()
	if err != nil {
		t.Fatal(err)
	}
	back, err := DescriptionFromProto(p)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(d, back); diff != "" {
		t.Errorf("through the protocol:\n%s", diff)
	}
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var read Description
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(d, read); diff != "" {
		t.Errorf("through JSON:\n%s", diff)
	}
}

func TestFromProtoUnknown(t *testing.T) {
	p, err := everyType.toProto()
	if err != nil {
		t.Fatal(err)
	}
	p.Options[0].Type = 77
	if _, err := DescriptionFromProto(p); err == nil || !strings.Contains(err.Error(), "77 is not one of protocol 1") {
		t.Errorf("an unknown option type: got error %v", err)
	}
	i := Info{Dimension: 1, Metric: Cosine}.toProto()
	i.Metric = 99
	if _, err := InfoFromProto(i); err == nil || !strings.Contains(err.Error(), "metric 99") {
		t.Errorf("an unknown metric: got error %v", err)
	}
	if _, err := InfoFromProto(Info{Metric: Cosine}.toProto()); err == nil || !strings.Contains(err.Error(), "no dimension") {
		t.Errorf("no dimension: got error %v", err)
	}
	if _, err := InfoFromProto(nil); err == nil {
		t.Error("no info: no error")
	}
}

func TestInfoRoundTrip(t *testing.T) {
	i := Info{
		Dimension: 3, Sparse: true, Metric: Hellinger, UnitLength: true, NeedsFit: true, Words: true, MaxTokens: 512,
		Model: "m", ModelSHA256: "ab", Device: "cpu", BatchInvariant: true,
	}
	if got, err := InfoFromProto(i.toProto()); err != nil || got != i {
		t.Errorf("got %+v, %v, want %+v", got, err, i)
	}
}

func TestVectorsRoundTrip(t *testing.T) {
	for _, v := range []Vectors{
		{Dense: &Dense{Rows: 2, Columns: 2, Data: []float32{1, -2, 3.5, 0}}, Statuses: []RowStatus{{Row: 1, Status: Failed, Reason: "r"}, {Row: 0, Status: Truncated, TokensLost: 4}}},
		{Sparse: &Sparse{Rows: 2, Columns: 5, Indptr: []uint32{0, 1, 3}, Indices: []uint32{4, 0, 1}, Data: []float32{1, 2, 3}}},
		{Dense: &Dense{Columns: 7}},
	} {
		got, err := VectorsFromProto(v.toProto())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(v, got); diff != "" {
			t.Error(diff)
		}
	}
	short := (Vectors{Dense: &Dense{Rows: 1, Columns: 2, Data: []float32{1, 2}}}).toProto()
	short.GetDense().Data = short.GetDense().Data[:7]
	if _, err := VectorsFromProto(short); err == nil || !strings.Contains(err.Error(), "7 bytes in a matrix of 1 x 2 float32") {
		t.Errorf("bytes missing: got error %v", err)
	}
	if _, err := VectorsFromProto(nil); err == nil {
		t.Error("no answer: no error")
	}
}
