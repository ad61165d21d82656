package conformance

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/bertopic-go/bertopic/sdk"
	pb "github.com/bertopic-go/bertopic/sdk/proto"
)

// answer is what came back for a batch, read so that one fault does not hide
// what is right beside it.
type answer struct {
	sequence uint64
	v        *pb.Vectors
	form     error // what is wrong with the matrix as such; then it has no rows here

	rows, columns int
	values        [][]float32
	indices       [][]uint32 // of a sparse matrix
}

func readAnswer(r *pb.EmbedResponse, info sdk.Info) *answer {
	a := &answer{sequence: r.GetSequence(), v: r.GetVectors()}
	if a.form = a.read(info); a.form != nil {
		a.rows, a.values, a.indices = 0, nil, nil
	}
	return a
}

func (a *answer) read(info sdk.Info) error {
	v, err := sdk.VectorsFromProto(a.v)
	switch {
	case err != nil:
		return err
	case v.Sparse != nil && !info.Sparse:
		return errors.New("a sparse matrix where a dense one was promised")
	case v.Dense != nil && info.Sparse:
		return errors.New("a dense matrix where a sparse one was promised")
	case v.Dense != nil:
		d := v.Dense
		a.rows, a.columns = d.Rows, d.Columns
		for i := range d.Rows {
			a.values = append(a.values, d.Data[i*d.Columns:(i+1)*d.Columns])
		}
		return nil
	}
	s := v.Sparse
	a.rows, a.columns = s.Rows, s.Columns
	switch {
	case len(s.Indptr) != s.Rows+1:
		return fmt.Errorf("%d row pointers for %d rows", len(s.Indptr), s.Rows)
	case s.Indptr[0] != 0:
		return fmt.Errorf("the first row pointer is %d, not 0", s.Indptr[0])
	case len(s.Indices) != len(s.Data) || int64(len(s.Data)) != int64(s.Indptr[s.Rows]):
		return fmt.Errorf("%d column indices and %d values where the last row pointer says %d", len(s.Indices), len(s.Data), s.Indptr[s.Rows])
	}
	for i := range s.Rows {
		from, to := s.Indptr[i], s.Indptr[i+1]
		if from > to || int64(to) > int64(len(s.Data)) {
			return fmt.Errorf("row %d: row pointers %d and %d don't ascend", i, from, to)
		}
		row := s.Indices[from:to]
		for j, c := range row {
			if int64(c) >= int64(s.Columns) {
				return fmt.Errorf("row %d: column %d of %d", i, c, s.Columns)
			}
			if j > 0 && row[j-1] >= c {
				return fmt.Errorf("row %d: column %d after %d: columns must ascend", i, c, row[j-1])
			}
		}
		a.values, a.indices = append(a.values, s.Data[from:to]), append(a.indices, row)
	}
	return nil
}

// status returns the status of row i, the first one that is given.
func (a *answer) status(i int) sdk.RowStatus {
	for _, s := range a.v.GetStatuses() {
		if int(s.GetRow()) == i {
			return sdk.RowStatus{Row: i, Status: sdk.Status(s.GetStatus()), TokensLost: int(s.GetTokensLost()), Reason: s.GetReason()}
		}
	}
	return sdk.RowStatus{Row: i}
}

// without reports whether the status of row i says that it has no vector.
func (a *answer) without(i int) bool {
	s := a.status(i).Status
	return s == sdk.Empty || s == sdk.OOV || s == sdk.Failed
}

// bits is everything that was answered for row i, to be compared.
func (a *answer) bits(i int) string {
	if i >= a.rows {
		return "no row"
	}
	s := a.status(i)
	b := fmt.Appendf(nil, "%d %d;", s.Status, s.TokensLost)
	if a.indices != nil {
		for _, c := range a.indices[i] {
			b = binary.LittleEndian.AppendUint32(b, c)
		}
	}
	for _, x := range a.values[i] {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return string(b)
}

// dense is row i with its zeros.
func (a *answer) dense(i int) []float64 {
	row := make([]float64, a.columns)
	for j, x := range a.values[i] {
		if a.indices != nil {
			row[a.indices[i][j]] = float64(x)
		} else {
			row[j] = float64(x)
		}
	}
	return row
}

// square is the sum of the squares of row i.
func (a *answer) square(i int) float64 {
	sum := 0.0
	for _, x := range a.values[i] {
		sum += float64(x) * float64(x)
	}
	return sum
}

// distance is how far row i of a is from row j of b, in proportion to their
// lengths: 0 for equal vectors, about 1.4 for orthogonal ones.
func distance(a *answer, i int, b *answer, j int) float64 {
	x, y := a.dense(i), b.dense(j)
	if len(x) != len(y) {
		return math.Inf(1)
	}
	return apart(x, y)
}
