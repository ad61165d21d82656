package hdbscan

import "slices"

// CondensedTree is the tree of clusters. Row i says that Child[i] left the
// cluster Parent[i] at Lambda[i] = 1/distance, together with Size[i] rows.
// Children below n are rows (Size 1), the others are clusters that split off,
// always two at a time. Clusters are numbered from n, the root, upwards, a
// parent before its children.
//
// Lambda is always finite. Rows or points at distance 0 would have an infinite
// one; they get twice the largest finite lambda of the linkage instead, or 1 if
// all rows are identical, so that stabilities stay numbers.
type CondensedTree struct {
	Parent, Child []int32
	Lambda        []float64
	Size          []int32
}

func (t *CondensedTree) add(parent, child int32, lambda float64, size int32) {
	t.Parent = append(t.Parent, parent)
	t.Child = append(t.Child, child)
	t.Lambda = append(t.Lambda, lambda)
	t.Size = append(t.Size, size)
}

// tiny is the distance up to which 1/distance is taken as infinite; beyond it
// sums of lambda x size stay finite.
const tiny = 1e-200

// lambdas turns distances into lambdas under the cap that CondensedTree states.
type lambdas struct{ cap float64 }

func newLambdas(l *linkage) lambdas {
	least := 0.0
	for _, hs := range [][]float64{l.height, l.core} {
		for _, h := range hs {
			if h > tiny && (least == 0 || h < least) {
				least = h
			}
		}
	}
	if least == 0 {
		return lambdas{1}
	}
	return lambdas{2 / least}
}

func (l lambdas) of(distance float64) float64 {
	if distance > tiny {
		return 1 / distance
	}
	return l.cap
}

// condense walks the linkage from the root, level by level as hdbscan does, so
// that clusters get its numbers. A side with fewer than minSize rows falls out
// of its cluster; two sides that are large enough become new clusters.
//
// A point with at least minSize copies is a cluster of its own, of which all
// copies fall out at the core distance.
func condense(l *linkage, g *rowGroups, n, minSize int) CondensedTree {
	m := int32(l.m)
	lam := newLambdas(l)
	var t CondensedTree
	for _, s := range []*[]int32{&t.Parent, &t.Child, &t.Size} {
		*s = slices.Grow(*s, n+n/8)
	}
	t.Lambda = slices.Grow(t.Lambda, n+n/8)

	type kept struct{ node, cluster int32 }
	queue := []kept{{2*m - 2, int32(n)}}
	next := int32(n) + 1
	var stack []int32
	fall := func(node, cluster int32, lambda float64) {
		stack = append(stack[:0], node)
		for len(stack) > 0 {
			k := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if k >= m {
				stack = append(stack, l.right[k-m], l.left[k-m])
				continue
			}
			for _, r := range g.rows[g.start[k]:g.start[k+1]] {
				t.add(cluster, r, lambda, 1)
			}
		}
	}
	for i := 0; i < len(queue); i++ {
		node, cluster := queue[i].node, queue[i].cluster
		if node < m {
			fall(node, cluster, lam.of(l.core[node]))
			continue
		}
		left, right, lambda := l.left[node-m], l.right[node-m], lam.of(l.height[node-m])
		bigLeft, bigRight := int(l.rows[left]) >= minSize, int(l.rows[right]) >= minSize
		if bigLeft && bigRight {
			t.add(cluster, next, lambda, l.rows[left])
			t.add(cluster, next+1, lambda, l.rows[right])
			queue = append(queue, kept{left, next}, kept{right, next + 1})
			next += 2
			continue
		}
		for _, side := range [2]struct {
			node int32
			big  bool
		}{{left, bigLeft}, {right, bigRight}} {
			if side.big {
				queue = append(queue, kept{side.node, cluster})
			} else {
				fall(side.node, cluster, lambda)
			}
		}
	}
	return t
}

// simplify merges sibling clusters of which the shorter-lived one lives less
// than threshold, from the leaves up: cluster_selection_persistence. The rows
// of the two join the parent. Where the longer-lived sibling has children of
// its own, it continues as the parent, and the direct rows of the other leave
// at the lambda of the split.
func simplify(t CondensedTree, n int, threshold float64) CondensedTree {
	k := clusterCount(t, n)
	leaf := make([]bool, k)
	life := make([]float64, k) // the lambda at which the last of a cluster is gone
	pairs := make([]int, 0, k/2)
	for i := range leaf {
		leaf[i] = true
	}
	for i, p := range t.Parent {
		life[int(p)-n] = max(life[int(p)-n], t.Lambda[i])
		if int(t.Child[i]) >= n {
			leaf[int(p)-n] = false
			if len(pairs) == 0 || t.Parent[pairs[len(pairs)-1]] != p {
				pairs = append(pairs, i)
			}
		}
	}
	into := make([]int32, k) // cluster -> the one it becomes part of
	death := make([]float64, k)
	for i := range into {
		into[i] = int32(i)
	}
	for _, i := range slices.Backward(pairs) {
		p, a, b := int(t.Parent[i])-n, int(t.Child[i])-n, int(t.Child[i+1])-n
		life[p] = max(life[p], life[a], life[b])
		if min(life[a], life[b])-t.Lambda[i] >= threshold {
			continue
		}
		long, short := b, a
		if life[a] > life[b] {
			long, short = a, b
		}
		if leaf[long] {
			leaf[p] = true
		} else {
			death[short] = t.Lambda[i]
		}
		into[a], into[b] = int32(p), int32(p)
	}
	// Parents come first, so one pass resolves chains; what stays is renumbered.
	number := make([]int32, k)
	kept := int32(0)
	for c := range into {
		if int(into[c]) == c {
			number[c] = int32(n) + kept
			kept++
		} else {
			into[c] = into[into[c]]
			number[c] = number[into[c]]
		}
	}
	var out CondensedTree
	for i, p := range t.Parent {
		child, lambda := t.Child[i], t.Lambda[i]
		if int(child) >= n {
			c := int(child) - n
			if int(into[c]) != c {
				continue
			}
			child = number[c]
		}
		if d := death[int(p)-n]; d > 0 {
			lambda = d
		}
		out.add(number[int(p)-n], child, lambda, t.Size[i])
	}
	return out
}

// clusterCount is the number of clusters of a tree over n rows, the root included.
func clusterCount(t CondensedTree, n int) int {
	k := 1
	for _, c := range t.Child {
		k = max(k, int(c)-n+1)
	}
	return k
}
