package host

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/bertopic-go/bertopic/sdk"
)

const (
	maxBatch = 16<<20 - 64<<10 // bytes of rows in a request of several
	maxRow   = 64<<20 - 64<<10 // bytes of a row, which then goes alone
	overhead = 16              // bytes that a field takes beside its content, at most
)

// rowSize is what a row takes in a request, at most.
func rowSize(r sdk.Row) int {
	n := overhead + len(r.Text)
	for _, m := range r.Images {
		n += 2*overhead + len(m.Path) + len(m.Data)
	}
	return n + overhead
}

// clean returns a row that can cross: text in valid UTF-8 (U+FFFD stands for
// what is not) and absolute paths. It reports whether the text had to be
// changed. The row that it is given stays as it is.
func clean(r sdk.Row) (sdk.Row, bool) {
	changed := false
	if !utf8.ValidString(r.Text) {
		r.Text, changed = strings.ToValidUTF8(r.Text, "\uFFFD"), true
	}
	copied := false
	for i, m := range r.Images {
		whole := filepath.IsAbs(m.Path) || strings.Contains(m.Path, "://") // an address is no file, and the embedder says so
		if m.Path == "" || whole && utf8.ValidString(m.Path) {
			continue
		}
		if !copied {
			r.Images, copied = append([]sdk.ImageSource(nil), r.Images...), true
		}
		if abs, err := filepath.Abs(m.Path); err == nil {
			m.Path = abs
		}
		if !utf8.ValidString(m.Path) {
			// Such a name can't cross; the file's bytes can.
			if data, err := os.ReadFile(m.Path); err == nil {
				m.Data, m.Path = data, ""
			} else {
				m.Path = strings.ToValidUTF8(m.Path, "\uFFFD")
			}
		}
		r.Images[i] = m
	}
	return r, changed
}

// contentKey names the content of a row. Two rows of one key get one vector.
type contentKey [sha256.Size]byte

// keyer makes content keys.
type keyer struct {
	h   hash.Hash
	buf []byte
}

func newKeyer() *keyer { return &keyer{h: sha256.New()} }

// key hashes the text and, for each picture, its bytes or its path with the
// size and time of the file, so that a picture that was changed is another one.
// Every part comes with its length: no two contents are written alike.
func (k *keyer) key(r sdk.Row) contentKey {
	k.h.Reset()
	k.buf = append(k.buf[:0], 1, 0) // version of this layout
	if r.HasText {
		k.buf[1] = 1
	}
	k.str(r.Text)
	k.num(int64(len(r.Images)))
	for _, m := range r.Images {
		k.str(m.Path)
		if m.Path == "" {
			k.num(int64(len(m.Data)))
			k.flush()
			k.h.Write(m.Data)
			continue
		}
		if st, err := os.Stat(m.Path); err == nil {
			k.num(st.Size())
			k.num(st.ModTime().UnixNano())
		} else {
			k.num(-1)
		}
	}
	k.flush()
	var key contentKey
	k.h.Sum(key[:0])
	return key
}

func (k *keyer) num(n int64) { k.buf = binary.LittleEndian.AppendUint64(k.buf, uint64(n)) }
func (k *keyer) flush()      { k.h.Write(k.buf); k.buf = k.buf[:0] }

func (k *keyer) str(s string) {
	k.num(int64(len(s)))
	const short = 256
	if len(s) <= short {
		k.buf = append(k.buf, s...)
		return
	}
	k.flush()
	k.h.Write(unsafe.Slice(unsafe.StringData(s), len(s))) // which only reads it
}
