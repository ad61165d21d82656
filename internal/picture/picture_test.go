package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// bomb is a PNG file of some bytes that says that it has width x height pixels.
func bomb(width, height uint32) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 4, 4))); err != nil {
		panic(err)
	}
	file := b.Bytes()
	binary.BigEndian.PutUint32(file[16:], width)
	binary.BigEndian.PutUint32(file[20:], height)
	binary.BigEndian.PutUint32(file[29:], crc32.ChecksumIEEE(file[12:29]))
	return file
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "images", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What is no picture is an error of a kind, with a sentence that says what it is
// and what to do.
func TestErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	jpg := fixture(t, "rgb-444.jpg")
	tests := []struct {
		name, path string
		limits     Limits
		kind       Kind
		says       string
	}{
		{"missing", filepath.Join(dir, "none.png"), Limits{}, Missing, "there is no such file"},
		{"an address", "https://example.org/a.png", Limits{}, Missing, "it is an address, and only files are read"},
		{"folder", dir, Limits{}, NotAFile, "it is a folder"},
		{"empty", write("a", nil), Limits{}, NotAPicture, "the file is empty"},
		{"text", write("b.png", []byte("a line of text\n")), Limits{}, NotAPicture, "it is text"},
		{"text that begins as a BMP", write("c.bmp", []byte("BMW is a maker of cars, and this is a text.")), Limits{}, NotAPicture, "it is text"},
		{"pdf", write("d.jpg", []byte("%PDF-1.7\n\x00\x01\xff")), Limits{}, NotAPicture, "application/pdf"},
		{"heic", write("e.jpg", []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00")), Limits{}, Unsupported, "a HEIC picture, which is not read: convert it"},
		{"svg", write("f.png", []byte(`<?xml version="1.0"?><svg xmlns="x"/>`)), Limits{}, Unsupported, "an SVG drawing"},
		{"noise", write("g.png", []byte{1, 2, 3, 0, 254, 9, 8}), Limits{}, NotAPicture, "its content is not that of a picture"},
		{"damaged", write("h.png", jpg[:len(jpg)/2]), Limits{}, Damaged, "the JPEG is damaged: it ends too early"},
		{"damaged header", write("i.png", jpg[:25]), Limits{}, Damaged, "it ends too early"},
		{"bomb", write("j.png", bomb(200_000, 200_000)), Limits{}, TooLarge, "the PNG is 200000 x 200000 pixels, and max_side allows 65535"},
		{"smaller bomb", write("k.png", bomb(60_000, 60_000)), Limits{}, TooLarge, "3600000000 pixels, and max_pixels allows 100000000: raise it"},
		{"bomb within a limit", write("l.png", bomb(3000, 3000)), Limits{}, Damaged, "the PNG is damaged"},
		{"pixels", write("m.jpg", jpg), Limits{MaxPixels: 2639}, TooLarge, "60 x 44, which is 2640 pixels, and max_pixels allows 2639"},
		{"side", write("n.jpg", jpg), Limits{MaxSide: 59}, TooLarge, "max_side allows 59"},
		{"bytes", write("o.jpg", jpg), Limits{MaxFileSize: 100}, TooLarge, "max_file_size allows 100"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Open(tt.path, tt.limits)
			e, ok := errors.AsType[*Error](err)
			if !ok {
				t.Fatalf("error %v is not of the type", err)
			}
			if e.Kind != tt.kind || e.Path != tt.path || !strings.Contains(err.Error(), tt.says) || strings.Count(err.Error(), tt.path) != 1 {
				t.Errorf("kind %d: %v; want kind %d and %q", e.Kind, err, tt.kind, tt.says)
			}
			data, readErr := os.ReadFile(tt.path)
			if readErr != nil {
				return
			}
			if _, err := Decode(data, tt.limits); err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("from bytes: %v", err)
			}
		})
	}
}

func TestNoPermission(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("every file may be read here")
	}
	path := filepath.Join(t.TempDir(), "a.png")
	if err := os.WriteFile(path, fixture(t, "rgb.png"), 0); err != nil {
		t.Fatal(err)
	}
	var err error
	asNobody(t, func() { _, err = Open(path, Limits{}) })
	if e, ok := errors.AsType[*Error](err); !ok || e.Kind != NoPermission {
		t.Errorf("%v, want no permission", err)
	}
}

// All orientations, of JPEG, PNG and WebP, end in the same upright picture.
func TestOrientation(t *testing.T) {
	exif := func(n byte) []byte {
		return []byte{'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, n, 0, 0, 0, 0, 0, 0}
	}
	upright := &Image{}
	upright.resize(5, 3)
	for i := range upright.R {
		upright.R[i], upright.G[i], upright.B[i] = uint8(i), uint8(100+i), uint8(200+i)
	}
	inverse := []int{0, 1, 2, 3, 4, 5, 8, 7, 6}
	for n := 1; n <= 8; n++ {
		var lying Image
		lying.turn(upright, inverse[n])
		var b bytes.Buffer
		if err := png.Encode(&b, lying.RGBA()); err != nil {
			t.Fatal(err)
		}
		chunk := append([]byte("eXIf"), exif(byte(n))...)
		file := append([]byte(nil), b.Bytes()[:33]...) // behind IHDR
		file = binary.BigEndian.AppendUint32(file, uint32(len(chunk)-4))
		file = append(file, chunk...)
		file = binary.BigEndian.AppendUint32(file, crc32.ChecksumIEEE(chunk))
		file = append(file, b.Bytes()[33:]...)
		m, err := Decode(file, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if m.Width != 5 || interleaved(m) != interleaved(upright) {
			t.Errorf("a PNG of orientation %d is not upright", n)
		}
	}

	still := fixture(t, "lossless.webp")
	plain, err := Decode(still, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	extended := append([]byte("RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x08\x00\x00\x00\x3b\x00\x00\x2b\x00\x00"), still[12:]...)
	extended = append(extended, "EXIF\x1a\x00\x00\x00"...)
	extended = append(extended, exif(6)...)
	binary.LittleEndian.PutUint32(extended[4:], uint32(len(extended)-8))
	var want Image
	want.turn(plain, 6)
	turned, err := Decode(extended, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if turned.Width != 44 || interleaved(turned) != interleaved(&want) {
		t.Errorf("a WebP of orientation 6 is %d x %d pixels and not upright", turned.Width, turned.Height)
	}
}

// The first frame of an animated WebP counts.
func TestAnimatedWebP(t *testing.T) {
	still := fixture(t, "lossy.webp")
	plain, err := Decode(still, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	frame := append([]byte{0, 0, 0, 0, 0, 0, 59, 0, 0, 43, 0, 0, 100, 0, 0, 0}, still[12:]...)
	file := []byte("RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x02\x00\x00\x00\x3b\x00\x00\x2b\x00\x00ANIM\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	for range 2 {
		file = append(file, "ANMF\x00\x00\x00\x00"...)
		binary.LittleEndian.PutUint32(file[len(file)-4:], uint32(len(frame)))
		file = append(file, frame...)
	}
	m, err := Decode(file, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if interleaved(m) != interleaved(plain) {
		t.Error("the first frame has other pixels")
	}
}

// 16-bit gray counts by its high byte.
func TestGray16(t *testing.T) {
	g := image.NewGray16(image.Rect(0, 0, 1, 1))
	g.SetGray16(0, 0, color.Gray16{0x80ff})
	var b bytes.Buffer
	if err := png.Encode(&b, g); err != nil {
		t.Fatal(err)
	}
	m, err := Decode(b.Bytes(), Limits{})
	if err != nil || m.R[0] != 0x80 || m.G[0] != 0x80 || m.B[0] != 0x80 {
		t.Errorf("%v, %v", m, err)
	}
}

// A picture of any shape ends in pixel values, and of a long one only what is
// seen is computed.
func TestShapes(t *testing.T) {
	p, err := ParsePreprocessor([]byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	values := make([]float32, p.Len())
	w := &Worker{}
	for _, size := range [][2]int{{1, 1}, {1, 20_000}, {20_000, 1}, {65_535, 2}, {3, 224}, {224, 224}} {
		m := &Image{}
		m.resize(size[0], size[1])
		m.fill(255)
		p.Pixels(values, m, w)
		for i, v := range values {
			if c := i / (224 * 224); v != p.values[c][255] {
				t.Fatalf("%v: value %d is %v, want %v", size, i, v, p.values[c][255])
			}
		}
	}
}

// A picture that is left lying has the pixel values of the upright one, to the
// last bit, whatever the settings.
func TestLying(t *testing.T) {
	src, err := Open(filepath.Join("testdata", "images", "rgb.png"), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	w := &Worker{}
	for _, text := range []string{
		`{}`, `{"size": 20, "crop_size": 20}`, `{"size": 20, "crop_size": {"height": 30, "width": 26}, "resample": 1}`, `{"do_resize": false, "crop_size": 40}`,
		`{"image_processor_type": "SiglipImageProcessor", "size": {"height": 20, "width": 90}}`, `{"image_processor_type": "ViTImageProcessor", "size": {"height": 90, "width": 20}}`,
		`{"image_processor_type": "ViTImageProcessor", "size": {"height": 44, "width": 30}}`, `{"image_processor_type": "ViTImageProcessor", "size": {"height": 70, "width": 60}, "resample": 0}`,
	} {
		p, err := ParsePreprocessor([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		for turn := 1; turn <= 8; turn++ {
			var upright Image
			upright.turn(src, turn)
			want, got := make([]float32, p.Len()), make([]float32, p.Len())
			p.Pixels(want, &upright, w)
			lying := *src
			lying.Turn = turn
			p.Pixels(got, &lying, w)
			if !slices.Equal(got, want) {
				t.Errorf("%s: orientation %d has other pixel values", text, turn)
			}
		}
	}
	d := &Decoder{Lying: true}
	m, err := d.Open(filepath.Join("testdata", "images", "exif-6.jpg"))
	if err != nil || m.Turn != 6 || m.Width != 44 {
		t.Errorf("%+v, %v", m.Turn, err)
	}
	if m, err = d.Open(filepath.Join("testdata", "images", "rgb.png")); err != nil || m.Turn != 0 {
		t.Errorf("%+v, %v", m.Turn, err)
	}
}

func TestPreprocessorSettings(t *testing.T) {
	for text, want := range map[string]string{
		`{}`: "224 224",
		`{"size": 336, "crop_size": 336, "feature_extractor_type": "CLIPFeatureExtractor"}`:              "336 336",
		`{"image_processor": {"size": {"shortest_edge": 40}, "crop_size": {"height": 30, "width": 32}}}`: "32 30",
		`{"image_processor_type": "SiglipImageProcessor", "size": {"height": 384, "width": 384}}`:        "384 384",
		`{"image_processor_type": "ViTImageProcessorFast", "size": 96}`:                                  "96 96",
		`[]`:                                  "it is not a JSON object",
		`{"resample": 9}`:                     "resample is 9, which is not a filter of Pillow",
		`{"do_pad": true}`:                    "do_pad is true, which is a step that is not known",
		`{"crop_pct": 0.9}`:                   "crop_pct",
		`{"image_std": [1, 0, 1]}`:            "image_std",
		`{"image_mean": [1]}`:                 "three numbers",
		`{"size": {"longest_edge": 3}}`:       "size has longest_edge, which is not known",
		`{"size": -1}`:                        "a side must be from 1",
		`{"size": {"height": 3}}`:             "height and width",
		`{"size": "x"}`:                       "it must be a number",
		`{"do_center_crop": false}`:           "pictures would be of different sizes",
		`{"crop_size": {"shortest_edge": 4}}`: "crop_size has a shortest_edge",
		`{"image_processor_type": "ConvNextImageProcessor"}`: "ConvNextImageProcessor, which is not known; those known are CLIP",
	} {
		p, err := ParsePreprocessor([]byte(text))
		switch {
		case err != nil && !strings.Contains(err.Error(), want):
			t.Errorf("%s: %v, want %q", text, err, want)
		case err == nil:
			if got := strings.Trim(strings.Join(strings.Fields(image.Pt(p.Width, p.Height).String()), ""), "()"); strings.ReplaceAll(got, ",", " ") != want {
				t.Errorf("%s: %s, want %s", text, got, want)
			}
		}
	}
}

func TestThumbnail(t *testing.T) {
	m, err := Open(filepath.Join("testdata", "images", "large.jpg"), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	small := Thumbnail(m, 64)
	if b := small.Bounds(); b.Dx() != 64 || b.Dy() != 41 {
		t.Errorf("a thumbnail of %v", b)
	}
	raw, err := JPEGBytes(small, 80)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Decode(raw, Limits{}); err != nil || again.Width != 64 || len(raw) > 5000 {
		t.Errorf("%d bytes: %v", len(raw), err)
	}
	if tiny := Thumbnail(m, 1000); tiny.Bounds() != m.Bounds() {
		t.Error("a small picture was made larger")
	}
}

// FuzzDecode: whatever the bytes, no panic and no memory without end.
func FuzzDecode(f *testing.F) {
	names, err := filepath.Glob(filepath.Join("testdata", "images", "*"))
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if len(b) < 2000 {
			f.Add(b)
		}
	}
	l := Limits{MaxPixels: 1 << 20}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Decode(data, l)
		if err == nil && (len(m.R) != m.Width*m.Height || len(m.G) != len(m.R) || len(m.B) != len(m.R)) {
			t.Errorf("%d values for %d x %d pixels", len(m.R), m.Width, m.Height)
		}
	})
}

// FuzzPreprocessor: settings of any content are refused or work.
func FuzzPreprocessor(f *testing.F) {
	f.Add([]byte(`{"size": {"shortest_edge": 40}, "crop_size": 20, "resample": 1}`))
	f.Add([]byte(`{"image_processor": {"do_resize": false}}`))
	m := &Image{}
	m.resize(7, 5)
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ParsePreprocessor(text)
		if err != nil || p.Len() > 1<<20 {
			return
		}
		p.Pixels(make([]float32, p.Len()), m, &Worker{})
	})
}

// What is reserved for a picture follows from its header.
func TestReserve(t *testing.T) {
	var got int64
	d := &Decoder{Lying: true, Reserve: func(n int64) error { got = n; return nil }}
	const pixels = 60 * 44
	for name, want := range map[string]int64{"rgb-420.jpg": pixels * 45 / 10, "rgb-444.jpg": pixels * 6, "rgb-progressive.jpg": pixels * 75 / 10, "gray.jpg": pixels * 4, "rgb.png": pixels * 4, "still.gif": pixels * 4} {
		if _, err := d.Open(filepath.Join("testdata", "images", name)); err != nil || got != want {
			t.Errorf("%s: %d bytes, want %d, %v", name, got, want, err)
		}
	}
	d.Reserve = func(int64) error { return os.ErrDeadlineExceeded }
	if _, err := d.Open(filepath.Join("testdata", "images", "rgb.png")); err != os.ErrDeadlineExceeded {
		t.Errorf("%v", err)
	}
}

// A panic of a decoder is an error of its picture alone.
func TestPanic(t *testing.T) {
	e := (&Decoder{}).protect(TIFF, func() error { panic("index out of range") })
	if e == nil || e.Kind != Damaged || !strings.Contains(e.Error(), "the TIFF is damaged: its decoder stopped: index out of range") {
		t.Error(e)
	}
}
