package picture

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
)

// kernelMode is a set of inner loops.
type kernelMode struct {
	name string
	use  func(t testing.TB)
}

func kernelModes() []kernelMode {
	return []kernelMode{{"fast", func(testing.TB) {}}, {"go", useGo}}
}

// useGo takes the loops in Go until the test ends.
func useGo(t testing.TB) {
	across, down, inverse, b, d, rgb := resizeAcross, resizeDown, inverseBlock, blend, double, toRGB
	t.Cleanup(func() {
		resizeAcross, resizeDown, inverseBlock, blend, double, toRGB = across, down, inverse, b, d, rgb
	})
	resizeAcross, resizeDown, inverseBlock = resizeAcrossGo, resizeDownGo, inverseBlockGo
	blend, double, toRGB = blendGo, doubleGo, toRGBGo
}

func noise(r *rand.Rand, n int) []uint8 {
	out := make([]uint8, n)
	for i := range out {
		out[i] = uint8(r.Uint32())
	}
	return out
}

// The loops in assembly give the bits of those in Go, at every length.
func TestKernelsAreEqual(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		n := 1 + r.IntN(150)
		x, y, z := noise(r, n), noise(r, n), noise(r, n)
		var got, want [3][]uint8
		for i := range got {
			got[i], want[i] = make([]uint8, n), make([]uint8, n)
		}
		toRGB(got[0], got[1], got[2], x, y, z)
		toRGBGo(want[0], want[1], want[2], x, y, z)
		for i := range got {
			if !bytes.Equal(got[i], want[i]) {
				t.Fatalf("toRGB of %d pixels differs in channel %d", n, i)
			}
		}

		sum, sumGo := make([]uint16, n+2), make([]uint16, n+2)
		blend(sum[1:], x, y)
		blendGo(sumGo[1:], x, y)
		if !slices.Equal(sum, sumGo) {
			t.Fatalf("blend of %d samples differs", n)
		}
		twice, twiceGo := make([]uint8, 2*n), make([]uint8, 2*n)
		double(twice, sum, 8, 7, 4)
		doubleGo(twiceGo, sum, 8, 7, 4)
		if !bytes.Equal(twice, twiceGo) {
			t.Fatalf("double of %d sums differs", n)
		}

		var b [64]int16
		var q [64]int32
		for i := range b {
			if r.IntN(3) == 0 {
				b[i] = int16(r.IntN(2048) - 1024)
			}
			q[i] = int32(1 + r.IntN(60))
		}
		block, blockGo := make([]uint8, 8*11), make([]uint8, 8*11)
		inverseBlock(block, 11, &b, &q)
		inverseBlockGo(blockGo, 11, &b, &q)
		if !bytes.Equal(block, blockGo) {
			t.Fatal("inverseBlock differs")
		}

		w, h, out := 1+r.IntN(200), 1+r.IntN(12), 1+r.IntN(120)
		var across taps
		across.plan(w, out, 0, out, Filter(1+r.IntN(5)), r.IntN(2) > 0)
		src := noise(r, w*h)
		rows, rowsGo := make([]uint8, out*h), make([]uint8, out*h)
		resizeAcross(rows, src, w, &across)
		resizeAcrossGo(rowsGo, src, w, &across)
		if !bytes.Equal(rows, rowsGo) {
			t.Fatalf("resizeAcross of %d to %d pixels differs", w, out)
		}
		var down taps
		down.plan(h, out, 0, out, Bicubic, r.IntN(2) > 0)
		for y, first := range down.first {
			weights := down.weights[y*down.size : (y+1)*down.size]
			if w > len(rows) {
				break
			}
			resizeDown(rows[:w], src[int(first)*w:], w, weights)
			resizeDownGo(rowsGo[:w], src[int(first)*w:], w, weights)
			if !bytes.Equal(rows[:w], rowsGo[:w]) {
				t.Fatalf("resizeDown of %d to %d rows differs", h, out)
			}
		}
	}
}

// The quick way of a block with one coefficient gives what the long one does.
func TestFlatBlocks(t *testing.T) {
	for dc := -1024; dc < 1024; dc++ {
		for _, quant := range []int32{1, 3, 8, 16} { // what fits 15 bits, as in any real file
			b, q := [64]int16{int16(dc)}, [64]int32{quant}
			var quick, long [64]uint8
			inverse(quick[:], 8, &b, &q, 0)
			inverseBlockGo(long[:], 8, &b, &q)
			if quick != long {
				t.Fatalf("%d times %d differs", dc, quant)
			}
		}
	}
}
