package kmeans

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/bertopic-go/bertopic/internal/par"
)

// Params says how to cluster. The zero value is Lloyd's k-means with 8
// clusters.
type Params struct {
	K       int       // clusters; 0: 8
	MaxIter int       // Lloyd iterations, or passes over the points in mini-batches; 0: 300, or 100
	Tol     float64   // Lloyd stops when the centres moved less than this part of the mean variance; 0: 1e-4, negative: never
	NInit   int       // starts, of which the lowest inertia wins; 0: 1
	Init    []float64 // K x d start centres; nil: k-means++

	MiniBatch         bool
	BatchSize         int     // rows a step; 0: 1024
	ReassignmentRatio float64 // clusters with less than this part of the largest weight start anew; 0: 0.01, negative: never

	Seed    uint64
	Threads int // 0: all cores; never changes the result
}

// Validate reports every fault of p.
func (p Params) Validate() error {
	var faults []error
	for _, f := range []struct {
		name  string
		value int
	}{{"k", p.K}, {"max_iter", p.MaxIter}, {"n_init", p.NInit}, {"batch_size", p.BatchSize}} {
		if f.value < 0 {
			faults = append(faults, fmt.Errorf("%s is %d: use 1 or more", f.name, f.value))
		}
	}
	if math.IsNaN(p.Tol) || math.IsInf(p.Tol, 0) {
		faults = append(faults, fmt.Errorf("tol is %v: use a finite number", p.Tol))
	}
	if !(p.ReassignmentRatio <= 1) {
		faults = append(faults, fmt.Errorf("reassignment_ratio is %v: use at most 1", p.ReassignmentRatio))
	}
	return errors.Join(faults...)
}

func (p Params) withDefaults() Params {
	if p.K == 0 {
		p.K = 8
	}
	if p.MaxIter == 0 {
		p.MaxIter = 300
		if p.MiniBatch {
			p.MaxIter = 100
		}
	}
	if p.Tol == 0 {
		p.Tol = 1e-4
	}
	if p.NInit == 0 {
		p.NInit = 1
	}
	if p.BatchSize == 0 {
		p.BatchSize = 1024
	}
	if p.ReassignmentRatio == 0 {
		p.ReassignmentRatio = 0.01
	}
	return p
}

// Model is a fitted clustering. K, D and Centers suffice for Predict.
type Model struct {
	Params     Params // with the defaults filled in, Init left out
	K          int    // clusters: Params.K, or the number of different points where that is less
	D          int
	Centers    []float64 // K x D, row-major
	Labels     []int32   // n: the nearest centre, ties to the lower number
	Inertia    float64   // sum of the squared distances to the nearest centre
	Iterations int       // Lloyd iterations, or mini-batch steps
	Converged  bool      // false: MaxIter was reached
}

// Clamped reports whether there are fewer clusters than asked for.
func (m *Model) Clamped() bool { return m.K < m.Params.K }

// Note is one sentence on fewer clusters than asked for or on a run that did
// not converge, "" without either.
func (m *Model) Note() string {
	switch {
	case m.Clamped():
		return fmt.Sprintf("k-means found %d of the %d clusters asked for: there are no more different points", m.K, m.Params.K)
	case !m.Converged:
		return fmt.Sprintf("k-means stopped after %d iterations without convergence: raise max_iter", m.Iterations)
	}
	return ""
}

// Fit clusters the n points of d values (row-major).
//
// It fails on no points, on values that are not finite and on bad parameters.
func Fit(ctx context.Context, points []float64, n, d int, p Params) (*Model, error) {
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("k-means: %w", err)
	}
	p = p.withDefaults()
	if err := checkPoints(points, n, d); err != nil {
		return nil, fmt.Errorf("k-means: %w", err)
	}
	if n == 0 || d == 0 {
		return nil, fmt.Errorf("k-means: no points to cluster (%d x %d)", n, d)
	}
	init := p.Init
	if init != nil {
		if len(init) != p.K*d {
			return nil, fmt.Errorf("k-means: %d start values given for %d centres of %d values", len(init), p.K, d)
		}
		if err := checkPoints(init, p.K, d); err != nil {
			return nil, fmt.Errorf("k-means: start centres: %w", err)
		}
		p.NInit = 1
	}
	p.Init = nil
	s := &solver{x: points, n: n, d: d, p: p}
	var best *Model
	for run := range p.NInit {
		m, err := s.run(ctx, init, uint64(run))
		if err != nil {
			return nil, fmt.Errorf("k-means: %w", err)
		}
		if best == nil || m.Inertia < best.Inertia {
			best = m
		}
	}
	return best, nil
}

func checkPoints(points []float64, n, d int) error {
	if n < 0 || d < 0 || len(points) != n*d {
		return fmt.Errorf("%d values given for %d points of %d values", len(points), n, d)
	}
	for i, v := range points {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("point %d holds %v: leave it out", i/d, v)
		}
	}
	return nil
}

// Predict returns the nearest centre of each of the points (rows of D values),
// ties to the lower number. Each point's label depends on that point alone.
func (m *Model) Predict(ctx context.Context, points []float64) ([]int32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if m.D == 0 || len(m.Centers) != m.K*m.D || m.K == 0 {
		return nil, fmt.Errorf("k-means: the model is damaged: %d values for %d centres of %d values", len(m.Centers), m.K, m.D)
	}
	if len(points)%m.D != 0 {
		return nil, fmt.Errorf("k-means: %d values are no points of %d values", len(points), m.D)
	}
	n := len(points) / m.D
	if err := checkPoints(points, n, m.D); err != nil {
		return nil, fmt.Errorf("k-means: %w", err)
	}
	labels, dist := make([]int32, n), make([]float64, n)
	assign(labels, dist, points, m.Centers, n, m.D, m.Params.Threads)
	return labels, nil
}

// solver holds what the runs of one Fit share.
type solver struct {
	x    []float64
	n, d int
	p    Params
}

func (s *solver) run(ctx context.Context, init []float64, run uint64) (*Model, error) {
	m := &Model{Params: s.p, D: s.d}
	if s.p.MiniBatch {
		if init == nil {
			init = s.batchStart(run)
		}
		m.Centers = append([]float64(nil), init...)
		m.K = len(m.Centers) / s.d
		if err := s.miniBatch(ctx, m, run); err != nil {
			return nil, err
		}
	} else {
		if init == nil {
			init = plusPlus(s.x, s.n, s.d, s.p.K, s.p.Seed, run, s.p.Threads)
		}
		m.Centers = append([]float64(nil), init...)
		m.K = len(m.Centers) / s.d
		if err := s.lloyd(ctx, m); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// grain is the number of points in a block of a parallel loop or a partial sum.
const grain = 1024

// assign sets labels to the nearest centre and dist to the squared distance.
func assign(labels []int32, dist, x, centers []float64, n, d, threads int) {
	k := len(centers) / d
	par.Blocks(threads, n, grain, func(_, lo, hi int) {
		i := lo
		for ; i+2 <= hi; i += 2 {
			labels[i], dist[i], labels[i+1], dist[i+1] = nearest2(x[i*d:(i+1)*d], x[(i+1)*d:(i+2)*d], centers, k)
		}
		if i < hi {
			p := x[i*d : (i+1)*d]
			labels[i], dist[i], _, _ = nearest2(p, p, centers, k)
		}
	})
}

// nearest2 returns the closest of the k centres to p and to q and the squared
// distances, ties to the lower number.
func nearest2(p, q, centers []float64, k int) (atP int32, bestP float64, atQ int32, bestQ float64) {
	d := len(p)
	bestP, bestQ = math.Inf(1), math.Inf(1)
	var s [8]float64
	j := 0
	for ; j+4 <= k; j += 4 {
		square2x4(&s, p, q, centers[j*d:(j+1)*d], centers[(j+1)*d:(j+2)*d], centers[(j+2)*d:(j+3)*d], centers[(j+3)*d:(j+4)*d])
		for c := range 4 {
			if s[c] < bestP {
				bestP, atP = s[c], int32(j+c)
			}
			if s[4+c] < bestQ {
				bestQ, atQ = s[4+c], int32(j+c)
			}
		}
	}
	for ; j < k; j++ {
		if v := square(p, centers[j*d:(j+1)*d]); v < bestP {
			bestP, atP = v, int32(j)
		}
		if v := square(q, centers[j*d:(j+1)*d]); v < bestQ {
			bestQ, atQ = v, int32(j)
		}
	}
	return atP, bestP, atQ, bestQ
}

// square returns the squared distance of p and c, summed in index order.
func square(p, c []float64) float64 {
	c = c[:len(p)]
	var s float64
	for i, v := range p {
		t := v - c[i]
		s += float64(t * t)
	}
	return s
}

// square2x4 is square of p, then of q, with four centres in one pass.
func square2x4(out *[8]float64, p, q, a, b, c, e []float64) {
	n := len(p)
	q, a, b, c, e = q[:n], a[:n], b[:n], c[:n], e[:n]
	var p0, p1, p2, p3, q0, q1, q2, q3 float64
	for i, v := range p {
		w, x := q[i], a[i]
		t, u := v-x, w-x
		p0 += float64(t * t)
		q0 += float64(u * u)
		x = b[i]
		t, u = v-x, w-x
		p1 += float64(t * t)
		q1 += float64(u * u)
		x = c[i]
		t, u = v-x, w-x
		p2 += float64(t * t)
		q2 += float64(u * u)
		x = e[i]
		t, u = v-x, w-x
		p3 += float64(t * t)
		q3 += float64(u * u)
	}
	*out = [8]float64{p0, p1, p2, p3, q0, q1, q2, q3}
}

// total sums v over fixed blocks.
func total(v []float64, threads int) float64 {
	parts := make([]float64, (len(v)+grain-1)/grain)
	par.Blocks(threads, len(v), grain, func(b, lo, hi int) {
		var s float64
		for _, x := range v[lo:hi] {
			s += x
		}
		parts[b] = s
	})
	var s float64
	for _, x := range parts {
		s += x
	}
	return s
}
