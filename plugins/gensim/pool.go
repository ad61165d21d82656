package main

import (
	"math"
	"strings"
	"sync"

	"github.com/bertopic-go/bertopic/internal/wordvectors"
	"github.com/bertopic-go/bertopic/sdk"
)

// pool makes the vectors of rows, one after the other. Words are looked up and
// added many at a time, which takes a fraction of the time.
type pool struct {
	m   *model
	sum []float64
	// Of the row at hand:
	weight          float64
	tokens, unknown int
	near            int            // unknown words that are known in lower case and without punctuation
	bag             map[string]int // how often a word comes, with tfidf
	distinct        []string       // of bag, as they first come

	find  *wordvectors.Finder
	words []string // not looked up yet
	found [wordvectors.Batch]int64
	known []int64 // places of vectors that are not added yet, and their weights
	scale [wordvectors.Batch]float64
}

// pool returns one that is not in use; it is to be given back.
func (m *model) pool() *pool {
	if p, ok := m.pools.Get().(*pool); ok {
		return p
	}
	p := &pool{
		m: m, sum: make([]float64, m.table.Info.Dim), find: wordvectors.NewFinder(m.table),
		words: make([]string, 0, wordvectors.Batch), known: make([]int64, 0, wordvectors.Batch),
	}
	if m.options.Pooling == poolTFIDF {
		p.bag = map[string]int{}
	}
	return p
}

// row writes the vector of a text into dst. Sums are of float64, in the order of
// the words, so that the bits depend on the text alone.
func (p *pool) row(dst []float32, text string) sdk.RowStatus {
	clear(p.sum)
	p.weight, p.tokens, p.unknown, p.near = 0, 0, 0, 0
	p.words, p.known = p.words[:0], p.known[:0] // a fault of memory may have left some
	o := &p.m.options
	if p.bag == nil {
		o.tokens(text, p.take)
	} else {
		if p.distinct = p.distinct[:0]; len(p.bag) > 1<<14 { // clearing takes as long as it was ever large
			p.bag = map[string]int{}
		}
		clear(p.bag)
		o.tokens(text, func(w string) {
			if p.bag[w]++; p.bag[w] == 1 {
				p.distinct = append(p.distinct, w)
			}
		})
		for _, w := range p.distinct {
			p.take(w)
		}
	}
	p.lookUp()
	p.addKnown()
	switch {
	case p.tokens == 0 && (o.Tokenizer == cutSpace || strings.TrimSpace(text) == ""):
		return sdk.RowStatus{Status: sdk.Empty}
	case p.unknown == p.tokens || float64(p.unknown) > o.MaxOOV*float64(p.tokens):
		return sdk.RowStatus{Status: sdk.OOV}
	}
	var size float64
	for j, s := range p.sum {
		dst[j] = float32(s / p.weight)
		size += math.Abs(float64(dst[j]))
	}
	switch {
	case size == 0:
		return sdk.RowStatus{Status: sdk.Failed, Reason: "the vectors of its words add up to zeros"}
	case math.IsInf(size, 0) || math.IsNaN(size): // sums of n-grams' vectors may be too large
		clear(dst)
		return sdk.RowStatus{Status: sdk.Failed, Reason: "the vectors of its words are too large to be added up"}
	}
	return sdk.RowStatus{}
}

// take takes a word, which is looked up when there are enough.
func (p *pool) take(word string) {
	if len(p.words) == wordvectors.Batch {
		p.lookUp()
	}
	p.words = append(p.words, word)
}

// lookUp looks up the words that were taken, counts them and adds their vectors
// in their order.
func (p *pool) lookUp() {
	m := p.m
	p.find.Find(p.found[:], p.words)
	compose := m.table.Compose()
	for k, w := range p.words {
		times, weight := 1, 1.0
		if p.bag != nil {
			times = p.bag[w]
			weight = float64(times) * m.fitted.idf(w)
		}
		p.tokens += times
		if place := p.found[k]; place < 0 || compose {
			p.addRare(w, place >= 0, times, weight)
		} else {
			p.add(place, weight)
		}
	}
	p.words = p.words[:0]
}

// add adds the vector at a place, sooner or later. A place of -1, which a spoilt
// cache gives, stands for zeros.
func (p *pool) add(place int64, weight float64) {
	if len(p.known) == wordvectors.Batch {
		p.addKnown()
	}
	if p.weight += weight; place >= 0 {
		p.scale[len(p.known)] = weight
		p.known = append(p.known, place)
	}
}

// addKnown adds the vectors that wait for it.
func (p *pool) addKnown() {
	p.find.AddAt(p.sum, p.known, p.scale[:])
	p.known = p.known[:0]
}

// addRare adds a word that is unknown as it stands, or one whose vector takes its
// time.
func (p *pool) addRare(word string, known bool, times int, weight float64) {
	m, row := p.m, -1
	if known {
		row, _ = m.table.Lookup(word)
	} else if m.options.Pooling == poolFlair {
		row = m.flairRow(word)
	}
	switch {
	case row >= 0 && !m.table.Compose():
		p.add(m.table.Place(row), weight)
		return
	case row >= 0 || m.options.OOV == oovSubword:
		v, ok := m.memo.get(word)
		if !ok {
			if row >= 0 {
				v = m.table.AppendTo(nil, row)
			} else {
				v, _ = m.table.AppendSubwords(nil, word)
			}
			m.memo.put(word, v)
		}
		p.addKnown() // what comes before
		for j, x := range v {
			p.sum[j] += float64(weight * float64(x))
		}
		if len(v) > 0 {
			p.weight += weight
			return
		}
	}
	p.unknown += times
	if m.options.OOV == oovZero {
		p.weight += weight
	}
	if m.count.looking() && m.near(word) {
		p.near += times
	}
}

// flairRow returns the row of a word under one of Flair's other forms of it, or -1.
func (m *model) flairRow(word string) int {
	found := -1
	flairForms(word, func(form string) bool {
		row, known := m.table.Lookup(form)
		if known {
			found = row
		}
		return known
	})
	return found
}

// near tells whether an unknown word is known in lower case and without the
// punctuation around it.
func (m *model) near(word string) bool {
	w := strings.ToLower(strings.TrimFunc(word, func(r rune) bool { return !isWordRune(r) }))
	if w == word {
		return false
	}
	_, ok := m.table.Lookup(w)
	return ok
}

// memo keeps vectors that are made of many. A word's vector is always the same,
// so that it never shows what is in it.
type memo struct {
	mu   sync.RWMutex
	of   map[string][]float32
	left int // words for which there is room
}

// memoBytes is the memory of vectors in a memo.
const memoBytes = 64 << 20

func newMemo(dim int) *memo {
	return &memo{of: map[string][]float32{}, left: memoBytes / (4*dim + 64)}
}

func (m *memo) get(word string) (v []float32, ok bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	v, ok = m.of[word]
	return v, ok
}

func (m *memo) put(word string, v []float32) {
	const longest = 64 // a word of a megabyte does not come again
	if len(word) > longest {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, there := m.of[word]; !there && m.left > 0 {
		m.of[strings.Clone(word)] = v
		m.left--
	}
}
