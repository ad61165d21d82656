package picture

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// expected is testdata/expected.json.gz.
type expected struct {
	Settings map[string]json.RawMessage
	Pictures map[string]struct {
		Error       string
		Size        [2]int
		RGB         string
		Resized     map[string]string
		PixelValues string `json:"pixel_values"`
	}
}

func readGolden(t testing.TB, name string, into any) {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(z).Decode(into); err != nil {
		t.Fatal(err)
	}
}

// interleaved is the SHA-256 of m's pixels as Pillow lays them out.
func interleaved(m *Image) string {
	b := make([]byte, 0, 3*len(m.R))
	for i, r := range m.R {
		b = append(b, r, m.G[i], m.B[i])
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Pictures in every odd format have Pillow's pixels, bit for bit: JPEG included,
// whose decoding no standard lays down to the last bit.
func TestPicturesArePillows(t *testing.T) {
	var want expected
	readGolden(t, "expected.json.gz", &want)
	if len(want.Pictures) != 43 {
		t.Fatalf("%d pictures, want 43", len(want.Pictures))
	}
	d := &Decoder{} // one for all: what it keeps must not show
	for name, w := range want.Pictures {
		m, err := d.Open(filepath.Join("testdata", "images", name))
		switch {
		case w.Error != "" && err == nil:
			t.Errorf("%s is read, where Pillow says %s", name, w.Error)
		case w.Error != "":
		case err != nil:
			t.Error(err)
		case m.Width != w.Size[0] || m.Height != w.Size[1]:
			t.Errorf("%s is %d x %d pixels, want %v", name, m.Width, m.Height, w.Size)
		case interleaved(m) != w.RGB:
			t.Errorf("%s has other pixels than in Pillow", name)
		}
	}
}

// Resized pictures have the bytes of transformers' image processor, bit for bit,
// with every filter, larger and smaller, cropped and padded.
func TestResizedPicturesAreTransformers(t *testing.T) {
	var want expected
	readGolden(t, "expected.json.gz", &want)
	d, w := &Decoder{}, &Worker{}
	for name, e := range want.Pictures {
		if e.Error != "" {
			continue
		}
		m, err := d.Open(filepath.Join("testdata", "images", name))
		if err != nil {
			t.Error(err)
			continue
		}
		for setting, text := range want.Settings {
			plain := strings.TrimSuffix(string(text), "}") + `, "do_rescale": false, "do_normalize": false}`
			p, err := ParsePreprocessor([]byte(plain))
			if err != nil {
				t.Fatal(err)
			}
			values := make([]float32, p.Len())
			p.Pixels(values, m, w)
			b := make([]byte, len(values))
			for i, v := range values {
				b[i] = byte(v)
			}
			if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != e.Resized[setting] {
				t.Errorf("%s, %s: other bytes", name, setting)
			}
		}
		if e.PixelValues == "" {
			continue
		}
		p, err := ParsePreprocessor(want.Settings["padded"])
		if err != nil {
			t.Fatal(err)
		}
		values := make([]float32, p.Len())
		p.Pixels(values, m, w)
		raw, err := base64.StdEncoding.DecodeString(e.PixelValues)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range values {
			x := math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
			if math.Abs(float64(v-x)) > 1e-6 { // numpy divides in another order
				t.Fatalf("%s: pixel value %d is %v, want %v", name, i, v, x)
			}
		}
	}
}

// Small JPEG files of every sampling, also progressive and with restarts, have
// libjpeg's pixels.
func TestJPEGsAreLibjpegs(t *testing.T) {
	for _, mode := range kernelModes() {
		t.Run(mode.name, func(t *testing.T) {
			mode.use(t)
			var want []struct {
				Data []byte
				RGB  string
			}
			readGolden(t, "jpegs.json.gz", &want)
			if len(want) != 260 {
				t.Fatalf("%d files, want 260", len(want))
			}
			d := &Decoder{}
			for i, w := range want {
				m, err := d.Decode(w.Data)
				if err != nil {
					t.Errorf("file %d: %v", i, err)
				} else if interleaved(m) != w.RGB {
					t.Errorf("file %d, %d x %d, has other pixels", i, m.Width, m.Height)
				}
				// Whatever is cut off, an error comes of it and not a panic.
				for cut := range len(w.Data) - 2 {
					if cut > 40 && cut%7 > 0 {
						continue
					}
					if _, err := d.Decode(w.Data[:cut]); err == nil && !bytes.HasSuffix(w.Data[:cut+2], []byte{0xff, 0xd9}) {
						t.Fatalf("file %d is read though cut off at byte %d of %d", i, cut, len(w.Data))
					}
				}
			}
		})
	}
}
