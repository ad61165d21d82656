package picture

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image/png"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/zlib"
)

// pngFile makes a file of random rows, with every filter.
func pngFile(r *rand.Rand, width, height, depth int, kind byte, extra func(add func(kind string, content []byte))) []byte {
	out := []byte("\x89PNG\r\n\x1a\n")
	add := func(kind string, content []byte) {
		out = binary.BigEndian.AppendUint32(out, uint32(len(content)))
		start := len(out)
		out = append(append(out, kind...), content...)
		out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[start:]))
	}
	header := binary.BigEndian.AppendUint32(nil, uint32(width))
	header = binary.BigEndian.AppendUint32(header, uint32(height))
	add("IHDR", append(header, byte(depth), kind, 0, 0, 0))
	if kind == pngPalette {
		add("PLTE", noise(r, 3*min(1<<depth, 200)))
	}
	if extra != nil {
		extra(add)
	}
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	length := (width*pngSamples[kind]*depth + 7) / 8
	for y := range height {
		row := append([]byte{byte(y % 5)}, noise(r, length)...)
		if _, err := w.Write(row); err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	packed := b.Bytes()
	cut := len(packed) / 2
	add("IDAT", packed[:cut])
	add("IDAT", packed[cut:])
	add("IEND", nil)
	return out
}

// Every kind of pixel, with every filter and transparency, is what the standard
// library and takeAt make of it.
func TestPNG(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	d := &Decoder{}
	for kind, depths := range map[byte][]int{pngGray: {1, 2, 4, 8, 16}, pngRGB: {8, 16}, pngPalette: {1, 2, 4, 8}, pngGrayAlpha: {8, 16}, pngRGBA: {8, 16}} {
		for _, depth := range depths {
			for _, width := range []int{1, 2, 3, 7, 8, 9, 40} {
				for _, transparent := range []bool{false, true} {
					file := pngFile(r, width, 1+r.IntN(12), depth, kind, func(add func(string, []byte)) {
						switch {
						case !transparent:
						case kind == pngPalette:
							add("tRNS", noise(r, 1+r.IntN(1<<depth)))
						case kind == pngGray:
							add("tRNS", []byte{0, byte(r.IntN(1 << min(depth, 8)))})
						case kind == pngRGB:
							add("tRNS", []byte{0, 3, 0, 4, 0, 5})
						}
					})
					decoded, err := png.Decode(bytes.NewReader(file))
					if err != nil {
						t.Fatalf("kind %d, %d bits: %v", kind, depth, err)
					}
					var want Image
					want.resize(decoded.Bounds().Dx(), decoded.Bounds().Dy())
					want.takeAt(decoded, 0, 0)
					got, err := d.Decode(file)
					if err != nil || interleaved(got) != interleaved(&want) {
						t.Fatalf("kind %d, %d bits, %d wide, transparency %v: other pixels, %v", kind, depth, width, transparent, err)
					}
				}
			}
		}
	}
}

// Whatever is cut off or changed in a PNG file is found.
func TestDamagedPNG(t *testing.T) {
	file := pngFile(rand.New(rand.NewPCG(5, 6)), 20, 20, 8, pngRGB, nil)
	d := &Decoder{}
	if _, err := d.Decode(file); err != nil {
		t.Fatal(err)
	}
	for cut := range len(file) - 20 { // all but the end mark, without which the picture is whole
		if _, err := d.Decode(file[:cut]); err == nil {
			t.Fatalf("a file that was cut off at byte %d of %d is read", cut, len(file))
		}
	}
	for at := range len(file) - 12 {
		bad := bytes.Clone(file)
		bad[at] ^= 0x10
		if _, err := d.Decode(bad); err == nil {
			t.Fatalf("a file with another byte %d is read", at)
		}
	}
}
