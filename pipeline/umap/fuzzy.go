package umap

import (
	"math"
	"slices"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/par"
	"github.com/bertopic-go/bertopic/pipeline/knn"
)

const (
	smoothTolerance = 1e-5 // of the sum of memberships
	smoothSteps     = 64
	minScale        = 1e-3 // the least sigma, as a part of the mean distance
)

// smooth finds the scale of each neighbourhood: rho, the distance up to which
// a neighbour counts as fully connected, and sigma, for which the memberships
// exp(-(d-rho)/sigma) of columns 1 and on sum to log2(k), k being the number of
// columns (smooth_knn_dist of umap-learn, in float32 as there). Missing
// neighbours have no membership. mean is the mean distance of all the data,
// which bounds sigma from below where rho is 0.
func smooth(g *knn.Graph, localConnectivity, mean float64, threads int) (sigmas, rhos []float32) {
	sigmas, rhos = make([]float32, g.N), make([]float32, g.N)
	target := float32(math.Log2(float64(g.K)))
	par.Blocks(threads, g.N, 256, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			_, dist := g.Row(i)
			sigmas[i], rhos[i] = smoothRow(dist, target, localConnectivity, mean)
		}
	})
	return sigmas, rhos
}

func smoothRow(dist []float32, target float32, localConnectivity, mean float64) (sigma, rho float32) {
	present := dist
	if p := slices.IndexFunc(dist, func(d float32) bool { return math.IsInf(float64(d), 1) }); p >= 0 {
		present = dist[:p]
	}
	rho = nearest(present, localConnectivity)
	lo, hi, mid := float32(0), float32(math.MaxFloat32), float32(1)
	for range smoothSteps {
		var sum float32
		for _, d := range present[min(1, len(present)):] {
			if e := d - rho; e > 0 {
				sum += float32(math.Exp(float64(-e / mid)))
			} else {
				sum++
			}
		}
		if e := sum - target; e < smoothTolerance && e > -smoothTolerance {
			break
		}
		if sum > target {
			hi = mid
			mid = (lo + hi) / 2
		} else {
			lo = mid
			if hi == math.MaxFloat32 {
				mid *= 2
			} else {
				mid = (lo + hi) / 2
			}
		}
	}
	least := mean
	if rho > 0 {
		least = meanOf(present)
	}
	return max(mid, float32(minScale*least)), rho
}

// nearest is the distance of the localConnectivity-th neighbour at a distance
// above 0, interpolated for the fraction.
func nearest(dist []float32, localConnectivity float64) float32 {
	first := slices.IndexFunc(dist, func(d float32) bool { return d > 0 })
	if first < 0 {
		return 0
	}
	positive := dist[first:]
	if float64(len(positive)) < localConnectivity {
		return slices.Max(positive)
	}
	whole := int(localConnectivity)
	part := localConnectivity - float64(whole)
	if whole == 0 {
		return float32(part * float64(positive[0]))
	}
	rho := float64(positive[whole-1])
	if part > smoothTolerance {
		rho += part * float64(positive[whole]-positive[whole-1])
	}
	return float32(rho)
}

func meanOf(dist []float32) float64 {
	var sum float64
	for _, d := range dist {
		sum += float64(d)
	}
	return sum / float64(max(1, len(dist)))
}

// meanDistance is the mean of all distances that are not missing.
func meanDistance(g *knn.Graph) float64 {
	var sum float64
	count := 0
	for i, d := range g.Distances {
		if g.Indices[i] >= 0 {
			sum += float64(d)
			count++
		}
	}
	return sum / float64(max(1, count))
}

// membership is the strength of a neighbour at distance d.
func membership(d, sigma, rho float32) float32 {
	if d <= rho || sigma == 0 {
		return 1
	}
	return float32(math.Exp(float64(-(d - rho) / sigma)))
}

// fuzzy joins the neighbourhoods of all rows into one symmetric graph, n x n,
// without loops: mix*(A + A' - A.A') + (1-mix)*A.A', where A holds the
// memberships and . is the product by elements (fuzzy_simplicial_set of
// umap-learn). Columns ascend; weights of 0 are left out.
func fuzzy(g *knn.Graph, sigmas, rhos []float32, mix float64, threads int) *matrix.CSR {
	n := g.N
	a := memberships(g, sigmas, rhos, threads)
	t := transpose(a)
	counts := make([]int64, n+1)
	join := func(emit func(i int, at int64, col int32, w float32)) {
		par.Blocks(threads, n, 512, func(_, lo, hi int) {
			for i := lo; i < hi; i++ {
				ac, av := a.Row(i)
				tc, tv := t.Row(i)
				at := counts[i]
				for p, q := 0, 0; p < len(ac) || q < len(tc); {
					var x, y float32
					var col int32
					switch {
					case q == len(tc) || p < len(ac) && ac[p] < tc[q]:
						col, x = ac[p], av[p]
						p++
					case p == len(ac) || tc[q] < ac[p]:
						col, y = tc[q], tv[q]
						q++
					default:
						col, x, y = ac[p], av[p], tv[q]
						p, q = p+1, q+1
					}
					if w := union(x, y, mix); w > 0 {
						emit(i, at, col, w)
						at++
					}
				}
			}
		})
	}
	sizes := make([]int64, n)
	join(func(i int, _ int64, _ int32, _ float32) { sizes[i]++ })
	for i, s := range sizes {
		counts[i+1] = counts[i] + s
	}
	out := &matrix.CSR{Rows: n, Cols: n, Indptr: counts, Indices: make([]int32, counts[n]), Data: make([]float32, counts[n])}
	join(func(_ int, at int64, col int32, w float32) { out.Indices[at], out.Data[at] = col, w })
	return out
}

// union is symmetric in x and y, bit for bit.
func union(x, y float32, mix float64) float32 {
	p := float64(x) * float64(y)
	return float32(float64(mix*(float64(x)+float64(y)-p)) + float64((1-mix)*p))
}

// memberships is A: row i holds the neighbours of row i, itself left out, in
// ascending order.
func memberships(g *knn.Graph, sigmas, rhos []float32, threads int) *matrix.CSR {
	n := g.N
	a := &matrix.CSR{Rows: n, Cols: n, Indptr: make([]int64, n+1)}
	for i := range n {
		idx, _ := g.Row(i)
		size := int64(0)
		for _, j := range idx {
			if j >= 0 && int(j) != i {
				size++
			}
		}
		a.Indptr[i+1] = a.Indptr[i] + size
	}
	a.Indices, a.Data = make([]int32, a.Indptr[n]), make([]float32, a.Indptr[n])
	par.Blocks(threads, n, 512, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			idx, dist := g.Row(i)
			cols, vals := a.Row(i)
			size := 0
			for c, j := range idx {
				if j < 0 || int(j) == i {
					continue
				}
				w := membership(dist[c], sigmas[i], rhos[i])
				p := size
				for ; p > 0 && cols[p-1] > j; p-- {
					cols[p], vals[p] = cols[p-1], vals[p-1]
				}
				cols[p], vals[p] = j, w
				size++
			}
		}
	})
	return a
}

func transpose(a *matrix.CSR) *matrix.CSR {
	t := &matrix.CSR{Rows: a.Cols, Cols: a.Rows, Indptr: make([]int64, a.Cols+1),
		Indices: make([]int32, len(a.Indices)), Data: make([]float32, len(a.Data))}
	for _, c := range a.Indices {
		t.Indptr[c+1]++
	}
	for c := range a.Cols {
		t.Indptr[c+1] += t.Indptr[c]
	}
	next := slices.Clone(t.Indptr[:a.Cols])
	for i := range a.Rows {
		cols, vals := a.Row(i)
		for p, c := range cols {
			t.Indices[next[c]], t.Data[next[c]] = int32(i), vals[p]
			next[c]++
		}
	}
	return t
}
