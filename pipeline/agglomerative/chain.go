package agglomerative

import (
	"context"
	"math"
	"sort"

	"github.com/bertopic-go/bertopic/internal/par"
)

// clusters is a set of clusters that the chain may merge.
type clusters interface {
	// nearest returns the cluster among the active closest to x, other than x,
	// and its distance. It keeps prefer (at distance bound) unless another is
	// strictly closer; prefer is -1 at an infinite bound where there is none.
	// Ties go to the lower number.
	nearest(x int, active []int32, prefer int, bound float64) (int, float64)
	distance(x, y int) float64
	// merge puts x and y together under the name y.
	merge(x, y int, active []int32)
}

// chain merges n clusters into one by following chains of nearest neighbours
// (Murtagh, 1983): n^2 distances for linkages where a merge never comes closer
// to a third cluster than its parts were.
func chain(ctx context.Context, c clusters, n int) ([]Merge, error) {
	active := make([]int32, n)
	for i := range active {
		active[i] = int32(i)
	}
	raw := make([]Merge, 0, n-1)
	var path []int
	for len(raw) < n-1 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if len(path) == 0 {
			path = append(path, int(active[0]))
		}
		var x, y int
		var distance float64
		for {
			x = path[len(path)-1]
			prefer, bound := -1, math.Inf(1)
			if len(path) > 1 {
				prefer = path[len(path)-2]
				bound = c.distance(x, prefer)
			}
			y, distance = c.nearest(x, active, prefer, bound)
			if y == prefer {
				break
			}
			path = append(path, y)
		}
		path = path[:len(path)-2]
		if x > y {
			x, y = y, x
		}
		at := sort.Search(len(active), func(i int) bool { return int(active[i]) >= x })
		active = append(active[:at], active[at+1:]...)
		raw = append(raw, Merge{A: int32(x), B: int32(y), Distance: distance})
		c.merge(x, y, active)
	}
	return relabel(raw, n), nil
}

// relabel sorts merges of representatives by distance and names clusters by
// the merge that made them.
func relabel(raw []Merge, n int) []Merge {
	sort.SliceStable(raw, func(a, b int) bool { return raw[a].Distance < raw[b].Distance })
	parent, name, size := make([]int32, n), make([]int32, n), make([]int32, n)
	for i := range parent {
		parent[i], name[i], size[i] = int32(i), int32(i), 1
	}
	find := func(x int32) int32 {
		for parent[x] != x {
			parent[x] = parent[parent[x]]
			x = parent[x]
		}
		return x
	}
	for i := range raw {
		a, b := find(raw[i].A), find(raw[i].B)
		raw[i].A, raw[i].B = min(name[a], name[b]), max(name[a], name[b])
		parent[a] = b
		size[b] += size[a]
		name[b] = int32(n + i)
		raw[i].Size = size[b]
	}
	return raw
}

// condensed holds the distance of each pair of clusters.
type condensed struct {
	n       int
	linkage Linkage
	d       []float64 // pair (i, j), i < j, at start[i] + j
	start   []int
	sizes   []int
}

func newCondensed(n int, l Linkage) *condensed {
	c := &condensed{n: n, linkage: l, d: make([]float64, n*(n-1)/2), start: make([]int, n), sizes: make([]int, n)}
	at := 0
	for i := range n {
		c.start[i] = at - i - 1
		at += n - i - 1
		c.sizes[i] = 1
	}
	return c
}

func (c *condensed) fill(threads int, f func(i, j int) float64) {
	par.Blocks(threads, c.n, 16, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			for j := i + 1; j < c.n; j++ {
				c.d[c.start[i]+j] = f(i, j)
			}
		}
	})
}

func (c *condensed) distance(x, y int) float64 {
	if x > y {
		x, y = y, x
	}
	return c.d[c.start[x]+y]
}

func (c *condensed) nearest(x int, active []int32, prefer int, bound float64) (int, float64) {
	k := 0
	for ; k < len(active) && int(active[k]) < x; k++ {
		i := int(active[k])
		if v := c.d[c.start[i]+x]; v < bound {
			prefer, bound = i, v
		}
	}
	row := c.start[x]
	for _, i := range active[k:] {
		if int(i) == x {
			continue
		}
		if v := c.d[row+int(i)]; v < bound {
			prefer, bound = int(i), v
		}
	}
	return prefer, bound
}

// merge updates the distances by the formulas of Lance and Williams (1967).
func (c *condensed) merge(x, y int, active []int32) {
	sx, sy := float64(c.sizes[x]), float64(c.sizes[y])
	dxy := c.distance(x, y)
	for _, i32 := range active {
		i := int(i32)
		if i == y {
			continue
		}
		a, b := c.distance(x, i), c.distance(y, i)
		var v float64
		switch c.linkage {
		case Average:
			v = (sx*a + sy*b) / (sx + sy)
		case Complete:
			v = max(a, b)
		case Ward:
			si := float64(c.sizes[i])
			v = math.Sqrt(max(0, ((si+sx)*a*a+(si+sy)*b*b-si*dxy*dxy)/(si+sx+sy)))
		}
		lo, hi := min(i, y), max(i, y)
		c.d[c.start[lo]+hi] = v
	}
	c.sizes[y] += c.sizes[x]
}

// centroids holds clusters under ward linkage by their means and sizes, which
// is all that their distances depend on.
type centroids struct {
	d       int
	mean    []float64
	sizes   []int
	threads int
}

func newCentroids(points []float64, n, d, threads int) *centroids {
	c := &centroids{d: d, mean: append([]float64(nil), points...), sizes: make([]int, n), threads: threads}
	for i := range c.sizes {
		c.sizes[i] = 1
	}
	return c
}

func (c *centroids) row(i int) []float64 { return c.mean[i*c.d : (i+1)*c.d] }

func (c *centroids) squared(x, y int) float64 {
	sx, sy := float64(c.sizes[x]), float64(c.sizes[y])
	return 2 * sx * sy / (sx + sy) * square(c.row(x), c.row(y))
}

func (c *centroids) distance(x, y int) float64 { return math.Sqrt(c.squared(x, y)) }

func (c *centroids) nearest(x int, active []int32, prefer int, bound float64) (int, float64) {
	if prefer >= 0 {
		bound = c.squared(x, prefer)
	}
	at, best := scan(len(active), c.d, c.threads, func(lo, hi int) (int, float64) {
		at, best := -1, math.Inf(1)
		sx := float64(c.sizes[x])
		try := func(i int32, square float64) {
			sy := float64(c.sizes[i])
			if v := 2 * sx * sy / (sx + sy) * square; v < best && int(i) != x {
				at, best = int(i), v
			}
		}
		p := c.row(x)
		k := lo
		for ; k+4 <= hi; k += 4 {
			i := active[k : k+4 : k+4]
			s0, s1, s2, s3 := square4(p, c.row(int(i[0])), c.row(int(i[1])), c.row(int(i[2])), c.row(int(i[3])))
			try(i[0], s0)
			try(i[1], s1)
			try(i[2], s2)
			try(i[3], s3)
		}
		for ; k < hi; k++ {
			try(active[k], square(p, c.row(int(active[k]))))
		}
		return at, best
	})
	if prefer < 0 || best < bound {
		prefer, bound = at, best
	}
	return prefer, math.Sqrt(bound)
}

func (c *centroids) merge(x, y int, _ []int32) {
	sx, sy := float64(c.sizes[x]), float64(c.sizes[y])
	a, b := c.row(x), c.row(y)
	for i := range b {
		b[i] = (sx*a[i] + sy*b[i]) / (sx + sy)
	}
	c.sizes[y] += c.sizes[x]
}

// scan returns the least value that f finds over n items and where, the
// earliest among equals. It uses several threads where the items are many.
func scan(n, cost, threads int, f func(lo, hi int) (int, float64)) (int, float64) {
	const grain = 1024
	if n <= grain || n*cost < 1<<15 {
		return f(0, n)
	}
	type found struct {
		at   int
		best float64
	}
	parts := make([]found, (n+grain-1)/grain)
	par.Blocks(threads, n, grain, func(b, lo, hi int) {
		at, best := f(lo, hi)
		parts[b] = found{at, best}
	})
	at, best := -1, math.Inf(1)
	for _, p := range parts {
		if p.best < best {
			at, best = p.at, p.best
		}
	}
	return at, best
}

// square returns the squared distance of p and q, summed in index order.
func square(p, q []float64) float64 {
	q = q[:len(p)]
	var s float64
	for i, v := range p {
		t := v - q[i]
		s += float64(t * t)
	}
	return s
}

// square4 is square for four vectors in one pass.
func square4(p, a, b, c, e []float64) (s0, s1, s2, s3 float64) {
	n := len(p)
	a, b, c, e = a[:n], b[:n], c[:n], e[:n]
	for i, v := range p {
		t := v - a[i]
		s0 += float64(t * t)
		t = v - b[i]
		s1 += float64(t * t)
		t = v - c[i]
		s2 += float64(t * t)
		t = v - e[i]
		s3 += float64(t * t)
	}
	return
}

// spanningTree merges by single linkage: the edges of the minimum spanning tree
// (Prim, 1957), in ascending order.
func spanningTree(ctx context.Context, n, threads int, distance func(i, j int) float64) ([]Merge, error) {
	reach, from := make([]float64, n), make([]int32, n)
	rest := make([]int32, n-1)
	for i := range rest {
		rest[i] = int32(i + 1)
		reach[i+1] = math.Inf(1)
	}
	raw := make([]Merge, 0, n-1)
	at := 0
	for len(rest) > 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		k, best := scan(len(rest), 64, threads, func(lo, hi int) (int, float64) {
			where, best := lo, math.Inf(1)
			for k := lo; k < hi; k++ {
				i := rest[k]
				if v := distance(at, int(i)); v < reach[i] {
					reach[i], from[i] = v, int32(at)
				}
				if reach[i] < best {
					where, best = k, reach[i]
				}
			}
			return where, best
		})
		next := rest[k]
		rest = append(rest[:k], rest[k+1:]...)
		raw = append(raw, Merge{A: from[next], B: next, Distance: best})
		at = int(next)
	}
	return relabel(raw, n), nil
}
