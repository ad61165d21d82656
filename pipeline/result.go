package pipeline

import "time"

// Outlier is the topic of a row that belongs to none.
const Outlier = -1

// Topic is one topic of a fitted model.
type Topic struct {
	ID             int               `json:"id"` // 0 is the largest; Outlier gathers the rest
	Count          int               `json:"count"`
	Name           string            `json:"name"` // "3_word_word_word_word"
	Words          []Word            `json:"words"`
	Representative []string          `json:"representative"` // row ids, the nearest to the topic's words first
	Aspects        map[string][]Word `json:"aspects,omitempty"`

	WordsFrom string `json:"words_from,omitempty"` // FromLabels where the rows have no words and these are labels

	// Of a corpus with pictures:
	Kinds    *KindCounts `json:"rows_by_kind,omitempty"` // rows with a text only, with pictures only, with both
	Pictures []Picture   `json:"pictures,omitempty"`     // that stand for the topic, the nearest to its vector first
}

// FromLabels says that the words of a topic are of [Params] Labels.
const FromLabels = "labels"

// Picture is the first picture of a row that stands for a topic.
type Picture struct {
	ID   string `json:"id"`   // of the row
	Path string `json:"path"` // as Rows.Pictures has it
}

// Word is a word of a topic with its weight, the c-TF-IDF of BERTopic unless a
// representation says otherwise.
type Word struct {
	Word   string  `json:"word"`
	Weight float64 `json:"weight"`
}

// Assignment is where a row ended.
type Assignment struct {
	Topic       int
	Probability float64 // HDBSCAN's strength of membership; 0 for an outlier
	Status      RowStatus
	Cosine      float64 // between the row's vector and its topic's; NaN for an outlier
}

// Warning is something a user should know about a result. Code is stable.
type Warning struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// Step is one step of a fit and what it took.
type Step struct {
	Name string
	Took time.Duration
}

// Quality are hints on how good a result is. None of them is a proof.
type Quality struct {
	Topics       int      `json:"topics"`
	OutlierShare float64  `json:"outlier_share"`       // of all rows
	NPMI         *float64 `json:"npmi,omitempty"`      // coherence of the topics' words over whole documents; -1..1
	Diversity    *float64 `json:"diversity,omitempty"` // share of distinct words among the topics' words
	ClassNMI     *float64 `json:"class_nmi,omitempty"` // of rows with a topic, against their known classes
	ClassARI     *float64 `json:"class_ari,omitempty"`

	// Of a corpus whose rows are of several kinds: how much the topics tell of
	// the kind of a row, which is better 0 than 1, and the figures of each kind.
	KindNMI *float64      `json:"kind_nmi,omitempty"`
	ByKind  []KindQuality `json:"by_kind,omitempty"`
}

// KindQuality are the figures of Quality of the rows of one kind.
type KindQuality struct {
	Kind         Kind     `json:"kind"`
	Rows         int      `json:"rows"`
	OutlierShare float64  `json:"outlier_share"`
	ClassNMI     *float64 `json:"class_nmi,omitempty"`
	ClassARI     *float64 `json:"class_ari,omitempty"`
}

// Result is what a fit found out about its own rows.
type Result struct {
	Rows           []Assignment
	Representative []bool  // per row
	Reduced        *Dense  // n x components; NaN for a row that was not placed
	Map            *Dense  // n x 2, for drawing; NaN likewise
	OverTime       *Spread // nil where no row has a time
	PerClass       *Spread // nil where no row has a class
	Quality        Quality
	Warnings       []Warning
	Steps          []Step
}
