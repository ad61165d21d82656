package wordvectors

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"sync"
	"unsafe"

	"github.com/bertopic-go/bertopic/internal/par"
)

const (
	maxDim   = 1 << 16
	maxWord  = 1<<16 - 1 // bytes of a word
	maxLine  = 64 << 20
	textPart = 1 << 20 // bytes that are parsed at a time
	dimLines = 1000    // lines that tell the dimension
)

// header is the first line of word2vec's formats: words and dimension.
type header struct {
	given     bool
	rows, dim int
}

// parseHeader reads a line of two whole numbers.
func parseHeader(line []byte) (h header, ok bool) {
	f := bytes.Fields(line)
	if len(f) != 2 {
		return h, false
	}
	var n [2]int
	for i, s := range f {
		v, err := strconv.ParseUint(string(s), 10, 31)
		if err != nil || s[0] == '+' {
			return h, false
		}
		n[i] = int(v)
	}
	return header{true, n[0], n[1]}, true
}

func (h header) check() error {
	switch {
	case h.rows == 0:
		return errors.New("line 1 says that the file holds 0 words")
	case h.dim == 0:
		return errors.New("line 1 says that vectors have 0 values")
	case h.dim > maxDim:
		return fmt.Errorf("line 1 says that vectors have %d values: more than %d are not read", h.dim, maxDim)
	}
	return nil
}

// textHeader settles whether the first line is a header, and the dimension: what
// the header says, which the lines after it must bear out, or else the fewest
// values that a line among the first ones has, since a word may hold spaces.
func textHeader(head []byte, whole bool) (h header, err error) {
	rest := head
	var first []byte
	fewest, lines := math.MaxInt, 0
	for ; len(rest) > 0 && lines < dimLines; lines++ {
		line, after, found := bytes.Cut(rest, []byte{'\n'})
		if !found && !whole && lines > 1 { // the rest of it is to come
			break
		}
		rest = after
		n := len(fieldsOf(line))
		if lines == 0 {
			first = line
			if _, ok := parseHeader(line); ok {
				continue
			}
		}
		if n > 0 {
			fewest = min(fewest, n)
		}
	}
	said, ok := parseHeader(first)
	if !ok {
		if fewest < 2 || fewest == math.MaxInt {
			return h, errors.New("a line has a word and no value: it is no file of vectors")
		}
		if fewest-1 > maxDim {
			return h, fmt.Errorf("lines have %d values: more than %d are not read", fewest-1, maxDim)
		}
		return header{dim: fewest - 1}, nil
	}
	if lines == 1 && len(bytes.TrimSpace(rest)) == 0 && said.rows > 0 && said.dim > 0 {
		return h, fmt.Errorf("line 1 says %d words of %d values, and there is no line after it", said.rows, said.dim)
	}
	_, second, _ := bytes.Cut(head, []byte{'\n'})
	second, _, _ = bytes.Cut(second, []byte{'\n'})
	// "7 3" and then "8 2" are words that are numbers, of one value each.
	if _, number := parseHeader(second); number && fewest == 2 && said.dim != 1 {
		return header{dim: 1}, nil
	}
	if err := said.check(); err != nil {
		return h, err
	}
	if fewest != math.MaxInt && fewest-1 != said.dim {
		return h, fmt.Errorf("line 1 says that vectors have %d values, and a line after it has %d: the file is damaged, or its first line is wrong", said.dim, fewest-1)
	}
	return said, nil
}

func isBlank(b byte) bool { return b == ' ' || b == '\t' || b == '\r' }

// fieldsOf cuts a line at blanks. Other white space is part of a word.
func fieldsOf(line []byte) (fields [][]byte) {
	for i := 0; i < len(line); {
		if isBlank(line[i]) {
			i++
			continue
		}
		start := i
		for i < len(line) && !isBlank(line[i]) {
			i++
		}
		fields = append(fields, line[start:i])
	}
	return fields
}

// parseValue reads a number as Python does, by way of float64.
func parseValue(b []byte) (float32, bool) {
	if len(b) == 0 || len(b) > 64 {
		return 0, false
	}
	v, err := strconv.ParseFloat(unsafe.String(&b[0], len(b)), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, false
	}
	return float32(v), true
}

// textPiece is some lines of a file.
type textPiece struct {
	data  []byte
	line  int // number of its first line
	words wordList
	raw   []byte // little-endian float32
	err   error
	done  chan struct{}
}

// parse reads the lines.
func (p *textPiece) parse(dim int) {
	defer close(p.done)
	line := p.line
	p.raw = make([]byte, 0, len(p.data)/2)
	for data := p.data; len(data) > 0; line++ {
		var text []byte
		text, data, _ = bytes.Cut(data, []byte{'\n'})
		end := len(text)
		for end > 0 && isBlank(text[end-1]) {
			end--
		}
		if end == 0 {
			continue
		}
		if p.err = p.parseLine(text[:end], dim, line); p.err != nil {
			return
		}
	}
}

func (p *textPiece) parseLine(text []byte, dim, line int) error {
	end := len(text)
	at := len(p.raw)
	p.raw = append(p.raw, make([]byte, 4*dim)...)
	for k := dim - 1; k >= 0; k-- {
		start := end
		for start > 0 && !isBlank(text[start-1]) {
			start--
		}
		v, ok := parseValue(text[start:end])
		if start == 0 {
			return fmt.Errorf("line %d has %d values, not %d: the file is damaged or cut off", line, dim-1-k, dim)
		}
		if !ok {
			return fmt.Errorf("line %d: value %d of %d is %q, not a number", line, k+1, dim, clip(text[start:end]))
		}
		if x := float64(v); math.IsNaN(x) || math.IsInf(x, 0) {
			word := bytes.TrimRight(text[:start], " \t")
			if f := fieldsOf(text); len(f) > 0 {
				word = f[0]
			}
			return fmt.Errorf("line %d: the vector of %q has the value %s, which is not finite: take the line out", line, clip(word), clip(text[start:end]))
		}
		binary.LittleEndian.PutUint32(p.raw[at+4*k:], math.Float32bits(v))
		end = start
		for end > 0 && isBlank(text[end-1]) {
			end--
		}
	}
	word := text[:end]
	if len(word) > maxWord {
		return fmt.Errorf("line %d: its word has more than %d bytes", line, maxWord)
	}
	if i := bytes.LastIndexByte(word, ' '); i >= 0 && looksLikeValue(word[i+1:]) {
		return fmt.Errorf("line %d has more than %d values: the file is damaged", line, dim)
	}
	p.words.add(word)
	return nil
}

// looksLikeValue is true for a number with a decimal point, which is no part of
// a word that holds spaces.
func looksLikeValue(b []byte) bool {
	_, ok := parseValue(b)
	return ok && bytes.IndexByte(b, '.') > 0 && bytes.IndexByte(b, '.') < len(b)-1
}

// clip shortens what a message cites.
func clip(b []byte) []byte {
	const most = 40
	if len(b) > most {
		return append(append([]byte{}, b[:most]...), "..."...)
	}
	return b
}

// readText reads lines of a word and its vector from r and hands them on in
// their order, some at a time: the words, and the vectors as little-endian
// float32. Parts are parsed side by side.
func readText(ctx context.Context, r io.Reader, h header, threads int, take func(words *wordList, raw []byte) error) error {
	threads = par.Threads(threads)
	ctx, cancel := context.WithCancel(ctx)
	jobs, order := make(chan *textPiece), make(chan *textPiece, threads)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	for range threads {
		wg.Go(func() {
			for p := range jobs {
				p.parse(h.dim)
			}
		})
	}
	var readErr error
	wg.Go(func() {
		defer close(order)
		defer close(jobs)
		readErr = cutText(ctx, r, h.given, func(p *textPiece) bool {
			select {
			case order <- p:
			case <-ctx.Done():
				return false
			}
			select {
			case jobs <- p:
				return true
			case <-ctx.Done():
				close(p.done)
				return false
			}
		})
	})
	rows := 0
	for p := range order {
		<-p.done
		if err := ctx.Err(); err != nil {
			return err
		}
		if p.err == nil && h.given && rows+p.words.len() > h.rows {
			return fmt.Errorf("line 1 says %d words, and line %d is one more: the file is damaged, or its first line is wrong", h.rows, h.rows+2)
		}
		if p.err != nil {
			return p.err
		}
		rows += p.words.len()
		if err := take(&p.words, p.raw); err != nil {
			return err
		}
	}
	switch {
	case readErr != nil:
		return readErr
	case rows == 0:
		return errors.New("the file holds no words")
	case h.given && rows < h.rows:
		return fmt.Errorf("line 1 says %d words, and the file ends after %d, in line %d: it was cut off, or its first line is wrong", h.rows, rows, rows+1)
	}
	return ctx.Err()
}

// cutText cuts what r holds into pieces of whole lines, without the first line
// where that is a header.
func cutText(ctx context.Context, r io.Reader, skip bool, give func(*textPiece) bool) error {
	var left []byte
	line := 1
	for {
		buf := make([]byte, len(left)+textPart)
		n := copy(buf, left)
		m, err := io.ReadFull(r, buf[n:])
		buf = buf[:n+m]
		last := err == io.EOF || err == io.ErrUnexpectedEOF
		if err != nil && !last {
			return fmt.Errorf("after line %d: %w", line, err)
		}
		cut := len(buf)
		if !last {
			cut = bytes.LastIndexByte(buf, '\n') + 1
		}
		left = buf[cut:]
		if len(left) > maxLine {
			return fmt.Errorf("line %d has more than %d MiB: it is no file of vectors", line, maxLine>>20)
		}
		data := buf[:cut]
		if skip && cut > 0 {
			_, data, _ = bytes.Cut(data, []byte{'\n'})
			skip, line = false, 2
		}
		if len(data) > 0 {
			if !give(&textPiece{data: data, line: line, done: make(chan struct{})}) {
				return ctx.Err()
			}
			line += bytes.Count(data, []byte{'\n'})
		}
		if last {
			return nil
		}
	}
}
