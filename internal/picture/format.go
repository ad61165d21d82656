package picture

import (
	"bytes"
	"net/http"
	"strings"
	"unicode/utf8"
)

// Format is a kind of file that is read.
type Format string

// The formats.
const (
	JPEG Format = "JPEG"
	PNG  Format = "PNG"
	GIF  Format = "GIF"
	WebP Format = "WebP"
	BMP  Format = "BMP"
	TIFF Format = "TIFF"
)

// readable are the beginnings of the files that are read.
var readable = []struct {
	magic  string
	format Format
}{
	{"\xff\xd8\xff", JPEG},
	{"\x89PNG\r\n\x1a\n", PNG},
	{"GIF87a", GIF},
	{"GIF89a", GIF},
	{"BM", BMP},
	{"II*\x00", TIFF},
	{"MM\x00*", TIFF},
}

// others are the beginnings of pictures that are not read.
var others = []struct{ magic, name string }{
	{"\xff\x0a", "a JPEG XL picture"},
	{"\x00\x00\x00\x0cJXL ", "a JPEG XL picture"},
	{"\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"},
	{"\xff\x4f\xff\x51", "a JPEG 2000 picture"},
	{"8BPS", "a Photoshop picture"},
	{"\x00\x00\x01\x00", "an icon file"},
	{"II+\x00", "a BigTIFF picture"},
	{"MM\x00+", "a BigTIFF picture"},
	{"v/1\x01", "an OpenEXR picture"},
	{"qoif", "a QOI picture"},
}

// brands are those of pictures in the file format of ISO base media.
var brands = map[string]string{
	"heic": "a HEIC picture", "heix": "a HEIC picture", "hevc": "a HEIC picture", "mif1": "a HEIF picture", "msf1": "a HEIF picture",
	"avif": "an AVIF picture", "avis": "an AVIF picture",
}

// Sniff tells the format by the content. The error says what else it is.
func Sniff(data []byte) (Format, error) {
	f, e := sniff(data)
	if e != nil {
		return "", e
	}
	return f, nil
}

func sniff(data []byte) (Format, *Error) {
	if len(data) == 0 {
		return "", fault(NotAPicture, "the file is empty")
	}
	for _, r := range readable {
		if bytes.HasPrefix(data, []byte(r.magic)) && (r.format != BMP || len(data) > 13 && looksLikeBMP(data)) {
			return r.format, nil
		}
	}
	if len(data) >= 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP" {
		return WebP, nil
	}
	for _, o := range others {
		if bytes.HasPrefix(data, []byte(o.magic)) {
			return "", unsupported(o.name)
		}
	}
	if len(data) >= 12 && string(data[4:8]) == "ftyp" {
		if name, ok := brands[string(data[8:12])]; ok {
			return "", unsupported(name)
		}
	}
	head := data[:min(len(data), 512)]
	if bytes.Contains(head, []byte("<svg")) {
		return "", unsupported("an SVG drawing")
	}
	if utf8.Valid(trimRune(head)) && bytes.IndexByte(head, 0) < 0 {
		return "", fault(NotAPicture, "it is text, not a picture")
	}
	kind, _, _ := strings.Cut(http.DetectContentType(head), ";")
	if kind != "application/octet-stream" {
		return "", fault(NotAPicture, "it is %s by its content, not a picture that is read (JPEG, PNG, GIF, WebP, BMP, TIFF)", kind)
	}
	return "", fault(NotAPicture, "its content is not that of a picture (JPEG, PNG, GIF, WebP, BMP, TIFF)")
}

func unsupported(name string) *Error {
	return fault(Unsupported, "it is %s, which is not read: convert it to JPEG, PNG or WebP", name)
}

// looksLikeBMP keeps words that begin with BM from being pictures: the offset
// of the pixels lies behind the two headers, and four reserved bytes are zeros.
func looksLikeBMP(data []byte) bool {
	offset := uint32(data[10]) | uint32(data[11])<<8 | uint32(data[12])<<16 | uint32(data[13])<<24
	return offset >= 14+12 && offset < 1<<20 && data[6] == 0 && data[7] == 0 && data[8] == 0 && data[9] == 0
}

// trimRune cuts off a character that was cut in two.
func trimRune(b []byte) []byte {
	for n := 0; n < utf8.UTFMax && len(b) > 0; n++ {
		if r, size := utf8.DecodeLastRune(b); r != utf8.RuneError || size > 1 {
			break
		}
		b = b[:len(b)-1]
	}
	return b
}
