package wordvectors

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"

	"github.com/bertopic-go/bertopic/internal/atomicfile"
)

// The layout of the cache file is told in docs/format/wordvectors.md.
const (
	indexMagic   = "btwvecs\n"
	indexVersion = 1
	slotSize     = 32
	indexAlign   = 64
	trailerSize  = 16 // length, checksum, magic
	maxTrailer   = 1 << 20
)

// errNoIndex says that a cache file is of no use; it is made anew then.
var errNoIndex = errors.New("not a file of this version of the cache, or damaged")

// span is a part of the cache file.
type span struct {
	At   int64 `json:"at"`
	Size int64 `json:"size"`
}

// trailer ends a cache file.
type trailer struct {
	Version    int     `json:"version"`
	Key        string  `json:"key"` // of the files it was made from
	SHA256     string  `json:"sha256"`
	Format     string  `json:"format"`
	Rows       int     `json:"rows"`
	Dim        int     `json:"dim"`
	Words      int     `json:"words"`
	Duplicates int     `json:"duplicates"`
	Invalid    int     `json:"invalid"`
	Vectors    *span   `json:"vectors,omitempty"` // nil: they stay in the user's file
	Source     string  `json:"source,omitempty"`  // that file
	Unpacked   bool    `json:"unpacked"`          // the file was packed: it stands unpacked beside this one
	Base       int64   `json:"base"`
	Total      int     `json:"total"` // rows of vectors, n-grams' too
	At         *span   `json:"at,omitempty"`
	WordData   span    `json:"word_data"`
	WordEnd    span    `json:"word_end"`
	Slots      span    `json:"slots"`
	Grams      *grams  `json:"grams,omitempty"`
	Files      []stamp `json:"files"` // that it was made from
}

// wordList gathers words by row.
type wordList struct {
	data []byte
	end  []uint64
}

func (w *wordList) add(word []byte) {
	w.data = append(w.data, word...)
	w.end = append(w.end, uint64(len(w.data)))
}

func (w *wordList) len() int { return len(w.end) }

func (w *wordList) word(i int) []byte {
	var lo uint64
	if i > 0 {
		lo = w.end[i-1]
	}
	return w.data[lo:w.end[i]]
}

// slots makes the hash table: open addressing, half full at most, rows in their
// order, so that the first of equal words is found and all files of the same
// words have the same table. A slot holds the ends of the word, its length, the row
// plus one, and where the word lies: a short word is compared within its slot.
func (w *wordList) slots() (table []byte, duplicates int) {
	n := 1
	for n < 2*w.len() {
		n *= 2
	}
	table = make([]byte, slotSize*n)
	mask := uint64(n - 1)
rows:
	for i := range w.end {
		word := w.word(i)
		first, last := ends(word)
		at := hashWord(word, first, last) & mask
		slot := table[slotSize*at:]
		for ; le.Uint32(slot[16:]) != 0; slot = table[slotSize*at:] {
			if le.Uint64(slot) == first && le.Uint64(slot[8:]) == last && string(w.word(int(le.Uint32(slot[16:]))-1)) == string(word) {
				duplicates++
				continue rows
			}
			at = (at + 1) & mask
		}
		le.PutUint64(slot, first)
		le.PutUint64(slot[8:], last)
		le.PutUint32(slot[16:], uint32(i+1))
		le.PutUint16(slot[20:], uint16(len(word)))
		le.PutUint64(slot[24:], w.end[i]-uint64(len(word)))
	}
	return table, duplicates
}

// indexWriter writes a cache file from its beginning to its end.
type indexWriter struct {
	file *atomicfile.File
	w    *bufio.Writer
	at   int64
}

func newIndexWriter(path string) (*indexWriter, error) {
	f, err := atomicfile.Create(path)
	if err != nil {
		return nil, err
	}
	x := &indexWriter{file: f, w: bufio.NewWriterSize(f, 1<<20)}
	_, err = io.WriteString(x, indexMagic)
	if err != nil {
		f.Abort()
	}
	return x, err
}

func (x *indexWriter) Write(p []byte) (int, error) {
	n, err := x.w.Write(p)
	x.at += int64(n)
	return n, err
}

// align fills up to a boundary at which a section may begin.
func (x *indexWriter) align() (at int64, err error) {
	var zeros [indexAlign]byte
	if n := x.at % indexAlign; n > 0 {
		_, err = x.Write(zeros[n:])
	}
	return x.at, err
}

func (x *indexWriter) section(data []byte) (span, error) {
	at, err := x.align()
	if err == nil {
		_, err = x.Write(data)
	}
	return span{at, int64(len(data))}, err
}

func (x *indexWriter) numbers(v []uint64) (span, error) {
	at, err := x.align()
	if err != nil {
		return span{}, err
	}
	var b [8]byte
	for _, n := range v {
		binary.LittleEndian.PutUint64(b[:], n)
		if _, err := x.Write(b[:]); err != nil {
			return span{}, err
		}
	}
	return span{at, 8 * int64(len(v))}, nil
}

// finish writes words, hash table and trailer. The vectors are written
// already, or stay where they are.
func (x *indexWriter) finish(t trailer, words *wordList, at []uint64) error {
	t.Version, t.Rows = indexVersion, words.len()
	var err error
	if t.WordData, err = x.section(words.data); err != nil {
		return err
	}
	if t.WordEnd, err = x.numbers(words.end); err != nil {
		return err
	}
	if at != nil {
		s, err := x.numbers(at)
		if err != nil {
			return err
		}
		t.At = &s
	}
	slots, duplicates := words.slots()
	t.Duplicates, t.Words = duplicates, words.len()-duplicates
	if t.Slots, err = x.section(slots); err != nil {
		return err
	}
	text, err := json.Marshal(t)
	if err != nil {
		return err
	}
	if _, err := x.section(text); err != nil {
		return err
	}
	var end [trailerSize]byte
	binary.LittleEndian.PutUint32(end[:], uint32(len(text)))
	binary.LittleEndian.PutUint32(end[4:], crc32.ChecksumIEEE(text))
	copy(end[8:], indexMagic)
	if _, err := x.Write(end[:]); err != nil {
		return err
	}
	if err := x.w.Flush(); err != nil {
		return err
	}
	return x.file.Commit()
}

// readTrailer reads the end of a mapped cache file and checks that the parts are
// within it. What is wrong is errNoIndex.
func readTrailer(data []byte) (*trailer, error) {
	n := int64(len(data))
	if n < int64(len(indexMagic))+trailerSize || string(data[:len(indexMagic)]) != indexMagic || string(data[n-8:]) != indexMagic {
		return nil, errNoIndex
	}
	end := data[n-trailerSize:]
	size := int64(binary.LittleEndian.Uint32(end))
	if size > maxTrailer || size > n-trailerSize {
		return nil, errNoIndex
	}
	text := data[n-trailerSize-size : n-trailerSize]
	if crc32.ChecksumIEEE(text) != binary.LittleEndian.Uint32(end[4:]) {
		return nil, errNoIndex
	}
	t := &trailer{}
	if json.Unmarshal(text, t) != nil || t.Version != indexVersion {
		return nil, errNoIndex
	}
	rows, total, dim := int64(t.Rows), int64(t.Total), int64(t.Dim)
	ok := rows > 0 && rows < math.MaxUint32 && dim > 0 && dim <= maxDim && total >= rows && total < math.MaxInt64/4/maxDim &&
		t.WordData.within(n) && t.WordEnd.within(n) && t.WordEnd.Size == 8*rows &&
		t.Slots.within(n) && t.Slots.Size >= 2*slotSize*rows && t.Slots.Size&(t.Slots.Size-1) == 0 &&
		(t.At == nil || t.At.within(n) && t.At.Size == 8*total) &&
		(t.Vectors == nil || t.Vectors.within(n) && t.Vectors.Size == 4*dim*total)
	if g := t.Grams; ok && g != nil {
		ok = g.Min >= 0 && g.Max >= 0 && g.Max <= maxGram && g.Bucket >= 0 && g.First >= 0 && int64(g.First)+int64(g.Bucket) <= total
	}
	if !ok {
		return nil, errNoIndex
	}
	return t, nil
}

func (s span) within(n int64) bool { return s.At >= 0 && s.Size >= 0 && s.At <= n && s.Size <= n-s.At }

func (s span) of(data []byte) []byte { return data[s.At : s.At+s.Size : s.At+s.Size] }

// tableOf makes a table of a mapped cache file; t.source is set by the caller.
func tableOf(index mapped, r *trailer) *Table {
	t := &Table{
		index: index, words: r.WordData.of(index.data), wordEnd: r.WordEnd.of(index.data), slots: r.Slots.of(index.data),
		base: r.Base, rows: r.Total,
		Info: Info{
			Format: r.Format, Rows: r.Rows, Dim: r.Dim, Words: r.Words, Duplicates: r.Duplicates, Invalid: r.Invalid,
			SHA256: r.SHA256, Subwords: r.Grams != nil,
		},
	}
	t.mask = uint64(len(t.slots)/slotSize - 1)
	if r.Vectors != nil {
		t.vectors, t.base = r.Vectors.of(index.data), 0
	}
	if r.At != nil {
		t.at = r.At.of(index.data)
	}
	t.grams = r.Grams
	return t
}

// openMapped maps a whole file.
func openMapped(path string) (mapped, error) {
	f, err := os.Open(path)
	if err != nil {
		return mapped{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return mapped{}, err
	}
	if !info.Mode().IsRegular() {
		return mapped{}, fmt.Errorf("%s is not a regular file", path)
	}
	data, err := mapFile(f, info.Size())
	return mapped{data}, err
}
