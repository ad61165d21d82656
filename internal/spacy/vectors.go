package spacy

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"unsafe"

	"github.com/vmihailenco/msgpack/v5"
	"golang.org/x/text/cases"
	"golang.org/x/text/language"

	"github.com/bertopic-go/bertopic/internal/mapfile"
	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/vectorfile"
)

// table holds the vectors of words. It is read-only.
type table struct {
	rows, width int
	data        []float32 // rows x width, perhaps in the mapped file
	mapped      []byte    // the file behind data, or nil

	rowOf  map[uint64]int32 // by key of the word; nil with floret
	lower  bool             // words are looked up in lower case
	floret *floret
}

// floret says how a word's vector is made of the rows of its parts: runs of
// minN to maxN characters of the word between bow and eow, and all of it, each
// with as many rows as hashes.
type floret struct {
	minN, maxN int
	hashes     int
	seed       uint32
	bow, eow   string
}

// settings is the file vectors.cfg.
type settings struct {
	Mode      string          `json:"mode"`
	MinN      int             `json:"minn"`
	MaxN      int             `json:"maxn"`
	HashCount int             `json:"hash_count"`
	HashSeed  uint32          `json:"hash_seed"`
	Bow       string          `json:"bow"`
	Eow       string          `json:"eow"`
	Attr      json.RawMessage `json:"attr"`
}

// parseSettings reads a vectors.cfg.
func parseSettings(text []byte) (f *floret, lower bool, err error) {
	s := settings{Mode: "default", HashCount: 1, Bow: "<", Eow: ">"}
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, false, err
	}
	switch attr := string(bytes.ToUpper(s.Attr)); attr {
	case "", "null", "NULL", "65", `"ORTH"`, `"TEXT"`:
	case "66", `"LOWER"`:
		lower = true
	default:
		return nil, false, fmt.Errorf("words are looked up by the attribute %s of a token, where ORTH (65) and LOWER (66) are supported", attr)
	}
	switch s.Mode {
	case "default":
		return nil, lower, nil
	case "floret":
	default:
		return nil, false, fmt.Errorf("the mode %q is neither default nor floret", s.Mode)
	}
	const most = 100 // characters of a part
	if s.MinN < 0 || s.MaxN < s.MinN || s.MaxN > most {
		return nil, false, fmt.Errorf("parts of %d to %d characters: there must be 0 to %d, the fewer first", s.MinN, s.MaxN, most)
	}
	if s.HashCount < 1 || s.HashCount > 4 {
		return nil, false, fmt.Errorf("hash_count is %d: it must be 1 to 4", s.HashCount)
	}
	return &floret{minN: s.MinN, maxN: s.MaxN, hashes: s.HashCount, seed: s.HashSeed, bow: s.Bow, eow: s.Eow}, lower, nil
}

// parseRows reads a key2row: the row of each key.
func parseRows(data []byte) (map[uint64]int32, error) {
	source := bytes.NewReader(data)
	d := msgpack.NewDecoder(source)
	n, err := d.DecodeMapLen()
	if err != nil {
		return nil, early(err)
	}
	m := make(map[uint64]int32, min(max(n, 0), len(data)/2))
	for i := range max(n, 0) {
		key, err := d.DecodeUint64()
		if err != nil {
			return nil, fmt.Errorf("entry %d of %d: %w", i, n, early(err))
		}
		row, err := d.DecodeInt64()
		if err != nil {
			return nil, fmt.Errorf("entry %d of %d: %w", i, n, early(err))
		}
		if row < 0 || row > math.MaxInt32 {
			return nil, fmt.Errorf("entry %d of %d: the row of the key %d is %d", i, n, key, row)
		}
		m[key] = int32(row)
	}
	if source.Len() > 0 {
		return nil, fmt.Errorf("%d bytes follow what should be all", source.Len())
	}
	return m, nil
}

// openTable opens the vectors in a folder vocab.
func openTable(ctx context.Context, dir string) (t *table, err error) {
	t = &table{}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.close())
		}
	}()
	path := filepath.Join(dir, "vectors.cfg")
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist): // as before spaCy 3.2
	case err != nil:
		return t, fmt.Errorf("read %s: %w", path, err)
	default:
		if t.floret, t.lower, err = parseSettings(text); err != nil {
			return t, fmt.Errorf("read %s: %w", path, err)
		}
	}
	path = filepath.Join(dir, "vectors")
	if err := t.open(ctx, path); err != nil {
		return t, fmt.Errorf("read %s: %w", path, err)
	}
	if t.floret == nil {
		if err := t.readRows(dir); err != nil {
			return t, err
		}
	}
	if t.rows == 0 || t.width == 0 || t.floret == nil && len(t.rowOf) == 0 {
		return t, errNoVectors
	}
	return t, t.checkFinite(ctx, dir)
}

var errNoVectors = errors.New("no vectors")

// open finds the values of a .npy file.
func (t *table) open(ctx context.Context, path string) error {
	f, err := os.Open(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return errNoVectors
		}
		return errors.Unwrap(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	l, err := vectorfile.NPYLayout(f, info.Size())
	if err != nil {
		return err
	}
	if l.Rows > math.MaxInt32 {
		return fmt.Errorf("%d rows are more than there can be", l.Rows)
	}
	t.rows, t.width = l.Rows, l.Columns
	if t.rows == 0 || t.width == 0 {
		return nil
	}
	if !l.Plain || l.Offset%4 != 0 || !littleEndian {
		v, err := vectorfile.Read(ctx, path, vectorfile.Options{})
		if err != nil {
			return errors.Unwrap(err)
		}
		dense, ok := v.Matrix.(*matrix.Dense)
		if !ok {
			return errors.New("the vectors are not a dense matrix")
		}
		t.data = dense.Data
		return nil
	}
	data, err := mapfile.Map(f, info.Size())
	if err != nil {
		return err
	}
	t.mapped = data
	values := data[l.Offset:]
	t.data = unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(values))), len(values)/4)
	return nil
}

var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

func (t *table) readRows(dir string) error {
	path := filepath.Join(dir, "key2row")
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && (t.rows == 0 || t.width == 0) {
		return nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read %s: there is no such file, which tells the row of each word: the folder is not complete", path)
	}
	if err == nil {
		t.rowOf, err = parseRows(data)
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	for key, row := range t.rowOf {
		if int(row) >= t.rows && t.width > 0 {
			return fmt.Errorf("read %s: the row of %s is %d, and there are %d rows in vectors: the two files don't belong together", path, wordOf(dir, key), row, t.rows)
		}
	}
	return nil
}

// wordOf names the word of a key for a message, if strings.json tells it.
func wordOf(dir string, key uint64) string {
	if words, err := readStrings(filepath.Join(dir, "strings.json")); err == nil {
		for _, w := range words {
			if Key(w) == key {
				return fmt.Sprintf("%.80q", w)
			}
		}
	}
	return fmt.Sprintf("the key %d", key)
}

// readStrings reads a strings.json: the words that a pipeline knows by their
// keys.
func readStrings(path string) ([]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var words []string
	if err := json.Unmarshal(text, &words); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return words, nil
}

// checkFinite looks at every value.
func (t *table) checkFinite(ctx context.Context, dir string) error {
	const block = 1 << 20
	for from := 0; from < len(t.data); from += block {
		if err := ctx.Err(); err != nil {
			return err
		}
		part := t.data[from:min(from+block, len(t.data))]
		for i, x := range part {
			if x-x != 0 { // of NaN and of infinities
				return t.notFinite(dir, from+i, x)
			}
		}
	}
	return nil
}

func (t *table) notFinite(dir string, at int, x float32) error {
	row := at / t.width
	whose := ""
	for key, r := range t.rowOf {
		if int(r) == row {
			whose = ", the vector of " + wordOf(dir, key)
			break
		}
	}
	return fmt.Errorf("read %s: value %d of row %d%s is %v: the vectors are damaged", filepath.Join(dir, "vectors"), at%t.width, row, whose, x)
}

func (t *table) close() error {
	mapped := t.mapped
	t.data, t.rowOf, t.mapped = nil, nil, nil
	return mapfile.Unmap(mapped)
}

func (t *table) row(i int) []float32 { return t.data[i*t.width : (i+1)*t.width] }

// vector returns the vector of a token's text, nil where there is none. The
// caller must not change it; it may lie in buf, which has the width.
func (t *table) vector(buf []float32, word string) []float32 {
	if t.lower {
		word = Lower(word)
	}
	if t.floret != nil {
		if word == "" {
			return nil
		}
		t.floret.vector(buf, t, word)
		return buf
	}
	if row, ok := t.rowOf[Key(word)]; ok {
		return t.row(int(row))
	}
	return nil
}

// Lower is Python's str.lower.
func Lower(s string) string { return cases.Lower(language.Und).String(s) }

// vector writes the mean of the rows of word's parts. It adds in the order and
// precision in which spaCy does.
func (f *floret) vector(dst []float32, t *table, word string) {
	word = f.bow + word + f.eow
	ends := make([]int, 0, len(word)+1) // where each character begins
	for i := range word {
		ends = append(ends, i)
	}
	ends = append(ends, len(word))
	chars := len(ends) - 1
	parts := 1
	for n := f.minN; n <= f.maxN; n++ {
		parts += max(0, chars-n+1)
	}
	clear(dst)
	scale := float32(1 / float64(parts*f.hashes))
	f.add(dst, t, word, scale)
	for n := f.minN; n <= f.maxN; n++ {
		for i := 0; i+n <= chars; i++ {
			f.add(dst, t, word[ends[i]:ends[i+n]], scale)
		}
	}
}

func (f *floret) add(dst []float32, t *table, part string, scale float32) {
	h1, h2 := murmur3(part, f.seed)
	hashes := [4]uint32{uint32(h1), uint32(h1 >> 32), uint32(h2), uint32(h2 >> 32)}
	for _, h := range hashes[:f.hashes] {
		for j, x := range t.row(int(h % uint32(t.rows))) {
			dst[j] += float32(x * scale) // rounded twice, on every processor
		}
	}
}
