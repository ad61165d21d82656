package pipeline

import (
	"fmt"
	"time"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/par"
	"github.com/bertopic-go/bertopic/pipeline/knn"
)

// Matrix is a matrix of vectors: *Dense or *CSR.
type Matrix = matrix.Matrix

// Dense is a row-major float32 matrix.
type Dense = matrix.Dense

// CSR is a float32 matrix in compressed sparse rows.
type CSR = matrix.CSR

// Status says how a row fared on its way to a topic.
type Status string

// The statuses of a row. All but OK and Truncated leave it without a topic.
const (
	OK           Status = "ok"
	Empty        Status = "empty"        // nothing to embed
	OOV          Status = "oov"          // no word that the embedder knows
	Truncated    Status = "truncated"    // embedded from its beginning only
	Failed       Status = "failed"       // the embedder, or the vector, was no good
	Disconnected Status = "disconnected" // as far from every other row as can be
)

// RowStatus is a Status with what is to be told about it.
type RowStatus struct {
	Status     Status
	TokensLost int    // with Truncated
	Reason     string // with Failed
}

// HasVector reports whether a row of this status takes part.
func (s RowStatus) HasVector() bool { return s.Status == OK || s.Status == Truncated || s.Status == "" }

// String writes the status with its detail: "truncated(12)", "failed(reason)".
func (s RowStatus) String() string {
	switch {
	case s.Status == "":
		return string(OK)
	case s.Status == Truncated && s.TokensLost > 0:
		return fmt.Sprintf("%s(%d)", s.Status, s.TokensLost)
	case s.Status == Failed && s.Reason != "":
		return fmt.Sprintf("%s(%s)", s.Status, s.Reason)
	}
	return string(s.Status)
}

// Rows is a corpus as the pipeline sees it: n rows, each with a vector.
type Rows struct {
	IDs      []string    // n long; unique
	Texts    []string    // n long; "" where a row has none; nil: no row has one
	Vectors  Matrix      // n x d; rows whose status has no vector are not looked at
	Statuses []RowStatus // n long; nil: every row is ok
	Classes  []string    // n long or nil: known classes, for quality figures and Result.PerClass only
	Times    []time.Time // n long or nil: the zero time where a row has none; for Result.OverTime only
	Pictures []string    // n long or nil: a name for the first picture of a row, "" where it has none
}

func (r *Rows) validate() error {
	if r.Vectors == nil {
		return fmt.Errorf("fit: no vectors")
	}
	n, _ := r.Vectors.Dims()
	check := func(what string, have int, optional bool) error {
		if have == n || optional && have == 0 {
			return nil
		}
		return fmt.Errorf("fit: %d vectors but %d %s: each row needs one of both", n, have, what)
	}
	for _, err := range []error{
		check("ids", len(r.IDs), false), check("texts", len(r.Texts), true),
		check("statuses", len(r.Statuses), true), check("classes", len(r.Classes), true), check("times", len(r.Times), true), check("pictures", len(r.Pictures), true),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

// Why a row that has a vector takes no part.
const (
	notFinite = "its vector is not finite"
	allZeros  = "its vector is all zeros"
)

// checked returns a copy of the statuses of vectors in which every row has
// failed whose vector is not finite, or is all zeros where the metric compares
// directions: such rows have nothing in common, and would make a topic.
func checked(vectors Matrix, statuses []RowStatus, metric knn.Metric, threads int) []RowStatus {
	n, _ := vectors.Dims()
	out := make([]RowStatus, n)
	par.Blocks(threads, n, 512, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			out[i] = RowStatus{Status: OK}
			if statuses != nil && statuses[i].Status != "" {
				out[i] = statuses[i]
			}
			switch {
			case !out[i].HasVector():
			case !matrix.Finite(vectors, i):
				out[i] = RowStatus{Status: Failed, Reason: notFinite}
			case metric != knn.Euclidean && matrix.ZeroRow(vectors, i):
				out[i] = RowStatus{Status: Failed, Reason: allZeros}
			}
		}
	})
	return out
}
