package run

import (
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bertopic-go/bertopic/internal/config"
	"github.com/bertopic-go/bertopic/internal/vectorize"
	"github.com/bertopic-go/bertopic/pipeline"
	"github.com/bertopic-go/bertopic/pipeline/ctfidf"
	"github.com/bertopic-go/bertopic/pipeline/hdbscan"
	"github.com/bertopic-go/bertopic/pipeline/umap"
)

// params translates the configuration. What comes of the vectors (metric,
// words) is filled in when they are there.
func params(c *config.Config, env *Env) (pipeline.Params, error) {
	stop, err := stopWords(c)
	if err != nil {
		return pipeline.Params{}, err
	}
	p := pipeline.Params{
		Seed: c.Run.Seed, Threads: c.Run.Threads,
		Reduce: pipeline.ReduceParams{
			Method: c.Reduce.Method, NComponents: c.Reduce.NComponents, BatchSize: c.Reduce.BatchSize,
			UMAP: umap.Params{
				NNeighbors: c.Reduce.NNeighbors, NComponents: c.Reduce.NComponents, MinDist: c.Reduce.MinDist, Spread: c.Reduce.Spread,
				NEpochs: c.Reduce.NEpochs, LearningRate: c.Reduce.LearningRate, RepulsionStrength: c.Reduce.RepulsionStrength,
				SetOpMixRatio: c.Reduce.SetOpMixRatio, LocalConnectivity: c.Reduce.LocalConnectivity,
				NegativeSampleRate: c.Reduce.NegativeSampleRate, Init: c.Reduce.Init,
			},
		},
		Cluster: pipeline.ClusterParams{
			Method: c.Cluster.Method, K: c.Cluster.NClusters, Linkage: c.Cluster.Linkage, Eps: c.Cluster.Eps,
			HDBSCAN: hdbscan.Params{
				MinClusterSize: c.Cluster.MinClusterSize, MinSamples: c.Cluster.MinSamples, Method: c.Cluster.ClusterSelectionMethod,
				Epsilon: c.Cluster.ClusterSelectionEpsilon, Persistence: c.Cluster.ClusterSelectionPersistence,
				MaxClusterSize: c.Cluster.MaxClusterSize, AllowSingleCluster: c.Cluster.AllowSingleCluster, Alpha: c.Cluster.Alpha,
			},
		},
		Vectorize: vectorize.Options{
			KeepCase: !c.Vectorizer.Lowercase, Tokenizer: c.Vectorizer.Tokenizer,
			NgramRange: [2]int{c.Vectorizer.NgramRange[0], c.Vectorizer.NgramRange[1]}, StopWords: stop,
			MinDF: limit(c.Vectorizer.MinDF), MaxDF: limit(c.Vectorizer.MaxDF), MaxFeatures: c.Vectorizer.MaxFeatures,
		},
		CTFIDF: ctfidf.Params{
			BM25Weighting: c.CTFIDF.BM25Weighting, ReduceFrequentWords: c.CTFIDF.ReduceFrequentWords,
			SeedWords: c.CTFIDF.SeedWords, SeedMultiplier: c.CTFIDF.SeedMultiplier,
		},
		TopNWords: c.Topics.TopNWords, NrTopics: c.Topics.NrTopics.Count, AutoTopics: c.Topics.NrTopics.Auto,
		Progress: env.Meter.Progress,
	}
	p.Over = pipeline.OverParams{Bins: c.Topics.NrBins, NoGlobal: !c.Topics.GlobalTuning, NoEvolution: !c.Topics.EvolutionTuning}
	p.Labels.Prompt = c.Topics.LabelPrompt
	if p.Labels.Words, err = labels(c, "topics.labels", c.Topics.Labels); err != nil {
		return pipeline.Params{}, err
	}
	for _, r := range c.Representation {
		step := pipeline.Representation{Name: r.Name, Method: r.Method, Diversity: r.Diversity, MinSimilarity: r.MinSimilarity}
		if step.Labels.Words, err = labels(c, "representation.labels", r.Labels); err != nil {
			return pipeline.Params{}, err
		}
		p.Representation = append(p.Representation, step)
	}
	return p, nil
}

// labels resolves a list of labels: given outright, or a file with one a line.
// Blank lines and repetitions don't count.
func labels(c *config.Config, key string, w config.WordList) ([]string, error) {
	lines := w.Words
	if w.Name != "" {
		b, err := os.ReadFile(w.Name)
		if err != nil {
			return nil, c.Fault(key, "can't read the list of labels: %v", err)
		}
		if !utf8.Valid(b) {
			return nil, c.Fault(key, "the list of labels %s is not UTF-8", w.Name)
		}
		lines = strings.Split(strings.TrimPrefix(string(b), "\uFEFF"), "\n")
	}
	var out []string
	for _, line := range lines {
		if line = strings.TrimSpace(line); line != "" && !slices.Contains(out, line) {
			out = append(out, line)
		}
	}
	if len(out) == 0 && !w.IsZero() {
		return nil, c.Fault(key, "the list of labels is empty")
	}
	return out, nil
}

// stopWords resolves [vectorizer] stop_words: a list, a file of words (one a
// line), a language, or "none".
func stopWords(c *config.Config) ([]string, error) {
	w := c.Vectorizer.StopWords
	const key = "vectorizer.stop_words"
	fail := func(format string, args ...any) error { return c.Fault(key, format, args...) }
	given := func(words []string) []string {
		if !c.Vectorizer.Lowercase {
			return words
		}
		lower := make([]string, len(words)) // as the text will be
		for i, word := range words {
			lower[i] = strings.ToLower(word)
		}
		slices.Sort(lower)
		return slices.Compact(lower)
	}
	switch {
	case w.Name == "":
		return given(w.Words), nil
	case w.Name == "none":
		return nil, nil
	case strings.ContainsAny(w.Name, `./\`):
		b, err := os.ReadFile(w.Name)
		if err != nil {
			return nil, fail("can't read the list of stop words: %v", err)
		}
		return given(strings.Fields(string(b))), nil
	}
	words, err := vectorize.StopWords(w.Name)
	if err != nil {
		return nil, fail("%v, name a file, or say \"none\"", err)
	}
	return words, nil
}

// limit is a proportion as the vectorizer takes it; the defaults, 1 document
// at least and all of them at most, are no limit at all.
func limit(p config.Proportion) vectorize.Bound {
	switch {
	case p.IsFraction && p.Fraction == 1:
		return vectorize.Bound{}
	case p.IsFraction:
		return vectorize.Fraction(p.Fraction)
	case p.Count <= 1:
		return vectorize.Bound{}
	}
	return vectorize.Docs(p.Count)
}
