package vectorfile

import (
	"archive/zip"
	"bufio"
	"compress/flate"
	"fmt"
	"io"
	"math"

	"github.com/bertopic-go/bertopic/internal/atomicfile"
	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/plain"
)

// NPY writes a .npy file of float32 rows as they come; how many there are is
// filled in at Commit, so that it need not be known before.
type NPY struct {
	f    *atomicfile.File
	w    *bufio.Writer
	cols int
	n    int // values
}

// headerSize has room for any shape; NumPy asks for a multiple of 64.
const headerSize = 128

// CreateNPY begins a file of rows of cols values. Like every writer here it
// leaves path as it is until Commit; defer Abort.
func CreateNPY(path string, cols int) (*NPY, error) {
	if cols < 0 {
		return nil, fmt.Errorf("write %s: rows of %d values", path, cols)
	}
	f, err := atomicfile.Create(path)
	if err != nil {
		return nil, err
	}
	w := &NPY{f: f, w: bufio.NewWriterSize(f, 1<<16), cols: cols}
	w.w.Write(make([]byte, headerSize)) // fits the buffer
	return w, nil
}

// WriteRows appends rows; len(values) must be a multiple of the row length.
func (w *NPY) WriteRows(values []float32) error {
	if w.cols == 0 && len(values) > 0 || w.cols > 0 && len(values)%w.cols != 0 {
		return fmt.Errorf("write rows: %d values are not whole rows of %d", len(values), w.cols)
	}
	w.n += len(values)
	return plain.Write(w.w, values)
}

// Commit completes the file and puts it in place.
func (w *NPY) Commit() error {
	rows := 0
	if w.cols > 0 {
		rows = w.n / w.cols
	}
	return w.commit(rows)
}

func (w *NPY) commit(rows int) error {
	if err := w.w.Flush(); err != nil {
		return err
	}
	if _, err := w.f.WriteAt(npyHeader("<f4", fmt.Sprintf("(%d, %d)", rows, w.cols)), 0); err != nil {
		return err
	}
	return w.f.Commit()
}

// Abort throws the file away. After Commit it does nothing.
func (w *NPY) Abort() { w.f.Abort() }

// EncodeDense writes m to w as the bytes that WriteDense makes a file of.
func EncodeDense(w io.Writer, m *matrix.Dense) error {
	if _, err := w.Write(denseHeader(m)); err != nil {
		return err
	}
	return plain.Write(w, m.Data)
}

func denseHeader(m *matrix.Dense) []byte {
	return npyHeader("<f4", fmt.Sprintf("(%d, %d)", m.Rows, m.Cols))
}

// WriteDense writes m as a .npy file of float32.
func WriteDense(path string, m *matrix.Dense) error {
	w, err := CreateNPY(path, m.Cols)
	if err != nil {
		return err
	}
	defer w.Abort()
	if err := w.WriteRows(m.Data); err != nil {
		return err
	}
	return w.commit(m.Rows)
}

// npyHeader returns a version 1 header of headerSize bytes in C order.
func npyHeader(descr, shape string) []byte {
	b := append([]byte(npyMagic), 1, 0, headerSize-10, 0)
	b = fmt.Appendf(b, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", descr, shape)
	for len(b) < headerSize-1 {
		b = append(b, ' ')
	}
	return append(b, '\n')
}

// WriteCSR writes m as scipy.sparse.save_npz writes a CSR matrix of float32.
// The bytes are a function of m alone.
func WriteCSR(path string, m *matrix.CSR) error {
	return atomicfile.WriteFile(path, func(w io.Writer) error {
		if err := EncodeCSR(w, m); err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
		return nil
	})
}

// EncodeCSR writes m to w as the bytes that WriteCSR makes a file of.
func EncodeCSR(w io.Writer, m *matrix.CSR) error {
	if err := m.Validate(); err != nil {
		return err
	}
	z := zip.NewWriter(w)
	// Weights hardly compress: more effort would cost time and save little.
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestSpeed)
	})
	if err := writeMembers(z, m); err != nil {
		return err
	}
	return z.Close()
}

func writeMembers(z *zip.Writer, m *matrix.CSR) error {
	if err := member(z, "indices", "<i4", m.Indices); err != nil {
		return err
	}
	// SciPy wants indices and indptr of one width where they fit.
	var err error
	if m.NNZ() <= math.MaxInt32 {
		narrow := make([]int32, len(m.Indptr))
		for i, v := range m.Indptr {
			narrow[i] = int32(v)
		}
		err = member(z, "indptr", "<i4", narrow)
	} else {
		err = member(z, "indptr", "<i8", m.Indptr)
	}
	if err != nil {
		return err
	}
	w, err := z.Create("format.npy")
	if err != nil {
		return err
	}
	if _, err := w.Write(append(npyHeader("|S3", "()"), "csr"...)); err != nil {
		return err
	}
	if err := member(z, "shape", "<i8", []int64{int64(m.Rows), int64(m.Cols)}); err != nil {
		return err
	}
	return member(z, "data", "<f4", m.Data)
}

// member writes a one-dimensional array.
func member[T plain.Number](z *zip.Writer, name, descr string, values []T) error {
	w, err := z.Create(name + ".npy")
	if err != nil {
		return err
	}
	if _, err := w.Write(npyHeader(descr, fmt.Sprintf("(%d,)", len(values)))); err != nil {
		return err
	}
	return plain.Write(w, values)
}
