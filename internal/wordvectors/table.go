package wordvectors

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"os"

	"github.com/bertopic-go/bertopic/internal/mapfile"
)

// Options say how to open a file. The zero value will do.
type Options struct {
	CacheDir string // folder of what is made once; "" makes it anew each time, in a temporary folder
	Words    string // list of words that goes with a .npy file; "": looked for beside it
	Encoding string // of the words, by its IANA name; "": UTF-8
	Threads  int    // 0: all cores; changes no result
	// Making is told, before the first opening of a file, that something is made.
	Making func(what string)
}

// Info is what a file is.
type Info struct {
	Format     string // in words
	Rows, Dim  int    // rows, duplicates too
	Words      int    // different ones
	Duplicates int    // rows that are not reached, since an earlier one has their word
	Invalid    int    // words that are no text in the encoding: no text holds them
	SHA256     string // of the content of all files that were read
	Subwords   bool   // unknown words have a vector, too
	Made       bool   // something was made for the cache
}

// Table is an open file. It is safe for concurrent use; Close ends every use.
type Table struct {
	Info Info

	index   mapped // of the cache
	source  mapped // of the vectors, where they stay in the user's file
	words   []byte
	wordEnd []byte // uint64 by row
	slots   []byte // of the hash table, slotSize bytes each
	mask    uint64
	vectors []byte // holds all vectors
	at      []byte // uint64 by row: where its vector begins; nil: base + row x stride
	base    int64
	rows    int // of vectors; n-grams' too
	grams   *grams
	temp    string // folder to remove
}

type mapped struct{ data []byte }

// mapFile maps a file in which words are looked up here and there.
func mapFile(f *os.File, size int64) ([]byte, error) {
	data, err := mapfile.Map(f, size)
	mapfile.Scattered(data)
	return data, err
}

// Close unmaps the files.
func (t *Table) Close() error {
	err := errors.Join(mapfile.Unmap(t.index.data), mapfile.Unmap(t.source.data))
	t.index, t.source, t.slots = mapped{}, mapped{}, nil
	if t.temp != "" {
		err = errors.Join(err, os.RemoveAll(t.temp))
	}
	return err
}

// Lookup returns the row of a word.
func (t *Table) Lookup(word string) (row int, ok bool) {
	if len(t.slots) == 0 { // closed
		return 0, false
	}
	first, last := ends(word)
	return t.lookup(word, first, last, hashWord(word, first, last))
}

func (t *Table) lookup(word string, first, last, hash uint64) (row int, ok bool) {
	n := uint16(len(word))
	if len(word) > maxWord {
		return 0, false
	}
	for i, tries := hash&t.mask, uint64(0); tries <= t.mask; i, tries = (i+1)&t.mask, tries+1 {
		slot := t.slots[slotSize*i : slotSize*i+slotSize]
		r := le.Uint32(slot[16:])
		if r == 0 {
			return 0, false
		}
		if le.Uint64(slot) == first && le.Uint64(slot[8:]) == last && le.Uint16(slot[20:]) == n && int(r) <= t.Info.Rows &&
			(n <= 16 || t.lies(word, le.Uint64(slot[24:]))) {
			return int(r) - 1, true
		}
	}
	return 0, false
}

// lies tells whether a word is the one that begins at a byte of all words.
func (t *Table) lies(word string, at uint64) bool {
	return at <= uint64(len(t.words)) && uint64(len(word)) <= uint64(len(t.words))-at && string(t.words[at:at+uint64(len(word))]) == word
}

// Word returns the word of a row, nil for none. It is valid until Close and must
// not be written to.
func (t *Table) Word(row int) []byte {
	if row < 0 || row >= t.Info.Rows {
		return nil
	}
	var lo uint64
	if row > 0 {
		lo = binary.LittleEndian.Uint64(t.wordEnd[8*(row-1):])
	}
	hi := binary.LittleEndian.Uint64(t.wordEnd[8*row:])
	if lo > hi || hi > uint64(len(t.words)) { // a cache that was spoilt
		return nil
	}
	return t.words[lo:hi]
}

// raw returns the bytes of the vector that lies at a row. A row that a spoilt
// cache has out of bounds gives zeros.
func (t *Table) raw(row int) []byte {
	n := int64(4 * t.Info.Dim)
	off := t.Place(row)
	if off < 0 {
		return make([]byte, n)
	}
	return t.vectors[off : off+n]
}

// Place returns where the vector of a row begins, -1 where a spoilt cache has it out
// of bounds.
func (t *Table) Place(row int) int64 {
	n := int64(4 * t.Info.Dim)
	off := t.base + int64(row)*n
	if t.at != nil {
		off = int64(binary.LittleEndian.Uint64(t.at[8*row:]))
	}
	if off < 0 || off > int64(len(t.vectors))-n {
		return -1
	}
	return off
}

// Compose tells whether a vector is made of several, which takes its time.
func (t *Table) Compose() bool { return t.grams != nil && t.grams.Composed }

// AppendTo appends the vector of a row, which is in 0..Rows-1.
func (t *Table) AppendTo(dst []float32, row int) []float32 {
	if t.Compose() {
		return t.composeTo(dst, string(t.Word(row)), row)
	}
	return appendFloats(dst, t.raw(row))
}

func appendFloats(dst []float32, raw []byte) []float32 {
	for ; len(raw) >= 4; raw = raw[4:] {
		dst = append(dst, math.Float32frombits(binary.LittleEndian.Uint32(raw)))
	}
	return dst
}

// Add adds weight times the vector of a row to sum, which has Dim values. The
// bits are the same on every processor.
func (t *Table) Add(sum []float64, row int, weight float64) {
	if t.Compose() {
		for j, x := range t.AppendTo(make([]float32, 0, t.Info.Dim), row) {
			sum[j] += float64(weight * float64(x))
		}
		return
	}
	if place := t.Place(row); place >= 0 {
		addRows(sum, t.vectors, []int64{place, rowsAhead: 0}[:1], []float64{weight})
	}
}

// ends are the first and the last bytes of a word, which overlap in a short one.
// With its length they are all of a word of 16 bytes or less. They are read
// without a loop, whose end a processor guesses wrong.
func ends[T string | []byte](word T) (first, last uint64) {
	switch n := len(word); {
	case n >= 8:
		return load64(word[:8]), load64(word[n-8:])
	case n >= 4:
		return load32(word[:4]), load32(word[n-4:])
	case n > 0:
		return uint64(word[0]) | uint64(word[n/2])<<8 | uint64(word[n-1])<<16, 0
	}
	return 0, 0
}

// hashWord multiplies words of 64 bits and joins the halves. The cache holds its
// values: another function is another version of the layout.
func hashWord[T string | []byte](word T, first, last uint64) uint64 {
	const k0, k1 = 0xa0761d6478bd642f, 0xe7037ed1a0b428db
	h := uint64(len(word)) ^ k0
	for i := 8; i+8 < len(word); i += 8 {
		h = mix(h^load64(word[i:i+8]), k1)
	}
	return mix(first^h, last^k1)
}

func load64[T string | []byte](b T) uint64 {
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

func load32[T string | []byte](b T) uint64 {
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24
}

func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// Open opens the file, or the folder of one, that path names.
func Open(ctx context.Context, path string, o Options) (*Table, error) {
	s, err := findSource(path, o)
	if err != nil {
		return nil, err
	}
	t, err := s.open(ctx)
	if err != nil {
		return nil, fmt.Errorf("open the word vectors %s: %w", path, err)
	}
	return t, nil
}
