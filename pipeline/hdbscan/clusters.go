package hdbscan

// clusters are the clusters of a condensed tree as flat arrays, indexed by
// cluster id minus n; 0 is the root. Parents come before their children.
type clusters struct {
	n, k      int
	parent    []int32 // -1 for the root
	birth     []float64
	split     []float64 // the lambda at which its children are born; 0 if it has none
	last      []float64 // the largest lambda in the tree's rows of this cluster
	size      []int32   // rows at birth; for the root those of its children, as hdbscan has it
	children  []int32   // children of c are children[first[c]:first[c+1]], ascending
	first     []int32
	rowParent []int32   // row -> the cluster that it falls out of
	rowLambda []float64 // row -> the lambda at which it does
	maxLambda float64   // the largest in the tree

	label    []int32 // cluster -> the label at or above it, or -1; set by assign
	selected []int32 // label -> cluster
}

// newClusters reads a well-formed tree over n rows.
func newClusters(t *CondensedTree, n int) *clusters {
	k := clusterCount(*t, n)
	c := &clusters{
		n: n, k: k, parent: make([]int32, k), birth: make([]float64, k), split: make([]float64, k),
		last: make([]float64, k), size: make([]int32, k), first: make([]int32, k+1),
		rowParent: make([]int32, n), rowLambda: make([]float64, n),
	}
	c.parent[0] = -1
	for i, child := range t.Child {
		p, lambda := t.Parent[i]-int32(n), t.Lambda[i]
		c.last[p] = max(c.last[p], lambda)
		c.maxLambda = max(c.maxLambda, lambda)
		if int(child) < n {
			c.rowParent[child], c.rowLambda[child] = p, lambda
			continue
		}
		child -= int32(n)
		c.parent[child], c.birth[child], c.size[child] = p, lambda, t.Size[i]
		c.split[p] = lambda
		c.first[p+1]++
		if p == 0 {
			c.size[0] += t.Size[i]
		}
	}
	for i := range k {
		c.first[i+1] += c.first[i]
	}
	next := append([]int32(nil), c.first...)
	c.children = make([]int32, k-1)
	for i := 1; i < k; i++ {
		p := c.parent[i]
		c.children[next[p]] = int32(i)
		next[p]++
	}
	return c
}

// below returns the children of cluster c.
func (c *clusters) below(i int) []int32 { return c.children[c.first[i]:c.first[i+1]] }

// stabilities sums (lambda - birth) x size over the tree's rows of each cluster.
func (c *clusters) stabilities(t *CondensedTree) []float64 {
	out := make([]float64, c.k)
	for i, p := range t.Parent {
		p -= int32(c.n)
		out[p] += float64((t.Lambda[i] - c.birth[p]) * float64(t.Size[i]))
	}
	return out
}

// assign sets which clusters are selected, by id in the condensed tree,
// ascending, and with it the label of every cluster at or below one of them.
func (c *clusters) assign(selected []int32) {
	c.label = make([]int32, c.k)
	c.selected = make([]int32, len(selected))
	for i := range c.label {
		c.label[i] = -1
	}
	for j, s := range selected {
		c.selected[j] = s - int32(c.n)
		c.label[c.selected[j]] = int32(j)
	}
	for i := 1; i < c.k; i++ {
		if c.label[i] < 0 {
			c.label[i] = c.label[c.parent[i]]
		}
	}
}
