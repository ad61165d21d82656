package sdk

import (
	"bytes"
	"math"
	"slices"
	"testing"
)

// The views say what the portable loops say, aligned or not.
func TestViews(t *testing.T) {
	s := []float32{0, 1, -1, math.MaxFloat32, math.SmallestNonzeroFloat32, float32(math.Inf(1))}
	b := encode(s)
	if want := []byte{0, 0, 0x80, 0x3f}; !bytes.Equal(b[4:8], want) {
		t.Fatalf("1 is % x, want % x", b[4:8], want)
	}
	if !bytes.Equal(bytesOf(s), b) {
		t.Error("bytesOf differs from encode")
	}
	for offset := range 4 {
		shifted := append(make([]byte, offset), b...)[offset:]
		if got := wordsOf[float32](shifted); !slices.Equal(got, s) {
			t.Errorf("offset %d: got %v", offset, got)
		}
		if got := decode[float32](shifted); !slices.Equal(got, s) {
			t.Errorf("offset %d: decode: got %v", offset, got)
		}
	}
	u := []uint32{0, 1, math.MaxUint32}
	if !bytes.Equal(bytesOf(u), encode(u)) || !slices.Equal(wordsOf[uint32](encode(u)), u) || !slices.Equal(decode[uint32](encode(u)), u) {
		t.Error("uint32 differs")
	}
	if bytesOf[float32](nil) != nil || wordsOf[float32](nil) != nil {
		t.Error("nothing became something")
	}
}
