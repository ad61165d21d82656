package kmeans

import (
	"context"
	"math"
	"sort"

	"github.com/bertopic-go/bertopic/internal/rng"
)

const (
	drawStart = 1 << 40 // streams of random numbers apart from those of plusPlus
	drawBatch = 2 << 40
	drawAgain = 3 << 40

	// patience is the number of steps without a better smoothed inertia after
	// which mini-batch k-means stops.
	patience = 10
)

// batchStart draws the start centres by k-means++ on a sample of three batches
// (or three rows a cluster, where that is more).
func (s *solver) batchStart(run uint64) []float64 {
	size := max(3*s.p.BatchSize, 3*s.p.K)
	if size >= s.n {
		return plusPlus(s.x, s.n, s.d, s.p.K, s.p.Seed, run, s.p.Threads)
	}
	sample := make([]float64, size*s.d)
	for b := range size {
		i := rng.Below(rng.Hash3(s.p.Seed, run, drawStart, uint64(b)), s.n)
		copy(sample[b*s.d:], s.x[i*s.d:(i+1)*s.d])
	}
	return plusPlus(sample, size, s.d, s.p.K, s.p.Seed, run, s.p.Threads)
}

// miniBatch moves the centres of m by batches drawn with replacement: a centre
// is the running mean of the points assigned to it (Sculley, 2010). It stops
// when the exponentially weighted inertia has not improved for ten steps.
func (s *solver) miniBatch(ctx context.Context, m *Model, run uint64) error {
	n, d, k := s.n, s.d, m.K
	size := min(s.p.BatchSize, n)
	steps := max(1, int(float64(s.p.MaxIter)*float64(n)/float64(size)))
	alpha := min(1, 2*float64(size)/float64(n+1))
	weights := make([]float64, k)
	batch := make([]float64, size*d)
	labels, dist := make([]int32, size), make([]float64, size)
	mean := make([]float64, k*d)
	g := newGroups(size, k)
	smoothed, best, since, fresh := math.NaN(), math.Inf(1), 0, 0
	for step := range steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		m.Iterations++
		for b := range size {
			i := b // a batch of all points is just that
			if size < n {
				i = rng.Below(rng.Hash3(s.p.Seed, run, drawBatch+uint64(step), uint64(b)), n)
			}
			copy(batch[b*d:(b+1)*d], s.x[i*d:(i+1)*d])
		}
		assign(labels, dist, batch, m.Centers, size, d, s.p.Threads)
		g.fill(labels)
		g.means(mean, m.Centers, batch, d, s.p.Threads)
		for j := range k {
			got := float64(g.start[j+1] - g.start[j])
			if got == 0 {
				continue
			}
			weights[j] += got
			share := got / weights[j]
			for c := j * d; c < (j+1)*d; c++ {
				m.Centers[c] += share * (mean[c] - m.Centers[c])
			}
		}
		if fresh += size; fresh >= 10*k || least(weights) == 0 {
			fresh = 0
			s.reassign(m, weights, batch, size, run, uint64(step))
		}
		// The first step is measured from start centres and says nothing.
		if step == 0 {
			continue
		}
		inertia := total(dist, s.p.Threads) / float64(size)
		if math.IsNaN(smoothed) {
			smoothed = inertia
		} else {
			smoothed = smoothed*(1-alpha) + inertia*alpha
		}
		if smoothed < best {
			best, since = smoothed, 0
		} else if since++; since >= patience {
			m.Converged = true
			break
		}
	}
	m.Labels = make([]int32, n)
	dist = make([]float64, n)
	assign(m.Labels, dist, s.x, m.Centers, n, d, s.p.Threads)
	m.Inertia = total(dist, s.p.Threads)
	return nil
}

func least(v []float64) float64 {
	m := math.Inf(1)
	for _, x := range v {
		m = min(m, x)
	}
	return m
}

// reassign puts the centres of little weight on points of the batch: at most
// half a batch of centres, the lightest first.
func (s *solver) reassign(m *Model, weights, batch []float64, size int, run, step uint64) {
	if s.p.ReassignmentRatio < 0 {
		return
	}
	heaviest := 0.0
	for _, w := range weights {
		heaviest = max(heaviest, w)
	}
	var light []int
	for j, w := range weights {
		if w < s.p.ReassignmentRatio*heaviest {
			light = append(light, j)
		}
	}
	if len(light) == 0 {
		return
	}
	sort.SliceStable(light, func(a, b int) bool { return weights[light[a]] < weights[light[b]] })
	light = light[:min(len(light), size/2)]
	out := make([]bool, len(weights))
	for _, j := range light {
		out[j] = true
	}
	smallest := math.Inf(1)
	for j, w := range weights {
		if !out[j] {
			smallest = min(smallest, w)
		}
	}
	// Points without replacement: the rows of the batch with the smallest keys.
	rows := make([]int, size)
	for b := range rows {
		rows[b] = b
	}
	key := func(b int) uint64 { return rng.Hash3(s.p.Seed, run, drawAgain+step, uint64(b)) }
	sort.Slice(rows, func(a, b int) bool {
		ka, kb := key(rows[a]), key(rows[b])
		return ka < kb || ka == kb && rows[a] < rows[b]
	})
	for i, j := range light {
		copy(m.Centers[j*s.d:(j+1)*s.d], batch[rows[i]*s.d:])
		weights[j] = smallest
	}
}
