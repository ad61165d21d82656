package wordvectors

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/ianaindex"

	"github.com/bertopic-go/bertopic/internal/atomicfile"
	"github.com/bertopic-go/bertopic/internal/mapfile"
	"github.com/bertopic-go/bertopic/internal/vectorfile"
)

// source is the files that a table is made from.
type source struct {
	path   string // of the vectors
	words  string // list of words that goes with an array, or ""
	kind   kind
	packed bool // by gzip; kind is that of the content
	o      Options
	coding encoding.Encoding // nil: UTF-8
}

// stamp tells whether a file is the one that was read.
type stamp struct {
	Path string `json:"path"`
	Size int64  `json:"size"`
	Time int64  `json:"time"` // of the last change, in nanoseconds
}

func stampOf(path string) (stamp, error) {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}, err
	}
	return stamp{path, info.Size(), info.ModTime().UnixNano()}, nil
}

// findSource tells what path names.
func findSource(path string, o Options) (*source, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	s := &source{path: path, o: o}
	if s.coding, err = codingOf(o.Encoding); err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open the word vectors: %w", err)
	}
	if info.IsDir() {
		if s.path, err = inFolder(path); err != nil {
			return nil, err
		}
	}
	if s.kind, s.packed, err = look(s.path); err != nil {
		return nil, fmt.Errorf("open the word vectors %s: %w", s.path, err)
	}
	switch s.kind {
	case npyFile:
		if s.words, err = s.findWords(); err != nil {
			return nil, fmt.Errorf("open the word vectors %s: %w", s.path, err)
		}
	case parquetFile:
		return nil, fmt.Errorf("open the word vectors %s: it is a Parquet file, which is read as a list of words alone: name the .npy file of the vectors, and this one with the option words", s.path)
	}
	if o.Words != "" && s.kind != npyFile {
		return nil, fmt.Errorf("open the word vectors %s: it holds its words itself: a list of words goes with a .npy file alone", s.path)
	}
	return s, nil
}

// codingOf finds an encoding by name; nil is UTF-8.
func codingOf(name string) (encoding.Encoding, error) {
	switch strings.ToLower(name) {
	case "", "utf-8", "utf8":
		return nil, nil
	}
	e, err := ianaindex.IANA.Encoding(name)
	if err != nil || e == nil {
		return nil, fmt.Errorf("the encoding %q is not known: write its IANA name, such as utf-8, iso-8859-1, windows-1252 or cp852", name)
	}
	return e, nil
}

// look reads the beginning of a file and tells what it is.
func look(path string) (k kind, packed bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, false, err
	}
	defer f.Close()
	head, whole, err := headOf(f)
	if err != nil {
		return 0, false, err
	}
	k, err = sniff(head, whole)
	if err != nil || k != gzipFile {
		return k, false, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return 0, false, err
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		return 0, false, fmt.Errorf("gzip: %w", err)
	}
	if head, whole, err = headOf(z); err != nil {
		return 0, false, fmt.Errorf("gzip: %w", early(err))
	}
	if k, err = sniff(head, whole); err == nil && k == gzipFile {
		err = errors.New("it is packed twice: unpack it first")
	}
	return k, true, err
}

func early(err error) error {
	if err == io.ErrUnexpectedEOF {
		return errors.New("the file ends early: it was cut off")
	}
	return err
}

// headOf reads what sniffing takes; whole tells that there is no more.
func headOf(r io.Reader) (head []byte, whole bool, err error) {
	head, err = io.ReadAll(io.LimitReader(r, sniffBytes))
	return head, len(head) < sniffBytes, err
}

// beside are files of a folder that hold no vectors, whatever they look like.
func beside(name string) bool {
	lower := strings.ToLower(name)
	for _, p := range []string{".", "readme", "license", "licence", "notice", "meta"} {
		if strings.HasPrefix(lower, p) {
			return true
		}
	}
	ext := filepath.Ext(lower)
	return ext == ".json" || ext == ".md" || ext == ".py" || ext == ".from"
}

// inFolder finds the one file of vectors in a folder.
func inFolder(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", fmt.Errorf("open the word vectors: %w", err)
	}
	found := map[kind][]string{}
	var seen, faults []string
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() || beside(e.Name()) {
			continue
		}
		seen = append(seen, e.Name())
		k, _, err := look(path)
		if err != nil {
			faults = append(faults, e.Name()+": "+err.Error())
			continue
		}
		found[k] = append(found[k], path)
	}
	// What gensim saved has its large arrays beside it, and an array its words.
	var all []string
	switch {
	case len(found[pickleFile]) > 0:
		all = found[pickleFile]
	case len(found[npyFile]) > 0:
		all = found[npyFile]
		if len(all) > 1 {
			all = slices.DeleteFunc(slices.Clone(all), func(path string) bool {
				return strings.Contains(strings.ToLower(filepath.Base(path)), "words") || strings.Contains(strings.ToLower(filepath.Base(path)), "vocab")
			})
		}
	default:
		for _, k := range []kind{textFile, binaryFile, fastTextFile, npzFile} {
			all = append(all, found[k]...)
		}
	}
	switch {
	case len(all) == 1:
		return all[0], nil
	case len(all) > 1:
		names := make([]string, len(all))
		for i, path := range all {
			names[i] = filepath.Base(path)
		}
		return "", fmt.Errorf("open the word vectors: the folder %s has several files of vectors: name one of %s", dir, strings.Join(names, ", "))
	case len(faults) > 0:
		return "", fmt.Errorf("open the word vectors: the folder %s has no file of vectors: %s", dir, strings.Join(faults, "; "))
	case len(seen) > 0:
		return "", fmt.Errorf("open the word vectors: the folder %s has no file of vectors, but %s", dir, strings.Join(seen, ", "))
	}
	return "", fmt.Errorf("open the word vectors: the folder %s has no file of vectors", dir)
}

// findWords finds the list of words of an array: as it is named, under the
// array's own name with another ending, or the one of the folder.
func (s *source) findWords() (string, error) {
	if s.o.Words != "" {
		return filepath.Abs(s.o.Words)
	}
	dir, stem := filepath.Dir(s.path), strings.TrimSuffix(filepath.Base(s.path), ".npy")
	for _, name := range []string{stem + ".words", stem + ".vocab", stem + ".txt", stem + ".parquet", stem + "_words.npy", stem + ".words.npy", "words.txt", "vocab.txt", "words.npy"} {
		if path := filepath.Join(dir, name); isFile(path) && path != s.path {
			return path, nil
		}
	}
	found, err := filepath.Glob(filepath.Join(strings.NewReplacer(`[`, `\[`, `*`, `\*`, `?`, `\?`).Replace(dir), "*.parquet"))
	if err != nil {
		return "", err
	}
	if len(found) == 1 {
		return found[0], nil
	}
	return "", fmt.Errorf("it is an array without words, and there is no list of them beside it (%s.words, %s.txt, %s.parquet, words.txt, ...): name the file with the option words", stem, stem, stem)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// keySize is the length of a name in the cache.
const keySize = 32

// key is the name of what is made from the files in the cache.
func (s *source) key() (string, error) {
	h := sha256.New()
	for _, path := range []string{s.path, s.words} {
		if path == "" {
			continue
		}
		t, err := stampOf(path)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%s\x00%d\x00%d\x00", t.Path, t.Size, t.Time)
	}
	fmt.Fprintf(h, "%d\x00%s", indexVersion, strings.ToLower(s.o.Encoding))
	return hex.EncodeToString(h.Sum(nil))[:keySize], nil
}

// open opens what is in the cache, or makes it.
func (s *source) open(ctx context.Context) (t *Table, err error) {
	key, err := s.key()
	if err != nil {
		return nil, err
	}
	dir, temp := filepath.Join(s.o.CacheDir, "wordvectors"), ""
	if s.o.CacheDir == "" {
		if temp, err = os.MkdirTemp("", "bertopic-wordvectors-"); err != nil {
			return nil, err
		}
		dir = temp
		defer func() {
			if err != nil {
				os.RemoveAll(temp)
			}
		}()
	} else if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, key)
	t, err = s.cached(path, key)
	if t != nil || err != nil {
		return t, err
	}
	unlock, err := waitLock(ctx, path+".lock")
	if err != nil {
		return nil, err
	}
	defer unlock()
	// Another process may have made it meanwhile.
	if t, err = s.cached(path, key); t != nil || err != nil {
		return t, err
	}
	if s.o.Making != nil {
		s.o.Making(s.path)
	}
	prune(dir, key)
	if err := s.make(ctx, path, key); err != nil {
		return nil, err
	}
	if t, err = s.cached(path, key); err != nil {
		return nil, err
	}
	if t == nil {
		return nil, fmt.Errorf("the file changed while it was read, or its cache %s was removed: try again", path)
	}
	t.Info.Made = true
	if temp != "" && os.RemoveAll(temp) != nil { // some systems keep a file that is open
		t.temp = temp
	}
	return t, nil
}

// cached opens the cache file at path; nil if there is none that will do.
func (s *source) cached(path, key string) (*Table, error) {
	index, err := openMapped(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r, err := readTrailer(index.data)
	if err != nil || r.Key != key {
		return nil, mapfile.Unmap(index.data)
	}
	for _, f := range r.Files {
		if now, err := stampOf(f.Path); err != nil || now != f {
			return nil, mapfile.Unmap(index.data)
		}
	}
	t := tableOf(index, r)
	// The first and the last word are found, or the table is of another hash.
	for _, i := range []int{0, r.Rows - 1} {
		if _, ok := t.Lookup(string(t.Word(i))); !ok {
			return nil, mapfile.Unmap(index.data)
		}
	}
	if r.Vectors == nil {
		from := r.Source
		if r.Unpacked {
			from = path + ".raw"
		}
		if t.source, err = openMapped(from); err != nil {
			mapfile.Unmap(index.data)
			if r.Unpacked && errors.Is(err, fs.ErrNotExist) {
				return nil, nil
			}
			return nil, err
		}
		t.vectors = t.source.data
		if t.at == nil && (t.base < 0 || int64(len(t.vectors))-t.base < 4*int64(r.Dim)*int64(r.Total)) {
			return nil, t.Close()
		}
	}
	return t, nil
}

// prune removes from the cache what was made of files that are gone or are others
// now, and what a process that was killed has left half. The caller holds the lock
// of key. What was removed too rashly is made again, so faults are let pass.
func prune(dir, key string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if strings.HasPrefix(e.Name(), ".") && strings.Contains(e.Name(), ".tmp-") {
			info, err := e.Info()
			if strings.HasPrefix(e.Name(), "."+key) || err == nil && time.Since(info.ModTime()) > 24*time.Hour {
				os.Remove(path)
			}
			continue
		}
		if len(e.Name()) != keySize || !e.Type().IsRegular() {
			continue
		}
		index, err := openMapped(path)
		if err != nil {
			continue
		}
		r, err := readTrailer(index.data)
		stale := err != nil
		for i := 0; !stale && i < len(r.Files); i++ {
			now, err := stampOf(r.Files[i].Path)
			stale = errors.Is(err, fs.ErrNotExist) || err == nil && now != r.Files[i]
		}
		mapfile.Unmap(index.data)
		if stale {
			os.Remove(path)
			os.Remove(path + ".raw")
		}
	}
}

// waitLock waits until no other process makes the same.
func waitLock(ctx context.Context, path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		ok, err := lockFile(f)
		if err == nil && ok {
			return func() { os.Remove(path); f.Close() }, nil
		}
		if err == nil {
			select {
			case <-time.After(50 * time.Millisecond):
				continue
			case <-ctx.Done():
				err = ctx.Err()
			}
		}
		f.Close()
		return nil, err
	}
}

// maker makes a cache file.
type maker struct {
	ctx    context.Context
	s      *source
	x      *indexWriter
	t      trailer
	words  wordList
	at     []uint64
	sums   []chan sum
	stamps []stamp
	decode *encoding.Decoder
}

type sum struct {
	digest []byte
	err    error
}

// reads notes that a file is among those that the table is made from, and begins
// to hash it.
func (m *maker) reads(path string) error {
	t, err := stampOf(path)
	if err != nil {
		return err
	}
	m.stamps = append(m.stamps, t)
	c := make(chan sum, 1)
	m.sums = append(m.sums, c)
	go func() { // ends with the file, or with ctx
		digest, err := fileDigest(m.ctx, path)
		c <- sum{digest, err}
	}()
	return nil
}

func fileDigest(ctx context.Context, path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h, buf := sha256.New(), make([]byte, 1<<20)
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n, err := f.Read(buf)
		h.Write(buf[:n])
		if err == io.EOF {
			return h.Sum(nil), nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// digest waits for the hashes: that of the one file, or of the list of all.
func (m *maker) digest() (string, error) {
	whole := sha256.New()
	var last []byte
	for i, c := range m.sums {
		s := <-c
		if s.err != nil {
			return "", s.err
		}
		last = s.digest
		fmt.Fprintf(whole, "%x  %s\n", s.digest, filepath.Base(m.stamps[i].Path))
	}
	if len(m.sums) > 1 {
		last = whole.Sum(nil)
	}
	return hex.EncodeToString(last), nil
}

// word adds the next word, in UTF-8.
func (m *maker) word(raw []byte) error {
	if m.decode != nil {
		if text, err := m.decode.Bytes(raw); err == nil {
			raw = text
		}
	}
	m.note(raw)
	if len(raw) > maxWord {
		return fmt.Errorf("word %d has more than %d bytes", m.words.len()+1, maxWord)
	}
	if m.words.len() >= 1<<32-2 {
		return errors.New("the file has more than 2^32 words")
	}
	m.words.add(raw)
	return nil
}

func (m *maker) note(word []byte) {
	if !utf8.Valid(word) {
		m.t.Invalid++
	}
}

// make makes the cache file at path.
func (s *source) make(ctx context.Context, path, key string) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	m := &maker{ctx: ctx, s: s, t: trailer{Key: key, Source: s.path}}
	if s.coding != nil {
		m.decode = s.coding.NewDecoder()
	}
	for _, p := range []string{s.path, s.words} {
		if p == "" {
			continue
		}
		if err := m.reads(p); err != nil {
			return err
		}
	}
	from := s.path
	if s.packed && s.kind != textFile {
		from = path + ".raw"
		if err := unpack(ctx, s.path, from); err != nil {
			return err
		}
		m.t.Unpacked = true
		defer func() {
			if err != nil {
				os.Remove(from)
			}
		}()
	}
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if m.x, err = newIndexWriter(path); err != nil {
		return err
	}
	defer m.x.file.Abort()
	if err := m.read(f, info.Size()); err != nil {
		return err
	}
	if m.t.Unpacked && m.t.Vectors != nil { // nothing needs it any more
		m.t.Unpacked = false
		if err := os.Remove(from); err != nil {
			return err
		}
	}
	if m.t.SHA256, err = m.digest(); err != nil {
		return err
	}
	for _, old := range m.stamps {
		if now, err := stampOf(old.Path); err != nil || now != old {
			return fmt.Errorf("%s changed while it was read: try again", old.Path)
		}
	}
	m.t.Files = m.stamps
	if m.t.Total == 0 {
		m.t.Total = m.words.len()
	}
	return m.x.finish(m.t, &m.words, m.at)
}

// unpack writes what a gzip file holds to target.
func unpack(ctx context.Context, path, target string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("gzip: %w", err)
	}
	return atomicfile.WriteFile(target, func(w io.Writer) error {
		for {
			_, err := io.CopyN(w, z, 16<<20)
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case err == io.EOF:
				return nil
			case err != nil:
				return fmt.Errorf("gzip: %w", early(err))
			}
		}
	})
}

// read reads the file by its kind.
func (m *maker) read(f *os.File, size int64) error {
	switch m.s.kind {
	case textFile:
		return m.readText(f)
	case binaryFile:
		m.t.Format = "word2vec binary"
		return readBinary(m.ctx, f, func(word []byte, at int64, raw []byte) error {
			m.at, m.t.Dim = append(m.at, uint64(at)), len(raw)/4
			return m.word(word)
		})
	case fastTextFile:
		return m.readFastText(f)
	case npyFile:
		return m.readArray(f, size)
	case npzFile:
		m.t.Format = "NumPy archive"
		done := m.vectors()
		dim, err := readNPZ(f, size, m.x, m.word)
		if err != nil {
			return err
		}
		m.t.Dim = dim
		return done()
	case pickleFile:
		return m.readPickle(f, size)
	}
	return errors.New("it is no file of word vectors")
}

// vectors begins the section of vectors; the function that it returns ends it.
func (m *maker) vectors() (done func() error) {
	at, err := m.x.align()
	return func() error {
		if err != nil {
			return err
		}
		if m.words.len() == 0 {
			return errors.New("the file holds no words")
		}
		m.t.Vectors = &span{at, m.x.at - at}
		return nil
	}
}

func (m *maker) readText(f *os.File) error {
	in := io.Reader(f)
	if m.s.packed {
		z, err := gzip.NewReader(f)
		if err != nil {
			return fmt.Errorf("gzip: %w", err)
		}
		in = z
	}
	head, whole, err := headOf(in)
	if err != nil {
		return early(err)
	}
	// A mark of the byte order is no part of the first word.
	head = bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	h, err := textHeader(head, whole)
	if err != nil {
		return err
	}
	m.t.Format, m.t.Dim = "text without a header", h.dim
	if h.given {
		m.t.Format = "text with a header"
	}
	done := m.vectors()
	err = readText(m.ctx, io.MultiReader(bytes.NewReader(head), in), h, m.s.o.Threads, func(words *wordList, raw []byte) error {
		for i := range words.len() {
			if err := m.word(words.word(i)); err != nil {
				return err
			}
		}
		_, err := m.x.Write(raw)
		return err
	})
	if err != nil {
		return early(err)
	}
	return done()
}

func (m *maker) readFastText(f *os.File) error {
	base := int64(-1)
	first := 0 // row of the matrix behind those of words
	h, total, err := readFastText(m.ctx, f, func(row int, w []byte) error {
		first = row + 1
		return m.word(w)
	}, func(_ int, at int64, _ []byte, _ func() string) error {
		if base < 0 {
			base = at
		}
		return nil
	})
	if err != nil {
		return err
	}
	if first != m.words.len() {
		return errors.New("a label stands among the words: the file is damaged")
	}
	m.t.Dim, m.t.Base, m.t.Total = h.dim, base, total
	m.t.Format = fmt.Sprintf("fastText binary, version %d", h.version)
	if h.version == 0 {
		m.t.Format = "fastText binary of before 2017"
	}
	if h.max > 0 && h.bucket > 0 {
		m.t.Grams = &grams{Min: h.min, Max: h.max, Bucket: h.bucket, First: first, Composed: true}
	}
	return nil
}

func (m *maker) readArray(f *os.File, size int64) error {
	a, err := vectorfile.ReadArray(f, size)
	if err != nil {
		return err
	}
	if err := checkShape(a.Shape); err != nil {
		return err
	}
	list, err := os.Open(m.s.words)
	if err != nil {
		return fmt.Errorf("open its list of words: %w", err)
	}
	defer list.Close()
	info, err := list.Stat()
	if err == nil {
		err = readWords(list, info.Size(), m.word)
	}
	if err != nil {
		return fmt.Errorf("read its list of words %s: %w", m.s.words, err)
	}
	if m.words.len() != a.Shape[0] {
		return fmt.Errorf("%d vectors, and %d words in %s: both must go together, row by row", a.Shape[0], m.words.len(), m.s.words)
	}
	name := func(row int) string { return fmt.Sprintf("%q", clip(m.words.word(row))) }
	m.t.Format, m.t.Dim = "NumPy array and list of words", a.Shape[1]
	if a.Plain() {
		m.t.Base = a.Offset
		return copyArray(io.Discard, a, f, name)
	}
	done := m.vectors()
	if err := copyArray(m.x, a, f, name); err != nil {
		return err
	}
	return done()
}

func (m *maker) readPickle(f *os.File, size int64) error {
	data, err := mapFile(f, size)
	if err != nil {
		return err
	}
	defer mapfile.Unmap(data)
	k, err := readKeyed(data, m.s.path)
	if err != nil {
		return err
	}
	if len(k.words) != k.vectors.rows {
		return fmt.Errorf("%d vectors for %d words%s", k.vectors.rows, len(k.words), howToConvert)
	}
	if !fits(k.vectors.rows, k.vectors.cols) {
		return fmt.Errorf("vectors of the shape (%d, %d)%s", k.vectors.rows, k.vectors.cols, howToConvert)
	}
	for _, a := range []ndarray{k.vectors, k.subwords} {
		if a.file != "" {
			if err := m.reads(a.file); err != nil {
				return err
			}
		}
	}
	for _, w := range k.words {
		if err := m.word([]byte(w)); err != nil {
			return err
		}
	}
	m.t.Format, m.t.Dim, m.t.Total = "KeyedVectors of gensim", k.vectors.cols, k.vectors.rows
	done := m.vectors()
	if err := k.vectors.write(m.x, func(row int) string { return fmt.Sprintf("%q", clip(m.words.word(row))) }); err != nil {
		return err
	}
	if k.subwords.rows > 0 {
		if k.subwords.cols != k.vectors.cols {
			return fmt.Errorf("n-grams of %d values beside words of %d%s", k.subwords.cols, k.vectors.cols, howToConvert)
		}
		m.t.Grams = &grams{Min: k.min, Max: k.max, Bucket: k.bucket, First: k.vectors.rows, Composed: k.composed}
		m.t.Total += k.subwords.rows
		if err := k.subwords.write(m.x, func(row int) string { return fmt.Sprintf("n-gram bucket %d", row) }); err != nil {
			return err
		}
	}
	return done()
}
