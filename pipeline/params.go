package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bertopic-go/bertopic/internal/vectorize"
	"github.com/bertopic-go/bertopic/pipeline/ctfidf"
	"github.com/bertopic-go/bertopic/pipeline/hdbscan"
	"github.com/bertopic-go/bertopic/pipeline/knn"
	"github.com/bertopic-go/bertopic/pipeline/umap"
)

// WordEmbedder embeds single words into the space of the documents.
type WordEmbedder interface {
	// EmbedWords returns a row a word, in order.
	EmbedWords(ctx context.Context, words []string) (*Dense, error)
}

// Params are the settings of a fit. The zero value is BERTopic's defaults with
// the seed 0.
type Params struct {
	Seed    uint64
	Threads int        // 0: all cores; never changes a result
	Metric  knn.Metric // of the vectors; "": cosine

	Reduce         ReduceParams
	Cluster        ClusterParams
	Vectorize      vectorize.Options // how words are counted
	CTFIDF         ctfidf.Params
	TopNWords      int // 0: 10
	NrTopics       int // merge topics until this many are left, outliers not counted; 0: as found
	AutoTopics     bool
	Representation []Representation
	Labels         Labels // words for topics whose rows have none
	Over           OverParams
	Words          WordEmbedder // for labels and the representations that need it

	Progress func(step string, done, total int) // may be nil; called from one goroutine at a time
}

// ReduceParams say how vectors are brought to few dimensions.
type ReduceParams struct {
	Method      string // "umap" (""), "pca", "svd", "incremental-pca" or "none"
	NComponents int    // 0: 5
	BatchSize   int    // of incremental-pca; 0: 5 x dimension, as scikit-learn
	UMAP        umap.Params
}

// ClusterParams say how reduced vectors are grouped.
type ClusterParams struct {
	Method  string         // "hdbscan" (""), "kmeans", "minibatch-kmeans", "agglomerative" or "dbscan"
	HDBSCAN hdbscan.Params // MinClusterSize 0: 10
	K       int            // of k-means and agglomerative; 0: 8
	Linkage string         // of agglomerative; "": "ward"
	Eps     float64        // of dbscan; 0: 0.5. Its MinSamples are HDBSCAN.MinSamples, 0: 5
}

// Representation is one way to choose the words of a topic, applied to the
// words that the one before it left. With a Name other than "" and "Main" it
// makes an aspect beside the topic's own words.
type Representation struct {
	Name          string
	Method        string  // "mmr", "keybert" or "zero-shot"
	Diversity     float64 // of mmr, 0..1
	Labels        Labels  // of zero-shot; without any: those of Params
	MinSimilarity float64 // of zero-shot: a label is as near as this to a topic at least, -1..1
}

// Labels are words from a list, ranked by the cosine of their vectors to those
// of topics, in the space that texts and pictures share.
type Labels struct {
	Words  []string
	Prompt string // what is embedded, "{}" standing for the label; "": the label alone
}

func (p Params) withDefaults() Params {
	set := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	setInt := func(i *int, v int) {
		if *i == 0 {
			*i = v
		}
	}
	if p.Metric == "" {
		p.Metric = knn.Cosine
	}
	set(&p.Reduce.Method, "umap")
	setInt(&p.Reduce.NComponents, 5)
	set(&p.Cluster.Method, "hdbscan")
	set(&p.Cluster.Linkage, "ward")
	setInt(&p.Cluster.K, 8)
	setInt(&p.Cluster.HDBSCAN.MinClusterSize, 10)
	if p.Cluster.Eps == 0 {
		p.Cluster.Eps = 0.5
	}
	setInt(&p.TopNWords, 10)
	p.Reduce.UMAP.NComponents = p.Reduce.NComponents
	p.Reduce.UMAP.Metric = p.Metric
	p.Reduce.UMAP.Seed = p.Seed
	p.Reduce.UMAP.Threads = p.Threads
	p.Cluster.HDBSCAN.Threads = p.Threads
	return p
}

// Validate reports every setting that can't be right.
func (p Params) Validate() error {
	p = p.withDefaults()
	var errs []error
	oneOf := func(what, value string, allowed ...string) {
		if !slices.Contains(allowed, value) {
			errs = append(errs, fmt.Errorf("%s %q is not one of %s", what, value, strings.Join(allowed, ", ")))
		}
	}
	oneOf("reduce method", p.Reduce.Method, "umap", "pca", "svd", "incremental-pca", "none")
	oneOf("cluster method", p.Cluster.Method, "hdbscan", "kmeans", "minibatch-kmeans", "agglomerative", "dbscan")
	for _, r := range p.Representation {
		oneOf("representation method", r.Method, "mmr", "keybert", "zero-shot")
		if r.Method == "zero-shot" && len(r.Labels.Words) == 0 && len(p.Labels.Words) == 0 {
			errs = append(errs, errors.New("representation \"zero-shot\" needs labels to choose from"))
		}
		if p.Words == nil {
			errs = append(errs, fmt.Errorf("representation %q needs an embedder of words", r.Method))
		}
	}
	if len(p.Labels.Words) > 0 && p.Words == nil {
		errs = append(errs, errors.New("labels need an embedder of words"))
	}
	if p.NrTopics < 0 {
		errs = append(errs, fmt.Errorf("%d topics make no sense", p.NrTopics))
	}
	errs = append(errs, p.Over.validate(), p.Vectorize.Validate())
	if p.Reduce.Method == "umap" {
		errs = append(errs, p.Reduce.UMAP.Validate())
	}
	if p.Cluster.Method == "hdbscan" {
		errs = append(errs, p.Cluster.HDBSCAN.Validate())
	}
	return errors.Join(errs...)
}
