package config

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/bertopic-go/bertopic/internal/nearest"
)

// Methods that the tables know.
var (
	ReduceMethods         = []string{"umap", "pca", "svd", "incremental-pca", "none"}
	ClusterMethods        = []string{"hdbscan", "kmeans", "minibatch-kmeans", "agglomerative", "dbscan"}
	RepresentationMethods = []string{"mmr", "keybert", "zero-shot"}
)

// MaxBins is the largest topics.nr_bins.
const MaxBins = 100_000

// validate reports every value that can't be right.
func (c *Config) validate() error {
	v := validator{c: c}
	v.oneOf("run.on_bad_row", c.Run.OnBadRow, "outlier", "error")
	v.atLeast("run.threads", c.Run.Threads, 0)
	if c.Run.Seed > math.MaxInt64 { // a negative number wraps
		v.fail("run.seed", "%d is not a number from 0 to %d", int64(c.Run.Seed), int64(math.MaxInt64))
	}
	v.oneOf("corpus.invalid_utf8", c.Corpus.InvalidUTF8, "error", "replace")
	v.atLeast("embedder.workers", c.Embedder.Workers, 1)
	v.atLeast("embedder.batch_size", c.Embedder.BatchSize, 1)
	v.atLeast("embedder.max_restarts", c.Embedder.MaxRestarts, 0)
	v.oneOf("plugins.isolate", c.Plugins.Isolate, "auto", "off", "require")
	v.oneOf("embeddings.metric", c.Embeddings.Metric, "auto", "cosine", "euclidean", "hellinger")

	v.oneOf("reduce.method", c.Reduce.Method, ReduceMethods...)
	v.oneOf("reduce.metric", c.Reduce.Metric, "auto", "cosine", "euclidean", "hellinger")
	v.oneOf("reduce.init", c.Reduce.Init, "spectral", "pca", "random")
	v.atLeast("reduce.n_neighbors", c.Reduce.NNeighbors, 2)
	v.atLeast("reduce.n_components", c.Reduce.NComponents, 1)
	v.atLeast("reduce.n_epochs", c.Reduce.NEpochs, 0)
	v.atLeast("reduce.negative_sample_rate", c.Reduce.NegativeSampleRate, 1)
	v.atLeast("reduce.batch_size", c.Reduce.BatchSize, 0)
	v.between("reduce.min_dist", c.Reduce.MinDist, 0, c.Reduce.Spread)
	v.positive("reduce.spread", c.Reduce.Spread)
	v.positive("reduce.learning_rate", c.Reduce.LearningRate)
	v.positive("reduce.repulsion_strength", c.Reduce.RepulsionStrength)
	v.positive("reduce.set_op_mix_ratio", c.Reduce.SetOpMixRatio)
	v.between("reduce.set_op_mix_ratio", c.Reduce.SetOpMixRatio, 0, 1)
	v.positive("reduce.local_connectivity", c.Reduce.LocalConnectivity)

	v.oneOf("cluster.method", c.Cluster.Method, ClusterMethods...)
	v.oneOf("cluster.cluster_selection_method", c.Cluster.ClusterSelectionMethod, "eom", "leaf")
	v.oneOf("cluster.linkage", c.Cluster.Linkage, "ward", "average", "complete", "single")
	v.atLeast("cluster.min_cluster_size", c.Cluster.MinClusterSize, 2)
	v.atLeast("cluster.min_samples", c.Cluster.MinSamples, 0)
	v.atLeast("cluster.max_cluster_size", c.Cluster.MaxClusterSize, 0)
	v.atLeast("cluster.n_clusters", c.Cluster.NClusters, 1)
	v.between("cluster.cluster_selection_epsilon", c.Cluster.ClusterSelectionEpsilon, 0, math.MaxFloat64)
	v.between("cluster.cluster_selection_persistence", c.Cluster.ClusterSelectionPersistence, 0, math.MaxFloat64)
	v.positive("cluster.alpha", c.Cluster.Alpha)
	v.positive("cluster.eps", c.Cluster.Eps)

	if r := c.Vectorizer.NgramRange; len(r) != 2 || r[0] < 1 || r[1] < r[0] {
		v.fail("vectorizer.ngram_range", "takes two numbers, the shortest and the longest n-gram, such as [1, 2], not %v", r)
	}
	v.oneOf("vectorizer.tokenizer", c.Vectorizer.Tokenizer, "unicode", "sklearn")
	v.atLeast("vectorizer.max_features", c.Vectorizer.MaxFeatures, 0)
	v.positive("ctfidf.seed_multiplier", c.CTFIDF.SeedMultiplier)
	v.atLeast("topics.top_n_words", c.Topics.TopNWords, 1)
	v.atLeast("topics.nr_bins", c.Topics.NrBins, 0)
	if c.Topics.NrBins > MaxBins {
		v.fail("topics.nr_bins", "%d bins of time are more than %d: give fewer, or 0 for each distinct timestamp", c.Topics.NrBins, MaxBins)
	}
	if !strings.Contains(c.Topics.LabelPrompt, "{}") {
		v.fail("topics.label_prompt", "%q has no {}, which stands for the label, as in \"a photo of {}\"", c.Topics.LabelPrompt)
	}
	names := map[string]bool{}
	for i, r := range c.Representation {
		key := "representation"
		if r.Method == "" {
			v.fail(key, "entry %d has no method; known: %s", i+1, strings.Join(RepresentationMethods, ", "))
			continue
		}
		v.oneOf(key+".method", r.Method, RepresentationMethods...)
		v.between(key+".diversity", r.Diversity, 0, 1)
		v.between(key+".min_similarity", r.MinSimilarity, -1, 1)
		switch {
		case r.Method != "zero-shot" && !r.Labels.IsZero():
			v.fail(key+".labels", "%s takes no labels, zero-shot does", r.Method)
		case r.Method == "zero-shot" && r.Labels.IsZero() && c.Topics.Labels.IsZero():
			v.fail(key+".labels", "zero-shot needs a list of labels, here or in [topics]")
		}
		if r.Name != "" && r.Name != "Main" && names[r.Name] {
			v.fail(key+".name", "two aspects are called %q", r.Name)
		}
		names[r.Name] = true
	}
	if c.Embedder.Plugin != "" && c.Embeddings.Path != "" {
		v.fail("embedder.plugin", "the vectors can come from a plugin or from [embeddings] path, not from both: leave one out")
	}
	return errors.Join(v.errs...)
}

type validator struct {
	c    *Config
	errs []error
}

// Fault returns an *Error about the value of key, with the place that sets it.
// A %w in the format is for the cause.
func (c *Config) Fault(key, format string, args ...any) error {
	cause := fmt.Errorf(format, args...)
	e := &Error{Key: key, Line: c.lines[key], Msg: cause.Error(), Cause: errors.Unwrap(cause)}
	if e.Line > 0 {
		e.File = c.Path
	}
	return e
}

func (v *validator) fail(key, format string, args ...any) {
	v.errs = append(v.errs, v.c.Fault(key, format, args...))
}

func (v *validator) oneOf(key, value string, allowed ...string) {
	if slices.Contains(allowed, value) {
		return
	}
	hint := ""
	if best, ok := nearest.Name(value, allowed); ok {
		hint = fmt.Sprintf("; did you mean %q?", best)
	}
	v.fail(key, "%q is not one of %s%s", value, strings.Join(allowed, ", "), hint)
}

func (v *validator) atLeast(key string, value, least int) {
	if value < least {
		v.fail(key, "%d is less than %d, the least that makes sense", value, least)
	}
}

func (v *validator) positive(key string, value float64) {
	if !(value > 0) || math.IsInf(value, 0) {
		v.fail(key, "%v is not a number greater than 0", value)
	}
}

func (v *validator) between(key string, value, least, most float64) {
	if !(value >= least && value <= most) {
		if most == math.MaxFloat64 {
			v.fail(key, "%v is not a finite number of at least %v", value, least)
		} else {
			v.fail(key, "%v is not between %v and %v", value, least, most)
		}
	}
}
