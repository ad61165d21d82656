package umap

import (
	"errors"
	"fmt"
	"math"

	"github.com/bertopic-go/bertopic/pipeline/knn"
)

// The ways to place the rows before the layout starts.
const (
	InitSpectral = "spectral" // eigenvectors of the graph's normalised Laplacian
	InitPCA      = "pca"      // principal components of the rows
	InitRandom   = "random"   // uniform
)

// Params are the settings of Fit. The zero value is what BERTopic passes to
// umap-learn, with the seed 0.
type Params struct {
	NNeighbors         int        // rows in a neighbourhood, the row itself included; 0: 15
	NComponents        int        // columns of the embedding; 0: 5
	MinDist            float64    // distance at which embedded rows count as one; 0 is BERTopic's value
	Spread             float64    // scale of the embedded points; 0: 1
	Metric             knn.Metric // "": cosine
	NEpochs            int        // passes over the graph; 0: 500 up to 10,000 points, 200 above
	LearningRate       float64    // step of the first epoch, falling to 0 at the last; 0: 1
	RepulsionStrength  float64    // weight of the negative samples; 0: 1
	SetOpMixRatio      float64    // 1: fuzzy union of the neighbourhoods, towards 0: intersection; 0: 1
	LocalConnectivity  float64    // nearest neighbours taken as fully connected; 0: 1
	NegativeSampleRate int        // negative samples a positive one; 0: 5
	Init               string     // "": spectral
	Seed               uint64     // of every random choice
	Threads            int        // 0 or less: all cores; never changes the result

	// Progress, if set, is called after each epoch, from one goroutine.
	Progress func(done, total int) `json:"-"`
}

// withDefaults replaces the zero values that stand for a default.
func (p Params) withDefaults() Params {
	setInt := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	set := func(v *float64, d float64) {
		if *v == 0 {
			*v = d
		}
	}
	setInt(&p.NNeighbors, 15)
	setInt(&p.NComponents, 5)
	setInt(&p.NegativeSampleRate, 5)
	set(&p.Spread, 1)
	set(&p.LearningRate, 1)
	set(&p.RepulsionStrength, 1)
	set(&p.SetOpMixRatio, 1)
	set(&p.LocalConnectivity, 1)
	if p.Metric == "" {
		p.Metric = knn.Cosine
	}
	if p.Init == "" {
		p.Init = InitSpectral
	}
	return p
}

// epochs is the number of passes over a graph of n points, umap-learn's numbers
// (docs/decisions/0002).
func (p Params) epochs(n int) int {
	switch {
	case p.NEpochs > 0:
		return p.NEpochs
	case n <= 10_000:
		return 500
	}
	return 200
}

// Validate reports every fault of p.
func (p Params) Validate() error {
	p = p.withDefaults()
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("umap: "+format, args...))
		}
	}
	check(p.NNeighbors >= 2, "n_neighbors is %d; it must be at least 2", p.NNeighbors)
	check(p.NComponents >= 1, "n_components is %d; it must be at least 1", p.NComponents)
	check(p.NEpochs >= 0, "n_epochs is %d; it must be at least 1, or 0 for the default", p.NEpochs)
	check(p.NegativeSampleRate >= 1, "negative_sample_rate is %d; it must be at least 1", p.NegativeSampleRate)
	check(p.Spread > 0 && !math.IsInf(p.Spread, 0), "spread is %g; it must be above 0", p.Spread)
	check(p.MinDist >= 0 && p.MinDist <= p.Spread, "min_dist is %g; it must be between 0 and spread, %g", p.MinDist, p.Spread)
	check(p.LearningRate > 0 && !math.IsInf(p.LearningRate, 0), "learning_rate is %g; it must be above 0", p.LearningRate)
	check(p.RepulsionStrength > 0 && !math.IsInf(p.RepulsionStrength, 0), "repulsion_strength is %g; it must be above 0", p.RepulsionStrength)
	check(p.SetOpMixRatio > 0 && p.SetOpMixRatio <= 1, "set_op_mix_ratio is %g; it must be above 0 and at most 1", p.SetOpMixRatio)
	check(p.LocalConnectivity > 0 && p.LocalConnectivity < float64(p.NNeighbors), "local_connectivity is %g; it must be above 0 and below n_neighbors", p.LocalConnectivity)
	switch p.Init {
	case InitSpectral, InitPCA, InitRandom:
	default:
		check(false, "unknown init %q; use %q, %q or %q", p.Init, InitSpectral, InitPCA, InitRandom)
	}
	switch p.Metric {
	case knn.Cosine, knn.Euclidean, knn.Hellinger:
	default:
		check(false, "unknown metric %q; use %q, %q or %q", string(p.Metric), knn.Cosine, knn.Euclidean, knn.Hellinger)
	}
	return errors.Join(errs...)
}
