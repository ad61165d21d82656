package safetensors

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func file(header string, data []byte) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), data...)
}

func parse(b []byte) (*File, error) { return New(bytes.NewReader(b), int64(len(b))) }

// The values that the reference library wrote are read, each by its type.
func TestReadsTheReferenceLibrary(t *testing.T) {
	f, err := Open(filepath.Join("testdata", "types.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if want := map[string]string{"format": "np", "naïve <&>": "ünï"}; !reflect.DeepEqual(f.Metadata(), want) {
		t.Errorf("metadata %v", f.Metadata())
	}
	inf := math.Inf(1)
	floats := map[string][]float64{
		"f16":   {0, math.Copysign(0, -1), 1, -2.5, 65504, 1.0 / (1 << 24), 1023.0 / (1 << 24), inf, -inf},
		"f32":   {1.5, -2, inf, float64(float32(1e-40))},
		"f64":   {0.1, -1e300},
		"empty": {},
	}
	for name, want := range floats {
		got, _, err := f.Float64(name)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, %v; want %v", name, got, err, want)
		}
	}
	ints := map[string][]int64{
		"i64": {math.MinInt64, math.MaxInt64}, "i32": {math.MinInt32, 7}, "i16": {math.MinInt16, 7}, "i8": {-128, 127},
		"u8": {0, 255}, "u16": {0, 65535}, "u32": {0, math.MaxUint32}, "bool": {1, 0}, "scalar": {3},
	}
	for name, want := range ints {
		got, _, err := f.Int64(name)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %v; want %v", name, got, err, want)
		}
		if _, _, err := f.Float32(name); err == nil {
			t.Errorf("%s read as floating point without an error", name)
		}
	}
	if len(f.Names()) != len(floats)+len(ints) {
		t.Errorf("names: %v", f.Names())
	}
	if info, _ := f.Lookup("empty"); !reflect.DeepEqual(info.Shape, []int{0, 5}) {
		t.Errorf("shape of empty: %v", info.Shape)
	}
	if info, _ := f.Lookup("scalar"); len(info.Shape) != 0 || info.Len() != 1 {
		t.Errorf("scalar: %+v", info)
	}
	if _, _, err := f.Int64("f32"); err == nil {
		t.Error("f32 read as whole numbers without an error")
	}
	if _, _, err := f.Float32("nothing"); err == nil {
		t.Error("a missing tensor gave no error")
	}
}

func TestHalfAgreesOnEveryValue(t *testing.T) {
	for h := 0; h < 1<<16; h++ {
		exp, frac := h>>10&0x1f, h&0x3ff
		want := math.Ldexp(float64(1024+frac), exp-25)
		switch {
		case exp == 0:
			want = math.Ldexp(float64(frac), -24)
		case exp == 31 && frac == 0:
			want = math.Inf(1)
		case exp == 31:
			want = math.NaN()
		}
		if h>>15 == 1 {
			want = math.Copysign(want, -1)
		}
		got := float64(Half(uint16(h)))
		if math.Float64bits(got) != math.Float64bits(want) && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Fatalf("half %#04x is %v, want %v", h, got, want)
		}
	}
}

func tensors() []Tensor {
	big := make([]float32, 200_000)
	for i := range big {
		big[i] = float32(i)
	}
	return []Tensor{
		Uint8("u8", []uint8{1, 2, 3}),
		Float32("big", big, 1000, 200),
		Float64("pi", []float64{math.Pi}, []int{}...),
		Int32("i32", []int32{-1, 2}),
		Int64("a \"<quoted>\" name\n", []int64{-5}, 1, 1, 1),
		Raw("bf16", BF16, []byte{0x80, 0x3f, 0xc0, 0xbf}),
		Float32("none", nil, 0, 384),
	}
}

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := WriteFile(path, tensors(), map[string]string{"b": "2", "a": "1"}); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if v, info, err := f.Float32("big"); err != nil || v[199_999] != 199_999 || !reflect.DeepEqual(info.Shape, []int{1000, 200}) {
		t.Errorf("big: %v %v", info, err)
	}
	if v, info, err := f.Float64("pi"); err != nil || v[0] != math.Pi || len(info.Shape) != 0 {
		t.Errorf("pi: %v %v %v", v, info, err)
	}
	if v, _, err := f.Float32("bf16"); err != nil || v[0] != 1 || v[1] != -1.5 {
		t.Errorf("bf16: %v %v", v, err)
	}
	if v, _, err := f.Int64("a \"<quoted>\" name\n"); err != nil || v[0] != -5 {
		t.Errorf("quoted: %v %v", v, err)
	}
	if v, info, err := f.Bytes("u8"); err != nil || !bytes.Equal(v, []byte{1, 2, 3}) || info.Size() != 3 {
		t.Errorf("u8: %v %v", v, err)
	}
	for _, name := range f.Names() {
		if info := f.tensors[name]; info.size > 0 && info.offset%(info.DType.bits()/8) != 0 {
			t.Errorf("%q is not aligned: byte %d", name, info.offset)
		}
	}
	s, err := f.Section("u8")
	if b, e := io.ReadAll(s); err != nil || e != nil || len(b) != 3 {
		t.Errorf("section: %v %v", err, e)
	}
}

// The bytes do not depend on the order in which tensors are given.
func TestDeterministic(t *testing.T) {
	var a, b bytes.Buffer
	meta := map[string]string{"x": "1", "y": "2", "z": "3", "w": "4"}
	x := tensors()
	if err := Write(&a, x, meta); err != nil {
		t.Fatal(err)
	}
	for i, j := 0, len(x)-1; i < j; i, j = i+1, j-1 {
		x[i], x[j] = x[j], x[i]
	}
	if err := Write(&b, x, meta); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("the order of the tensors changes the file")
	}
}

func TestWriteRefuses(t *testing.T) {
	for name, x := range map[string][]Tensor{
		"twice":        {Int32("a", nil), Int32("a", nil)},
		"reserved":     {Int32("__metadata__", nil)},
		"wrong shape":  {Int32("a", []int32{1}, 2)},
		"negative":     {Int32("a", []int32{1}, -1, -1)},
		"not whole":    {Raw("a", F32, []byte{1, 2, 3})},
		"unknown type": {Raw("a", "F7", []byte{1})},
	} {
		if err := Write(io.Discard, x, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	good := `{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"empty file":        {nil, "too few"},
		"seven bytes":       {make([]byte, 7), "too few"},
		"huge header":       {bytes.Repeat([]byte{0xff}, 100), "not a safetensors file"},
		"header past end":   {file(good, nil)[:20], "truncated"},
		"no JSON":           {file(`hello`, nil), "not a JSON object"},
		"a list":            {file(`[]`, nil), "not a JSON object"},
		"cut JSON":          {file(`{"a":`, nil), "header"},
		"two objects":       {file(`{}{}`, nil), "more text"},
		"not UTF-8":         {file("{\"\xff\":1}", nil), "UTF-8"},
		"values missing":    {file(good, []byte{1}), "truncated"},
		"values too many":   {file(good, []byte{1, 2, 3}), "1 bytes follow"},
		"unknown dtype":     {file(strings.Replace(good, "U8", "U9", 1), []byte{1, 2}), `unknown dtype "U9"`},
		"size and shape":    {file(strings.Replace(good, "[2]", "[3]", 1), []byte{1, 2}), "do not hold"},
		"negative shape":    {file(strings.Replace(good, "[2]", "[-2]", 1), []byte{1, 2}), "out of range"},
		"overflowing shape": {file(strings.Replace(good, "[2]", "[4294967296,4294967296,2]", 1), []byte{1, 2}), "too many"},
		"no shape":          {file(`{"a":{"dtype":"U8","data_offsets":[0,2]}}`, []byte{1, 2}), "needed"},
		"offsets reversed":  {file(strings.Replace(good, "[0,2]", "[2,0]", 1), []byte{1, 2}), "do not hold"},
		"offset too large":  {file(strings.Replace(good, "[0,2]", "[0,99999999999999999999]", 1), []byte{1, 2}), "number"},
		"gap":               {file(strings.Replace(good, "[0,2]", "[1,3]", 1), []byte{1, 2, 3}), "gap"},
		"overlap":           {file(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}`, []byte{1, 2, 3}), "overlap"},
		"twice":             {file(`{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`, nil), "twice"},
		"metadata":          {file(`{"__metadata__":{"a":1}}`, nil), "map of strings"},
		"half bytes":        {file(`{"a":{"dtype":"F4","shape":[1],"data_offsets":[0,1]}}`, []byte{1}), "whole bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse(c.b)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want one with %q", err, c.want)
			}
		})
	}
	if _, err := parse(file(good, []byte{1, 2})); err != nil {
		t.Errorf("the good one: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	b, err := os.ReadFile(filepath.Join("testdata", "types.safetensors"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(file(`{"__metadata__":{},"a":{"dtype":"F4","shape":[2],"data_offsets":[0,1]}}`, []byte{1}))
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := parse(b)
		if err != nil {
			return
		}
		total := int64(0)
		for _, name := range x.Names() {
			data, info, err := x.Bytes(name)
			if err != nil || int64(len(data)) != info.Size() {
				t.Fatalf("tensor %q: %d bytes, %v", name, len(data), err)
			}
			total += info.Size()
			if v, _, err := x.Float64(name); err == nil && len(v) != info.Len() {
				t.Fatalf("tensor %q: %d values of %d", name, len(v), info.Len())
			}
			x.Int64(name)
		}
		if total > int64(len(b)) {
			t.Fatalf("%d bytes read out of %d", total, len(b))
		}
	})
}

func TestJoined(t *testing.T) {
	var one, two bytes.Buffer
	if err := Write(&one, []Tensor{Int32("x", []int32{1, 2, 3}), Float64("y", nil)}, nil); err != nil {
		t.Fatal(err)
	}
	parts := []Tensor{Joined(Int32("x", []int32{1}), Int32("x", nil), Int32("x", []int32{2, 3})), Joined(Float64("y", nil))}
	if err := Write(&two, parts, nil); err != nil || !bytes.Equal(one.Bytes(), two.Bytes()) {
		t.Errorf("in parts: %q, in one: %q; %v", two.Bytes(), one.Bytes(), err)
	}
}
