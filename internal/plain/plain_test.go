package plain

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"
)

func check[T Number](t *testing.T, v []T) {
	t.Helper()
	var want, got bytes.Buffer
	if err := binary.Write(&want, binary.LittleEndian, v); err != nil {
		t.Fatal(err)
	}
	if err := Write(&got, v); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want.Bytes()) {
		t.Errorf("%d values of %T: other bytes than encoding/binary's", len(v), v)
	}
}

func TestWrite(t *testing.T) {
	check(t, []float32(nil))
	check(t, []float32{1, -0.5, float32(math.Inf(1)), math.SmallestNonzeroFloat32})
	check(t, []uint8{1, 2, 255})
	check(t, []int32{-1, math.MinInt32, 7})
	check(t, []int64{-1, math.MaxInt64})
	long := make([]float64, chunk/8*2+3)
	for i := range long {
		long[i] = float64(i) / 3
	}
	check(t, long)
	defer func(was bool) { LittleEndian = was }(LittleEndian)
	LittleEndian = false // as where numbers lie the other way round
	check(t, long)
}
