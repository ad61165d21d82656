package quality

import (
	"fmt"
	"iter"
	"math"
)

// GensimEpsilon is what gensim adds to a joint probability.
const GensimEpsilon = 1e-12

// NPMIOptions says how NPMI is counted.
type NPMIOptions struct {
	TopN    int     // words of each topic; 0: 10
	Epsilon float64 // added to joint probabilities; 0: none, a pair that never meets counts -1, one that is everywhere +1
	Window  int     // NPMIWindows: tokens in a window; 0: 10
	// GensimSlide repeats a fault of gensim's window counting, for figures that
	// must equal its c_npmi: a word leaves the window with its first
	// occurrence, even where it occurs in it again.
	GensimSlide bool
}

func (o NPMIOptions) withDefaults() NPMIOptions {
	if o.TopN <= 0 {
		o.TopN = 10
	}
	if o.Window <= 0 {
		o.Window = 10
	}
	return o
}

// Coherence is the NPMI of topics: the mean over topics and of each topic, NaN
// for a topic with fewer than two words that occur. Mean is NaN if all are.
type Coherence struct {
	Mean   float64
	Topics []float64
	Scored int // topics that are not NaN
}

// NPMIDocuments is the coherence of topics by the documents in which their
// words meet (Bouma, 2009; Röder, Both and Hinneburg, 2015): the mean of
// ln(Pij/(Pi Pj)) / -ln Pij over the pairs of the top words. Each topic lists
// term ids, best first; negative ids and terms in no document are left out.
//
// docs is the number of documents and postings gives the documents of a term,
// ascending, without repeats: a column of the document-term matrix.
func NPMIDocuments(topics [][]int32, docs int, postings func(term int32) []int32, opt NPMIOptions) Coherence {
	opt = opt.withDefaults()
	return coherence(topics, opt, float64(docs),
		func(a int32) int64 { return int64(len(postings(a))) },
		func(a, b int32) int64 { return shared(postings(a), postings(b)) })
}

// shared counts the common elements of two ascending lists.
func shared(a, b []int32) int64 {
	var n int64
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] < b[0]:
			a = a[1:]
		case a[0] > b[0]:
			b = b[1:]
		default:
			n++
			a, b = a[1:], b[1:]
		}
	}
	return n
}

// NPMIWindows is NPMIDocuments with windows of Window tokens, slid one by one
// over each document, in place of documents; a shorter document, or an empty
// one, is one window. docs yields the term ids of each document in order; an id
// that no topic has may be anything. With Epsilon GensimEpsilon and GensimSlide
// it equals gensim's CoherenceModel(coherence="c_npmi"), which OCTIS uses.
//
// The slices that docs yields are not kept.
func NPMIWindows(topics [][]int32, docs iter.Seq[[]int32], opt NPMIOptions) Coherence {
	opt = opt.withDefaults()
	c := newWindowCounts(topics, opt)
	for doc := range docs {
		c.add(doc)
	}
	return coherence(topics, opt, float64(c.windows),
		func(a int32) int64 { return c.single[c.word[a]] },
		func(a, b int32) int64 {
			i, j := c.word[a], c.word[b]
			if i == j {
				return c.single[i]
			}
			return c.joint[c.pair[[2]int32{min(i, j), max(i, j)}]]
		})
}

// windowCounts counts the windows that hold a word or a pair of words of one
// topic.
type windowCounts struct {
	opt     NPMIOptions
	word    map[int32]int32    // term id to word number
	pair    map[[2]int32]int32 // word numbers, ascending, to pair number
	single  []int64
	joint   []int64
	windows int64
	ids     []int32 // of the document: word numbers or -1
	inside  []int32 // how often each word is in the window
	present []int32 // the words in the window
}

func newWindowCounts(topics [][]int32, opt NPMIOptions) *windowCounts {
	c := &windowCounts{opt: opt, word: map[int32]int32{}, pair: map[[2]int32]int32{}}
	for _, topic := range topics {
		topic = top(topic, opt.TopN)
		for _, t := range topic {
			if _, ok := c.word[t]; t >= 0 && !ok {
				c.word[t] = int32(len(c.word))
			}
		}
		for a, t := range topic {
			for _, u := range topic[:a] {
				if t < 0 || u < 0 || t == u {
					continue
				}
				i, j := c.word[t], c.word[u]
				key := [2]int32{min(i, j), max(i, j)}
				if _, ok := c.pair[key]; !ok {
					c.pair[key] = int32(len(c.pair))
				}
			}
		}
	}
	c.single, c.joint = make([]int64, len(c.word)), make([]int64, len(c.pair))
	c.inside = make([]int32, len(c.word))
	return c
}

func top[T any](topic []T, n int) []T { return topic[:min(n, len(topic))] }

func (c *windowCounts) add(doc []int32) {
	c.ids = c.ids[:0]
	for _, t := range doc {
		if w, ok := c.word[t]; ok {
			c.ids = append(c.ids, w)
		} else {
			c.ids = append(c.ids, -1)
		}
	}
	size := min(c.opt.Window, len(doc))
	for _, w := range c.ids[:size] {
		c.enter(w)
	}
	c.count()
	for i := size; i < len(c.ids); i++ {
		c.leave(c.ids[i-size])
		c.enter(c.ids[i])
		c.count()
	}
	for _, w := range c.present {
		c.inside[w] = 0
	}
	c.present = c.present[:0]
}

func (c *windowCounts) enter(w int32) {
	if w < 0 {
		return
	}
	if c.inside[w]++; c.inside[w] == 1 {
		c.present = append(c.present, w)
	}
}

func (c *windowCounts) leave(w int32) {
	if w < 0 || c.inside[w] == 0 {
		return
	}
	if c.inside[w]--; c.opt.GensimSlide {
		c.inside[w] = 0
	}
	if c.inside[w] > 0 {
		return
	}
	for k, v := range c.present {
		if v == w {
			c.present[k] = c.present[len(c.present)-1]
			c.present = c.present[:len(c.present)-1]
			return
		}
	}
}

func (c *windowCounts) count() {
	c.windows++
	for k, w := range c.present {
		c.single[w]++
		for _, v := range c.present[:k] {
			if p, ok := c.pair[[2]int32{min(v, w), max(v, w)}]; ok {
				c.joint[p]++
			}
		}
	}
}

func coherence(topics [][]int32, opt NPMIOptions, total float64, single func(a int32) int64, joint func(a, b int32) int64) Coherence {
	out := Coherence{Topics: make([]float64, len(topics))}
	for k, topic := range topics {
		var words []int32
		for _, t := range top(topic, opt.TopN) {
			if t >= 0 && single(t) > 0 {
				words = append(words, t)
			}
		}
		out.Topics[k] = math.NaN()
		if len(words) < 2 {
			continue
		}
		var sum float64
		for i, a := range words {
			pa := float64(single(a)) / total
			for _, b := range words[:i] {
				sum += npmi(pa, float64(single(b))/total, float64(joint(a, b))/total, opt.Epsilon)
			}
		}
		out.Topics[k] = sum / float64(len(words)*(len(words)-1)/2)
		out.Mean += out.Topics[k]
		out.Scored++
	}
	out.Mean /= float64(out.Scored) // NaN where no topic was scored
	return out
}

func npmi(pa, pb, pab, epsilon float64) float64 {
	if epsilon == 0 {
		switch pab {
		case 0:
			return -1
		case 1:
			return 1
		}
	}
	return math.Log((pab+epsilon)/(pa*pb)) / -math.Log(pab+epsilon)
}

// Diversity is the part of different words among the first topN words of all
// topics (0: 10), from near 0 (all topics alike) to 1 (no word twice); 0
// without any word. Where every topic has topN words it is OCTIS's
// TopicDiversity.
func Diversity[W comparable](topics [][]W, topN int) float64 {
	if topN <= 0 {
		topN = 10
	}
	seen := map[W]bool{}
	total := 0
	for _, topic := range topics {
		for _, w := range top(topic, topN) {
			seen[w] = true
			total++
		}
	}
	if total == 0 {
		return 0
	}
	return float64(len(seen)) / float64(total)
}

// String gives the figures as a run's summary shows them.
func (c Coherence) String() string {
	return fmt.Sprintf("NPMI %.4f over %d of %d topics", c.Mean, c.Scored, len(c.Topics))
}
