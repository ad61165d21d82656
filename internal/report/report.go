package report

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
)

// DefaultMaxPoints is the number of documents a map draws at most when
// [Report.MaxPoints] is zero.
const DefaultMaxPoints = 100_000

// maxTopics is what the 16-bit topic numbers of the map can tell apart; one
// number stands for "no topic".
const maxTopics = math.MaxUint16

// Report is everything the page shows. The zero value is a valid report of a
// run over nothing.
type Report struct {
	Title   string // heading and window title; empty: "Topics"
	Run     Run
	Quality Quality
	Topics  []Topic // shown in this order; ID -1 holds the outliers and is shown last

	Status        []Count // rows by status, such as ok, empty, oov, truncated, failed
	OutlierCauses []Count // outliers by cause, such as noise, empty, disconnected, failed

	Kinds []Kind // figures of each kind of documents, where there are several

	// Topics over bins of time, and over classes. A nil Spread, bins of which
	// fewer than two have documents, and more than 30 classes are not shown.
	OverTime, PerClass *Spread

	Points    []Point // documents on the map, in corpus order
	MaxPoints int     // most points drawn; 0: DefaultMaxPoints
}

// Run says what was run, on what, and what it cost.
type Run struct {
	Version  string // of the program
	Date     string // as it is to be shown; empty: not shown
	Corpus   string // path of the corpus
	Rows     int    // documents read
	Seed     uint64
	Embedder Embedder
	Steps    []Step
	Settings []Setting // resolved settings; keys such as "reduce.n_neighbors" are grouped by the part before the dot
	Warnings []Warning
}

// Embedder is what made the vectors.
type Embedder struct {
	Name, Version string
	Dimension     int
	Metric        string
	Device        string
}

// Step is one step of the run. A zero PeakBytes was not measured.
type Step struct {
	Name      string
	Seconds   float64
	PeakBytes int64
}

// Setting is one resolved key of the configuration.
type Setting struct{ Key, Value string }

// Warning is one thing the run wants its reader to know.
type Warning struct {
	Code string // stable, such as "W012"
	Text string
}

// Quality holds figures about the topics. A nil figure was not computed and
// is not shown.
type Quality struct {
	OutlierShare *float64 // share of rows with no topic, 0 to 1
	NPMI         *float64 // coherence of the topics' words, -1 to 1
	Diversity    *float64 // share of distinct words among all topics' words, 0 to 1
	More         []Figure // anything else, shown after these
}

// Figure is a named number with one line of help.
type Figure struct {
	Name  string
	Value float64
	Help  string
}

// Count is a number of rows under a name.
type Count struct {
	Name string
	N    int
}

// Topic is one topic. Name may be empty; it is then made from the words.
type Topic struct {
	ID       int
	Count    int
	Name     string
	Words    []Word // best first
	Aspects  []Aspect
	Examples []Example

	// Centroid is the mean vector of the topic. Where two or more topics have
	// one of the same length, the page shows their cosine likeness.
	Centroid []float32

	// Modalities counts the documents of a corpus with pictures; all zero for
	// a corpus of texts. ModalityGap is the distance between the topic's texts
	// and pictures, nil where it was not computed.
	Modalities  Modalities
	ModalityGap *float64

	// Pictures that stand for the topic, the likest first, and where the words
	// are from if they are not from its documents ("labels").
	Pictures  []Picture
	WordsFrom string
}

// Picture is a picture that stands for a topic, or the gap that it leaves.
// Thumbnail is a small JPEG, PNG, GIF or WebP file put into the page; where it
// is empty, Fault says why there is none.
type Picture struct {
	ID        string
	Text      string // of its document; may be empty
	Thumbnail []byte
	Fault     string
}

// Kind holds the figures of documents of one kind, such as those of a text
// only. NMI, against known classes, is nil where it was not computed.
type Kind struct {
	Name         string
	Rows         int
	OutlierShare float64
	NMI          *float64
}

// Spread counts the documents of each topic in parts of the corpus.
type Spread struct {
	Parts  []Part
	Counts []PartCount
}

// PartCount counts the documents of a topic, by its ID, in a part, by its place
// in Spread.Parts. A pair that is left out has none.
type PartCount struct{ Topic, Part, N int }

// Part is a bin of time, or a class, with its documents in all.
type Part struct {
	Name     string    // of a class
	From, To time.Time // of a bin
	Rows     int
}

// Modalities counts documents by what they hold.
type Modalities struct{ TextOnly, ImageOnly, Both int }

// Word is a word of a topic with its weight.
type Word struct {
	Text   string
	Weight float64
}

// Aspect is a further description of a topic under a name.
type Aspect struct {
	Name  string
	Words []Word
}

// Example is a representative document. Probability is NaN where there is
// none. Thumbnail is a small JPEG, PNG, GIF or WebP file put into the page.
type Example struct {
	ID          string
	Text        string
	Probability float64
	Thumbnail   []byte
}

// Point is one document on the map. A point with a position that is not
// finite is left out and counted. Probability is NaN where there is none.
// Topic is the ID of one of the report's topics, or -1.
type Point struct {
	X, Y        float64
	Topic       int
	ID          string
	Text        string
	Probability float64
}

// Validate reports every fault that would make the page say something wrong.
func (r *Report) Validate() error {
	var errs []error
	if len(r.Topics) >= maxTopics {
		errs = append(errs, fmt.Errorf("%d topics: a page shows at most %d", len(r.Topics), maxTopics-1))
	}
	if r.MaxPoints < 0 {
		errs = append(errs, fmt.Errorf("at most %d points: the limit must not be negative", r.MaxPoints))
	}
	seen := make(map[int]bool, len(r.Topics))
	for _, t := range r.Topics {
		if seen[t.ID] {
			errs = append(errs, fmt.Errorf("topic %d is given twice", t.ID))
		}
		seen[t.ID] = true
		if t.ID < -1 {
			errs = append(errs, fmt.Errorf("topic %d: an ID is -1 or more", t.ID))
		}
		for _, e := range t.Examples {
			if len(e.Thumbnail) > 0 && imageType(e.Thumbnail) == "" {
				errs = append(errs, fmt.Errorf("topic %d, document %q: the thumbnail is not a JPEG, PNG, GIF or WebP file", t.ID, e.ID))
			}
		}
		for _, p := range t.Pictures {
			if len(p.Thumbnail) > 0 && imageType(p.Thumbnail) == "" {
				errs = append(errs, fmt.Errorf("topic %d, picture of document %q: the thumbnail is not a JPEG, PNG, GIF or WebP file", t.ID, p.ID))
			}
		}
	}
	if err := r.OverTime.validate(seen); err != nil {
		errs = append(errs, fmt.Errorf("topics over time: %w", err))
	}
	if err := r.PerClass.validate(seen); err != nil {
		errs = append(errs, fmt.Errorf("topics by class: %w", err))
	}
	for i, p := range r.Points {
		if p.Topic != -1 && !seen[p.Topic] {
			errs = append(errs, fmt.Errorf("point %d (document %q): topic %d is not one of the topics", i, p.ID, p.Topic))
			break // one row says it; a hundred thousand would bury it
		}
	}
	return errors.Join(errs...)
}

// Write writes r as one HTML page. The bytes are a function of r alone. On an
// error from w a part of the page may have been written.
func Write(w io.Writer, r Report) error {
	if err := r.Validate(); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	v, err := newView(&r)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	b := bufio.NewWriterSize(w, 1<<16)
	if err := page.Execute(b, v); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
