package hdbscan

import (
	"errors"
	"fmt"
	"math"
)

// Restore rebuilds what prediction needs from the fields Params, N, D, Points,
// PredictionCore, Tree and Selected, and checks them: they may come from an
// untrusted file. The error says which field is wrong and where; the model is
// then left as it was. The results (Labels, ...) are not looked at.
//
// Predict, MembershipVectors and PredictMembership give the same bits as on
// the fitted model.
func (m *Model) Restore() error {
	if err := m.check(); err != nil {
		return fmt.Errorf("restore hdbscan model: %w", err)
	}
	p := m.Params.withDefaults()
	points, err := copyPoints(m.Points, m.N, m.D)
	if err != nil {
		return fmt.Errorf("restore hdbscan model: %w", err)
	}
	m.Params, m.Points = p, points
	g := groupRows(points, m.N, m.D)
	t := newKDTree(g.gather(points, m.D), g.len(), m.D, metricOf(p.Metric), p.Threads)
	ct := newClusters(&m.Tree, m.N)
	ct.assign(m.Selected)
	m.idx = newIndex(m, g, t, ct)
	return nil
}

// check reports the first field that newClusters or newIndex could not use.
func (m *Model) check() error {
	if err := m.Params.Validate(); err != nil {
		return fmt.Errorf("params: %w", err)
	}
	if m.N < 1 || m.D < 1 {
		return fmt.Errorf("the shape is %d x %d; both must be at least 1", m.N, m.D)
	}
	if len(m.PredictionCore) != m.N {
		return fmt.Errorf("prediction core holds %d values for %d rows", len(m.PredictionCore), m.N)
	}
	for i, v := range m.PredictionCore {
		if !(v >= 0) || math.IsInf(v, 0) {
			return fmt.Errorf("prediction core of row %d is %v, not a distance", i, v)
		}
	}
	if err := m.Tree.check(m.N); err != nil {
		return fmt.Errorf("condensed tree: %w", err)
	}
	return checkSelected(m.Selected, m.Tree, m.N)
}

// check reports whether every row and every cluster but the root is a child
// exactly once, below a cluster with a smaller number.
func (t *CondensedTree) check(n int) error {
	rows := len(t.Child)
	if len(t.Parent) != rows || len(t.Lambda) != rows || len(t.Size) != rows {
		return fmt.Errorf("its columns have %d, %d, %d and %d entries", len(t.Parent), rows, len(t.Lambda), len(t.Size))
	}
	// n rows and k-1 clusters appear once each, which bounds all ids.
	if rows < n || rows > 2*n {
		return fmt.Errorf("%d entries cannot hold each of %d rows once", rows, n)
	}
	seen := make([]bool, rows+1)
	for i, c := range t.Child {
		p := t.Parent[i]
		switch {
		case c < 0 || int(c) > rows || int(c) == n:
			return fmt.Errorf("entry %d has the child %d, outside of 0..%d or the root", i, c, rows)
		case int(p) < n || int(p) > rows || int(c) >= n && p >= c:
			return fmt.Errorf("entry %d puts %d below %d, which is no cluster above it", i, c, p)
		case seen[c]:
			return fmt.Errorf("entry %d has the child %d a second time", i, c)
		case !(t.Lambda[i] > 0) || math.IsInf(t.Lambda[i], 0):
			return fmt.Errorf("entry %d has the lambda %v; it must be positive and finite", i, t.Lambda[i])
		case t.Size[i] < 1 || int(t.Size[i]) > n:
			return fmt.Errorf("entry %d has the size %d", i, t.Size[i])
		}
		seen[c] = true
	}
	return nil
}

// checkSelected reports whether the selected clusters exist, ascend and do not
// lie within each other.
func checkSelected(selected []int32, t CondensedTree, n int) error {
	k := clusterCount(t, n)
	parent := make([]int32, k)
	for i, c := range t.Child {
		if int(c) >= n {
			parent[int(c)-n] = t.Parent[i] - int32(n)
		}
	}
	within := make([]bool, k) // at or below a selected cluster
	before := int32(n) - 1
	for j, s := range selected {
		if s <= before || int(s) >= n+k {
			return fmt.Errorf("selected cluster %d is %d; it must ascend within %d..%d", j, s, n, n+k-1)
		}
		before = s
		within[int(s)-n] = true
	}
	chosen := append([]bool(nil), within...)
	for c := 1; c < k; c++ {
		if within[parent[c]] {
			if chosen[c] {
				return errors.New("selected clusters lie within each other")
			}
			within[c] = true
		}
	}
	return nil
}
