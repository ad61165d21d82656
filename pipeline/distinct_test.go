package pipeline

import (
	"math"
	"reflect"
	"testing"

	"github.com/bertopic-go/bertopic/internal/matrix"
)

func TestDistinctRows(t *testing.T) {
	minusZero := float32(math.Copysign(0, -1))
	dense := &Dense{Rows: 7, Cols: 5, Data: []float32{
		1, 2, 3, 4, 5,
		0, 0, 0, 0, 1,
		1, 2, 3, 4, 5,
		1, 2, 3, 4, 6,
		minusZero, 0, 0, minusZero, 1,
		5, 4, 3, 2, 1,
		1, 2, 3, 4, 6,
	}}
	sparse := matrix.Sparse(dense)
	stored := &CSR{Rows: 2, Cols: 5, Indptr: []int64{0, 3, 4}, Indices: []int32{0, 2, 4, 4}, Data: []float32{0, minusZero, 1, 1}} // zeros as entries
	want := distinct{first: []int{0, 1, 3, 5}, group: []int{0, 1, 0, 2, 1, 3, 2}, size: []int{2, 2, 2, 1}}
	for _, threads := range []int{1, 3} {
		for _, m := range []Matrix{dense, sparse} {
			if got := distinctRows(m, count(7), threads); !reflect.DeepEqual(got, want) {
				t.Errorf("%T: %+v", m, got)
			}
			if got := distinctRows(m, []int{6, 3, 1}, threads); !reflect.DeepEqual(got, distinct{first: []int{6, 1}, group: []int{0, 0, 1}, size: []int{2, 1}}) {
				t.Errorf("%T, some rows: %+v", m, got)
			}
		}
		if got := distinctRows(stored, count(2), threads); len(got.first) != 1 {
			t.Errorf("entries of zero count: %+v", got)
		}
	}
}

// Rows of one hash that differ are told apart.
func TestRowIndexSurvivesCollisions(t *testing.T) {
	m := &Dense{Rows: 4, Cols: 2, Data: []float32{1, 2, 3, 4, 5, 6, 3, 4}}
	x := newRowIndex(m, 3)
	for i := range 3 {
		if _, ok := x.find(m, i, 7); ok {
			t.Fatalf("row %d is there before it is added", i)
		}
		x.add(i, 7)
	}
	for i, want := range []int{0, 1, 2, 1} {
		if got, ok := x.find(m, i, 7); !ok || got != want {
			t.Errorf("row %d: %d, %v", i, got, ok)
		}
		if _, ok := x.find(m, i, 8); ok {
			t.Errorf("row %d has a hash that it was not added by", i)
		}
	}
}
