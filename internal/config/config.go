// Package config reads bertopic.toml: every key with its default, every
// mistake told with its place and the nearest right word.
package config

import (
	"time"
)

// Config is a whole run. The zero value of a key is never its default by
// accident: Default fills them all in. Names follow umap-learn, hdbscan,
// scikit-learn and BERTopic.
type Config struct {
	Run            Run              `toml:"run"`
	Corpus         Corpus           `toml:"corpus"`
	Plugins        Plugins          `toml:"plugins"`
	Embedder       Embedder         `toml:"embedder"`
	Embeddings     Embeddings       `toml:"embeddings"`
	Reduce         Reduce           `toml:"reduce"`
	Cluster        Cluster          `toml:"cluster"`
	Vectorizer     Vectorizer       `toml:"vectorizer"`
	CTFIDF         CTFIDF           `toml:"ctfidf"`
	Topics         Topics           `toml:"topics"`
	Representation []Representation `toml:"representation"`

	// Path is the file that the configuration was read from, "" if none.
	Path string `toml:"-"`
	// BaseDir is the folder that relative paths in embedder options refer to.
	BaseDir string `toml:"-"`

	lines map[string]int // key to line of Path
}

// Run is the table [run].
type Run struct {
	Out      string `toml:"out"`        // folder that the run leaves its results in
	Seed     uint64 `toml:"seed"`       // the same seed gives the same bits
	Threads  int    `toml:"threads"`    // 0: all cores; never changes a result
	OnBadRow string `toml:"on_bad_row"` // "outlier" or "error"
	Memory   Size   `toml:"memory"`     // of this process; 0: no limit
}

// Corpus is the table [corpus].
type Corpus struct {
	Path        string `toml:"path"`
	Format      string `toml:"format"` // "" finds out from the name
	Text        string `toml:"text"`
	Image       string `toml:"image"`
	ID          string `toml:"id"`
	Timestamp   string `toml:"timestamp"`
	Class       string `toml:"class"`
	InvalidUTF8 string `toml:"invalid_utf8"` // "error" or "replace"
}

// Plugins is the table [plugins].
type Plugins struct {
	Dir     string `toml:"dir"`     // searched before the usual places
	Lock    string `toml:"lock"`    // checksums, enforced when the file is there
	Isolate string `toml:"isolate"` // "auto", "off" or "require": programs that declare no network are kept from it
}

// Embedder is the table [embedder].
type Embedder struct {
	Plugin       string         `toml:"plugin"`
	Workers      int            `toml:"workers"`
	BatchSize    int            `toml:"batch_size"`
	Timeout      Duration       `toml:"timeout"`
	StartTimeout Duration       `toml:"start_timeout"`
	MaxRestarts  int            `toml:"max_restarts"`
	Memory       Size           `toml:"memory"` // of each worker with what it starts; 0: no limit
	Options      map[string]any `toml:"options"`
}

// Embeddings is the table [embeddings].
type Embeddings struct {
	Path   string `toml:"path"`
	Metric string `toml:"metric"` // "auto": cosine for dense vectors, hellinger for sparse ones
}

// Reduce is the table [reduce].
type Reduce struct {
	Method             string  `toml:"method"`
	NNeighbors         int     `toml:"n_neighbors"`
	NComponents        int     `toml:"n_components"`
	MinDist            float64 `toml:"min_dist"`
	Spread             float64 `toml:"spread"`
	Metric             string  `toml:"metric"`
	Init               string  `toml:"init"`
	NEpochs            int     `toml:"n_epochs"`
	LearningRate       float64 `toml:"learning_rate"`
	NegativeSampleRate int     `toml:"negative_sample_rate"`
	RepulsionStrength  float64 `toml:"repulsion_strength"`
	SetOpMixRatio      float64 `toml:"set_op_mix_ratio"`
	LocalConnectivity  float64 `toml:"local_connectivity"`
	BatchSize          int     `toml:"batch_size"`
}

// Cluster is the table [cluster].
type Cluster struct {
	Method                      string  `toml:"method"`
	MinClusterSize              int     `toml:"min_cluster_size"`
	MinSamples                  int     `toml:"min_samples"`
	ClusterSelectionMethod      string  `toml:"cluster_selection_method"`
	ClusterSelectionEpsilon     float64 `toml:"cluster_selection_epsilon"`
	ClusterSelectionPersistence float64 `toml:"cluster_selection_persistence"`
	MaxClusterSize              int     `toml:"max_cluster_size"`
	AllowSingleCluster          bool    `toml:"allow_single_cluster"`
	Alpha                       float64 `toml:"alpha"`
	NClusters                   int     `toml:"n_clusters"`
	Linkage                     string  `toml:"linkage"`
	Eps                         float64 `toml:"eps"`
}

// Vectorizer is the table [vectorizer]: how the words of topics are counted.
type Vectorizer struct {
	NgramRange  []int      `toml:"ngram_range"`
	StopWords   WordList   `toml:"stop_words"`
	MinDF       Proportion `toml:"min_df"`
	MaxDF       Proportion `toml:"max_df"`
	MaxFeatures int        `toml:"max_features"`
	Tokenizer   string     `toml:"tokenizer"`
	Lowercase   bool       `toml:"lowercase"`
}

// CTFIDF is the table [ctfidf].
type CTFIDF struct {
	BM25Weighting       bool     `toml:"bm25_weighting"`
	ReduceFrequentWords bool     `toml:"reduce_frequent_words"`
	SeedWords           []string `toml:"seed_words"`
	SeedMultiplier      float64  `toml:"seed_multiplier"`
}

// Topics is the table [topics].
type Topics struct {
	TopNWords   int         `toml:"top_n_words"`
	NrTopics    CountOrAuto `toml:"nr_topics"`
	Labels      WordList    `toml:"labels"`       // a file, a label a line, or a list; for topics whose rows have no words
	LabelPrompt string      `toml:"label_prompt"` // what is embedded, "{}" standing for the label

	NrBins          int  `toml:"nr_bins"`          // of time; 0: each distinct timestamp is one
	GlobalTuning    bool `toml:"global_tuning"`    // words of a bin or class: averaged with the topic's own
	EvolutionTuning bool `toml:"evolution_tuning"` // words of a bin: averaged with those of the bin before
}

// Representation is one [[representation]].
type Representation struct {
	Name          string   `toml:"name" json:"name"`
	Method        string   `toml:"method" json:"method"`
	Diversity     float64  `toml:"diversity" json:"diversity"`
	Labels        WordList `toml:"labels" json:"labels,omitzero"`                 // of zero-shot; left out: those of [topics]
	MinSimilarity float64  `toml:"min_similarity" json:"min_similarity,omitzero"` // of zero-shot
}

// Default returns the run that a file without a line would be.
func Default() *Config {
	return &Config{
		Run:    Run{Out: "out", Seed: 42, OnBadRow: "outlier"},
		Corpus: Corpus{Text: "text", Image: "image", InvalidUTF8: "error"},
		Plugins: Plugins{
			Lock: "bertopic.lock", Isolate: "auto",
		},
		Embedder: Embedder{
			Workers: 1, BatchSize: 32, Timeout: Duration(5 * time.Minute), StartTimeout: Duration(time.Minute), MaxRestarts: 3,
		},
		Embeddings: Embeddings{
			Metric: "auto",
		},
		Reduce: Reduce{
			Method: "umap", NNeighbors: 15, NComponents: 5, Spread: 1, Metric: "auto", Init: "spectral",
			LearningRate: 1, NegativeSampleRate: 5, RepulsionStrength: 1, SetOpMixRatio: 1, LocalConnectivity: 1,
		},
		Cluster: Cluster{
			Method: "hdbscan", MinClusterSize: 10, ClusterSelectionMethod: "eom", Alpha: 1,
			NClusters: 8, Linkage: "ward", Eps: 0.5,
		},
		Vectorizer: Vectorizer{
			NgramRange: []int{1, 1}, StopWords: WordList{Name: "english"},
			MinDF: Proportion{Count: 1}, MaxDF: Proportion{Fraction: 1, IsFraction: true},
			Tokenizer: "unicode", Lowercase: true,
		},
		CTFIDF: CTFIDF{SeedMultiplier: 2},
		Topics: Topics{TopNWords: 10, LabelPrompt: "{}", NrBins: 20, GlobalTuning: true, EvolutionTuning: true},
	}
}
