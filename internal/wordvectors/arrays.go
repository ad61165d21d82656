package wordvectors

import (
	"archive/zip"
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"github.com/bertopic-go/bertopic/internal/parquetcol"
	"github.com/bertopic-go/bertopic/internal/vectorfile"
)

// checkShape refuses what is no table of vectors.
func checkShape(shape []int) error {
	if len(shape) != 2 {
		return fmt.Errorf("the array has %d dimensions, not two (words and values)", len(shape))
	}
	if !fits(shape[0], shape[1]) {
		return fmt.Errorf("the array has the shape (%d, %d): words and values are needed, of these %d at most", shape[0], shape[1], maxDim)
	}
	return nil
}

// writeFloats passes values on as little-endian float32, and refuses those that
// are not finite. name tells whose vector it is.
func writeFloats(w io.Writer, buf []byte, at, dim int, v []float32, name func(row int) string) ([]byte, error) {
	buf = buf[:0]
	for i, x := range v {
		if y := float64(x); math.IsNaN(y) || math.IsInf(y, 0) {
			return buf, fmt.Errorf("value %d of the vector of %s is %v: the file is damaged", (at+i)%dim+1, name((at+i)/dim), x)
		}
		buf = le.AppendUint32(buf, math.Float32bits(x))
	}
	_, err := w.Write(buf)
	return buf, err
}

// copyArray passes on the values of an array row by row as little-endian
// float32.
func copyArray(w io.Writer, a *vectorfile.Array, r io.Reader, name func(row int) string) error {
	rows, dim := a.Shape[0], a.Shape[1]
	var buf []byte
	if !a.Fortran() {
		return a.Float32s(r, func(at int, v []float32) (err error) {
			buf, err = writeFloats(w, buf, at, dim, v, name)
			return err
		})
	}
	// Column by column: there is no way around holding it.
	all := make([]float32, rows*dim)
	i, j := 0, 0
	err := a.Float32s(r, func(_ int, v []float32) error {
		for _, x := range v {
			all[i*dim+j] = x
			if i++; i == rows {
				i, j = 0, j+1
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	const part = 1 << 14
	for at := 0; at < len(all); at += part {
		if buf, err = writeFloats(w, buf, at, dim, all[at:min(at+part, len(all))], name); err != nil {
			return err
		}
	}
	return nil
}

// npz reads an archive of an array of vectors and one of words.
func readNPZ(r io.ReaderAt, size int64, w io.Writer, word func([]byte) error) (dim int, err error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return 0, fmt.Errorf("npz: %w: the file is truncated or damaged", err)
	}
	var vectors, words *zip.File
	var names []string
	for _, f := range z.File {
		name, ok := strings.CutSuffix(f.Name, ".npy")
		if !ok {
			if strings.HasSuffix(f.Name, "data.pkl") {
				return 0, errors.New("it is a file of PyTorch: save its words and vectors as text or .npz (numpy.savez(path, words=..., vectors=...))")
			}
			continue
		}
		err := openArray(f, func(a *vectorfile.Array, _ io.Reader) error {
			at := &vectors
			switch {
			case a.Text() && len(a.Shape) == 1:
				at = &words
			case a.Text() || len(a.Shape) != 2:
				return nil
			}
			if *at != nil {
				return fmt.Errorf("npz: %s and %s are both like it: leave one array of words and one of vectors in the file", (*at).Name, f.Name)
			}
			*at = f
			return nil
		}, false)
		if err != nil {
			return 0, err
		}
		names = append(names, name)
	}
	if vectors == nil || words == nil {
		return 0, fmt.Errorf(`npz: an array of words (strings) and one of vectors are needed; it has %s: write numpy.savez(path, words=numpy.array(words, dtype="U"), vectors=vectors)`, strings.Join(names, ", "))
	}
	n := 0
	err = openArray(words, func(a *vectorfile.Array, r io.Reader) error {
		n = a.Shape[0]
		return a.Strings(bufio.NewReaderSize(r, 1<<16), func(_ int, s []byte) error { return word(s) })
	}, true)
	if err != nil {
		return 0, err
	}
	return dim, openArray(vectors, func(a *vectorfile.Array, r io.Reader) error {
		if err := checkShape(a.Shape); err != nil {
			return err
		}
		if a.Shape[0] != n {
			return fmt.Errorf("%d vectors for %d words", a.Shape[0], n)
		}
		dim = a.Shape[1]
		return copyArray(w, a, r, func(row int) string { return fmt.Sprintf("word %d", row+1) })
	}, true)
}

// openArray reads an array of an archive; whole reads on to its check sum.
func openArray(f *zip.File, read func(a *vectorfile.Array, r io.Reader) error, whole bool) error {
	// Deflate packs at most 1032 to 1: more is a lie that would cost memory.
	if f.UncompressedSize64 > math.MaxInt64/2 || f.UncompressedSize64/1040 > f.CompressedSize64+1 {
		return fmt.Errorf("npz: %s: %d bytes cannot come out of %d: the file is damaged", f.Name, f.UncompressedSize64, f.CompressedSize64)
	}
	r, err := f.Open()
	if err != nil {
		return fmt.Errorf("npz: %s: %w", f.Name, err)
	}
	defer r.Close()
	a, err := vectorfile.ReadArray(r, int64(f.UncompressedSize64))
	if err == nil {
		err = read(a, r)
	}
	if err == nil && whole {
		if _, err = r.Read(make([]byte, 1)); err == io.EOF {
			err = nil
		}
	}
	if err != nil {
		return fmt.Errorf("npz: %s: %w", f.Name, err)
	}
	return nil
}

// readWords reads a list of words: a Parquet file with a column of strings, an
// array of strings, or text of a word a line.
func readWords(f *os.File, size int64, word func([]byte) error) error {
	head := make([]byte, 8)
	n, err := f.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return err
	}
	head = head[:n]
	switch {
	case bytes.HasPrefix(head, []byte("PAR1")):
		return parquetWords(f, size, word)
	case bytes.HasPrefix(head, []byte("\x93NUMPY")):
		r := bufio.NewReaderSize(f, 1<<16)
		a, err := vectorfile.ReadArray(r, size)
		if err != nil {
			return err
		}
		if len(a.Shape) != 1 {
			return fmt.Errorf("the array has %d dimensions, not one", len(a.Shape))
		}
		return a.Strings(r, func(_ int, s []byte) error { return word(s) })
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return errors.New("it is packed: unpack it first (gunzip)")
	}
	s := bufio.NewScanner(f)
	s.Buffer(make([]byte, 1<<16), maxWord)
	line := 0
	for s.Scan() {
		line++
		if bytes.IndexByte(s.Bytes(), 0) >= 0 {
			return fmt.Errorf("line %d is no text", line)
		}
		if err := word(bytes.TrimSuffix(s.Bytes(), []byte{'\r'})); err != nil {
			return err
		}
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("after line %d: %w", line, err)
	}
	return nil
}

// parquetWords reads the one column of strings of a Parquet file.
func parquetWords(r io.ReaderAt, size int64, word func([]byte) error) error {
	f, err := parquetcol.Open(r, size)
	if err != nil {
		return err
	}
	var column *parquetcol.Column
	for _, name := range f.Columns() {
		c, err := f.Column(name)
		if err != nil || c.List || c.Kind != parquetcol.Bytes {
			if err == nil {
				c.Close()
			}
			continue
		}
		if column != nil {
			column.Close()
			c.Close()
			return fmt.Errorf("it has several columns of strings (%s, %s): leave one in it, the words in the order of the vectors", column.Name, name)
		}
		column = c
	}
	if column == nil {
		return fmt.Errorf("it has no column of strings, but %s", strings.Join(f.Columns(), ", "))
	}
	defer column.Close()
	for i := 1; ; i++ {
		row, err := column.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if len(row) != 1 || row[0].IsNull() {
			return fmt.Errorf("row %d has no word", i)
		}
		if err := word(row[0].ByteArray()); err != nil {
			return err
		}
	}
}
