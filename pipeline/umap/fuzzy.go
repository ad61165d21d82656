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
	others := present[min(1, len(present)):]
	low, high := scaleBounds(others, rho, target)
	lo, hi, mid := float32(0), float32(math.MaxFloat32), float32(1)
	for range smoothSteps {
		above := mid >= high
		if !above && mid > low {
			sum := membershipSum(others, rho, mid)
			if e := sum - target; e < smoothTolerance && e > -smoothTolerance {
				break
			}
			above = sum > target
		}
		if above {
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

// membershipSum is the sum of the memberships of neighbours at dist.
func membershipSum(dist []float32, rho, sigma float32) float32 {
	var sum float32
	for _, d := range dist {
		if e := d - rho; e > 0 {
			sum += float32(math.Exp(float64(-e / sigma)))
		} else {
			sum++
		}
	}
	return sum
}

// scaleBounds are two scales near the one that is searched for: up to low the
// memberships come to less than target, from high on to more, by several times
// smoothTolerance. So a search by halves, which has to end where umap-learn's
// does, need not add them up there. Without such bounds they are 0 and infinite.
//
// The logarithm of the sum is a convex function of 1/sigma. Newton's method starts
// where it is not below the target, as the mean of exponentials is not below that
// of the mean, and closes in from there.
func scaleBounds(dist []float32, rho, target float32) (low, high float32) {
	low, high = 0, float32(math.Inf(1))
	var far, mean float64
	for _, d := range dist {
		if e := d - rho; e > 0 {
			far++
			mean += float64(e)
		}
	}
	want := float64(target) - (float64(len(dist)) - far)
	if want <= 0 || want >= far {
		return low, high
	}
	inverse := math.Log(far/want) * far / mean
	for range 6 {
		var sum, slope float64
		for _, d := range dist {
			if e := float64(d - rho); e > 0 {
				m := math.Exp(-e * inverse)
				sum += m
				slope += e * m
			}
		}
		miss, slope := sum-want, slope*inverse // of the sum, by the logarithm of sigma
		if !(slope > 0.05) {
			return low, high
		}
		if math.Abs(miss) < 1e-3 {
			// The slope changes by a few percent on so short a way.
			room := 8*smoothTolerance + 1e-6*float64(len(dist)) // for the rounding of a float32 sum
			sigma := 1 / inverse
			return float32(sigma * (1 - 1.2*(max(0, miss)+room)/slope)), float32(sigma * (1 + 1.2*(max(0, -miss)+room)/slope))
		}
		inverse += sum * math.Log(sum/want) / slope * inverse
	}
	return low, high
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
