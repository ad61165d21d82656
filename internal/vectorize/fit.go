package vectorize

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"sync"

	"github.com/bertopic-go/bertopic/internal/par"
)

// Vocabulary is a fitted set of terms: column j of its counts is Terms[j]. It
// is safe for concurrent use.
type Vocabulary struct {
	Terms []string
	opt   Options
	table func() *table // made when it is first asked for
	// sorted tells that Terms are in order, so that one is found without table.
	sorted bool
	// counters and adders of earlier calls, to be used again
	counters sync.Pool
	adders   *sync.Pool
}

// NewVocabulary returns a vocabulary of the given terms, in the given order,
// that reads documents as opt says. It restores a fitted one from its Terms
// and Options; opt.Vocabulary and the limits on terms are not looked at.
func NewVocabulary(terms []string, opt Options) (*Vocabulary, error) {
	opt.Vocabulary = nil
	if err := opt.Validate(); err != nil {
		return nil, err
	}
	v := newVocabulary(terms, opt)
	if v.table().len() != len(terms) {
		return nil, errors.New("vocabulary has a term twice")
	}
	return v, nil
}

// newVocabulary is NewVocabulary for what is known to be valid.
func newVocabulary(terms []string, opt Options) *Vocabulary {
	opt.Vocabulary = nil
	return &Vocabulary{
		Terms: terms, opt: opt.withDefaults(),
		table:  sync.OnceValue(func() *table { return tableOf(terms) }),
		adders: poolOfAdders(len(terms)),
	}
}

// Options returns how v reads documents.
func (v *Vocabulary) Options() Options { return v.opt }

// Index returns the column of a term, or -1 where it is none.
func (v *Vocabulary) Index(term string) (column int, known bool) {
	if !v.sorted {
		column = int(v.table().find(padded(nil, term), 0, len(term)))
		return column, column >= 0
	}
	if column, known = slices.BinarySearch(v.Terms, term); !known {
		column = -1
	}
	return column, known
}

// Len returns the number of terms.
func (v *Vocabulary) Len() int { return len(v.Terms) }

// Analyze returns the terms of one document in the order in which
// scikit-learn's analyzer gives them: all single words, then all pairs, ...
func Analyze(text string, opt Options) ([]string, error) {
	if err := opt.Validate(); err != nil {
		return nil, err
	}
	s := newScanner(opt)
	s.scan(text)
	out := make([]string, len(s.terms))
	for i, t := range s.terms {
		out[i] = string(s.buf[t.lo:t.hi])
	}
	return out, nil
}

// Fit reads the documents once, learns the vocabulary and counts it: the
// counts are documents x terms. threads 0 means all cores and never changes
// the result. The texts are not kept.
//
// Besides faults of opt and of docs it returns, wrapped, ErrEmptyVocabulary,
// ErrBounds or ErrNoTermsLeft.
func Fit(ctx context.Context, docs iter.Seq2[string, error], opt Options, threads int) (*Vocabulary, *Counts, error) {
	if err := opt.Validate(); err != nil {
		return nil, nil, err
	}
	if opt.Vocabulary != nil {
		v, err := NewVocabulary(opt.Vocabulary, opt)
		if err != nil {
			return nil, nil, err
		}
		counts, err := v.Transform(ctx, docs, threads)
		return v, counts, err
	}
	opt = opt.withDefaults()
	workers := make([]*counter, par.Threads(threads))
	blocks, n, err := readBlocks(ctx, docs, len(workers), func(w int, texts []string) (*block, error) {
		if workers[w] == nil {
			workers[w] = newCounter(opt, nil)
			workers[w].asked = opt.limited()
		}
		return workers[w].count(texts, int32(w), true)
	})
	if err != nil {
		return nil, nil, err
	}
	terms, _, columns, err := selectTerms(workers, n, opt)
	if err != nil {
		return nil, nil, fmt.Errorf("count the terms of %d documents: %w", n, err)
	}
	v := newVocabulary(terms, opt)
	v.sorted = true
	return v, v.assemble(blocks, n, columns, threads), nil
}

// Learn is Fit without the counts: it returns the vocabulary, the number of
// documents that hold each term and the number of documents. It needs memory
// for terms alone, however many documents there are.
func Learn(ctx context.Context, docs iter.Seq2[string, error], opt Options, threads int) (v *Vocabulary, df []int64, n int, err error) {
	if err := opt.Validate(); err != nil {
		return nil, nil, 0, err
	}
	var fixed *table
	if opt.Vocabulary != nil {
		if v, err = NewVocabulary(opt.Vocabulary, opt); err != nil {
			return nil, nil, 0, err
		}
		fixed = v.table()
	}
	opt = opt.withDefaults()
	workers := make([]*counter, par.Threads(threads))
	_, n, err = readBlocks(ctx, docs, len(workers), func(w int, texts []string) (*block, error) {
		if workers[w] == nil {
			workers[w] = newCounter(opt, fixed)
			workers[w].asked = true
		}
		return workers[w].count(texts, 0, false)
	})
	if err != nil {
		return nil, nil, 0, err
	}
	if fixed != nil {
		df = make([]int64, fixed.len())
		for _, c := range workers {
			if c == nil {
				continue
			}
			for j, f := range c.seen {
				df[j] += f.documents
			}
		}
		return v, df, n, nil
	}
	terms, df, _, err := selectTerms(workers, n, opt)
	if err != nil {
		return nil, nil, 0, fmt.Errorf("count the terms of %d documents: %w", n, err)
	}
	v = newVocabulary(terms, opt)
	v.sorted = true
	return v, df, n, nil
}

// Transform counts the terms of v in documents; others are passed over. A row
// depends on its document alone.
func (v *Vocabulary) Transform(ctx context.Context, docs iter.Seq2[string, error], threads int) (*Counts, error) {
	blocks, n, err := readBlocks(ctx, docs, par.Threads(threads), func(_ int, texts []string) (*block, error) {
		c, ok := v.counters.Get().(*counter)
		if !ok {
			c = newCounter(v.opt, v.table())
		}
		defer v.counters.Put(c)
		return c.count(texts, 0, true)
	})
	if err != nil {
		return nil, err
	}
	return v.assemble(blocks, n, nil, threads), nil
}

const (
	blockDocs  = 512     // documents of a block at most
	blockBytes = 1 << 20 // a block is full when it has this much text
	maxDoc     = 1 << 29 // places in a document are int32, and its terms may be 7/3 of it
)

// block holds the counts of some documents in a row: document i of it has the
// entries from ends[i-1] to ends[i].
type block struct {
	worker     int32 // whose numbers the ids are
	ends       []int64
	ids, tally []int32
}

// readBlocks gives the documents to f, some at a time, on several goroutines,
// each with a number w below threads, and returns the results in order and the
// number of documents. At most two blocks a goroutine are in memory as text.
func readBlocks(ctx context.Context, docs iter.Seq2[string, error], threads int, f func(w int, texts []string) (*block, error)) ([]*block, int, error) {
	type job struct {
		index, first int
		texts        []string
	}
	var (
		jobs   = make(chan job, threads)
		wg     sync.WaitGroup
		mu     sync.Mutex
		blocks []*block
		fault  error
		at     = math.MaxInt // the block of the fault: the first one is told
	)
	failed := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return fault != nil
	}
	for w := range threads {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for j := range jobs {
				b, err := f(w, j.texts)
				mu.Lock()
				if err != nil && j.index < at {
					at = j.index
					var long *longError
					if errors.As(err, &long) {
						err = fmt.Errorf("document %d has %d bytes: more than %d can't be read", j.first+long.doc, long.size, maxDoc)
					}
					fault = err
				}
				for len(blocks) <= j.index {
					blocks = append(blocks, nil)
				}
				blocks[j.index] = b
				mu.Unlock()
			}
		}()
	}

	n, size, index := 0, 0, 0
	var texts []string
	send := func() {
		jobs <- job{index: index, first: n - len(texts), texts: texts}
		index++
		texts, size = nil, 0
	}
	var readErr error
	for text, err := range docs {
		if err != nil {
			readErr = fmt.Errorf("read document %d: %w", n, err)
			break
		}
		texts = append(texts, text)
		n++
		size += len(text)
		if len(texts) == blockDocs || size >= blockBytes {
			send()
			if readErr = ctx.Err(); readErr != nil || failed() {
				break
			}
		}
	}
	if len(texts) > 0 && readErr == nil {
		send()
	}
	close(jobs)
	wg.Wait()
	if readErr == nil {
		readErr = fault
	}
	if readErr == nil {
		readErr = ctx.Err()
	}
	return blocks, n, readErr
}

// longError is about a document that is too long.
type longError struct{ doc, size int }

func (e *longError) Error() string { return "document too long" }

// counter counts the terms of documents.
type counter struct {
	scan    *scanner
	table   *table
	fixed   bool  // the table has all terms that count
	stops   int32 // the first terms of the table are stop words
	asked   bool  // for how often terms were seen
	seen    []frequency
	tally   []int32 // by term; zero between two documents
	ids     []int32 // of the terms of the document
	touched []int32 // ids without the second and later occurrences
	grown   block   // the last one, in memory that grew with it
}

// frequency is in how many documents a term is and how often in all of them.
type frequency struct{ documents, times int64 }

// newCounter returns a counter for valid options. With fixed it counts the
// terms of that table, which it doesn't change.
func newCounter(opt Options, fixed *table) *counter {
	c := &counter{scan: newScanner(opt), table: fixed, fixed: fixed != nil}
	if c.fixed {
		return c
	}
	c.table = newTable(1 << 12)
	if c.scan.stop != nil && c.scan.opt.NgramRange[1] == 1 {
		// One look into the table finds a stop word too.
		c.scan.keeps = true
		c.table.add(opt.StopWords)
		c.stops = int32(c.table.len())
	}
	return c
}

// count counts the terms of texts. Without keep the block is left empty.
func (c *counter) count(texts []string, worker int32, keep bool) (*block, error) {
	b := &block{worker: worker, ends: make([]int64, len(texts)), ids: c.grown.ids[:0], tally: c.grown.tally[:0]}
	for i, text := range texts {
		if len(text) > maxDoc {
			return nil, &longError{doc: i, size: len(text)}
		}
		c.scan.scan(text)
		c.number()
		c.touch()
		for _, id := range c.touched {
			n := c.tally[id]
			c.tally[id] = 0
			if id < c.stops {
				continue
			}
			if keep {
				b.ids = append(b.ids, id)
				b.tally = append(b.tally, n)
			}
			if c.asked {
				c.seen[id].documents++
				c.seen[id].times += int64(n)
			}
		}
		b.ends[i] = int64(len(b.ids))
	}
	c.grown = block{ids: b.ids, tally: b.tally}
	b.ids, b.tally = slices.Clone(b.ids), slices.Clone(b.tally)
	return b, nil
}

// number looks up the terms of the document and, unless the table is fixed,
// adds the new ones to it.
func (c *counter) number() {
	ids, buf := c.ids[:0], c.scan.buf
	if c.fixed {
		for _, t := range c.scan.terms {
			if id := c.table.find(buf, int(t.lo), int(t.hi)); id >= 0 {
				ids = append(ids, id)
			}
		}
	} else {
		for _, t := range c.scan.terms {
			ids = append(ids, c.table.intern(buf, int(t.lo), int(t.hi)))
		}
	}
	c.ids = ids
	if more := c.table.len() - len(c.tally); more > 0 {
		c.tally = append(c.tally, make([]int32, more)...)
		if c.asked {
			c.seen = append(c.seen, make([]frequency, more)...)
		}
	}
}

// touch counts the ids and leaves each once in touched.
func (c *counter) touch() {
	touched := slices.Grow(c.touched[:0], len(c.ids))[:len(c.ids)]
	tally, n := c.tally, 0
	for _, id := range c.ids {
		touched[n] = id // stays if it is the first one
		before := tally[id]
		if before == 0 {
			n++
		}
		tally[id] = before + 1
	}
	c.touched = touched[:n]
}

// selectTerms joins what the workers learned from n documents and returns the
// terms that the limits leave, sorted, with their document frequencies if these
// were asked for, and for each worker the column of each of its terms, -1 for
// one that is left out.
func selectTerms(workers []*counter, n int, opt Options) (terms []string, df []int64, columns [][]int32, err error) {
	var all *counter
	columns = make([][]int32, len(workers)) // first the number of a term in all
	for w, c := range workers {
		switch {
		case c == nil:
		case all == nil:
			all = c
			columns[w] = make([]int32, c.table.len())
			for i := range columns[w] {
				columns[w][i] = int32(i)
			}
		default:
			columns[w] = all.table.join(c.table)
			if all.asked {
				all.seen = append(all.seen, make([]frequency, all.table.len()-len(all.seen))...)
				for i, id := range columns[w] {
					all.seen[id].documents += c.seen[i].documents
					all.seen[id].times += c.seen[i].times
				}
			}
		}
	}
	if all == nil || all.table.len() == int(all.stops) {
		return nil, nil, nil, ErrEmptyVocabulary
	}
	low, high := opt.MinDF.documents(n, 1), opt.MaxDF.documents(n, float64(n))
	if high < low {
		return nil, nil, nil, fmt.Errorf("%w: min_df = %v is %v of %d documents, max_df = %v is %v", ErrBounds, opt.MinDF, low, n, opt.MaxDF, high)
	}

	var kept []int32
	for id := all.stops; int(id) < all.table.len(); id++ {
		if all.asked {
			if d := float64(all.seen[id].documents); d < low || d > high {
				continue
			}
		}
		kept = append(kept, id)
	}
	if len(kept) == 0 {
		return nil, nil, nil, fmt.Errorf("%w (min_df = %v, max_df = %v, %d terms in all)", ErrNoTermsLeft, opt.MinDF, opt.MaxDF, all.table.len()-int(all.stops))
	}
	all.table.sort(kept)
	if opt.MaxFeatures > 0 && len(kept) > opt.MaxFeatures {
		kept = mostFrequent(kept, opt.MaxFeatures, func(id int32) int64 {
			if opt.Binary {
				return all.seen[id].documents
			}
			return all.seen[id].times
		})
	}

	column := make([]int32, all.table.len())
	for i := range column {
		column[i] = -1
	}
	for j, id := range kept {
		column[id] = int32(j)
	}
	for _, ids := range columns {
		for i, id := range ids {
			ids[i] = column[id]
		}
	}
	if all.asked {
		df = make([]int64, len(kept))
		for j, id := range kept {
			df[j] = all.seen[id].documents
		}
	}
	return all.table.strings(kept), df, columns, nil
}

// mostFrequent returns the n of ids with the highest frequency, in the same
// order. Of equal ones the first stay; scikit-learn's choice among them follows
// from its sort and is not defined.
func mostFrequent(ids []int32, n int, frequency func(int32) int64) []int32 {
	place := make([]int32, len(ids))
	for i := range place {
		place[i] = int32(i)
	}
	slices.SortStableFunc(place, func(a, b int32) int {
		return cmp.Compare(frequency(ids[b]), frequency(ids[a]))
	})
	place = place[:n]
	slices.Sort(place)
	out := make([]int32, n)
	for i, p := range place {
		out[i] = ids[p]
	}
	return out
}

// assemble makes the matrix of n documents from blocks whose ids are columns,
// or become columns by columns[worker][id]. It empties the blocks.
func (v *Vocabulary) assemble(blocks []*block, n int, columns [][]int32, threads int) *Counts {
	out := &Counts{Rows: n, Cols: len(v.Terms), Indptr: make([]int64, n+1)}
	first := make([]int, len(blocks)+1)
	for k, b := range blocks {
		first[k+1] = first[k] + len(b.ends)
	}
	// Count what stays of each row, then put the rows in their places.
	par.Blocks(threads, len(blocks), 1, func(_, k, _ int) {
		b := blocks[k]
		if columns != nil {
			to := columns[b.worker]
			for i, id := range b.ids {
				b.ids[i] = to[id]
			}
		}
		lo := int64(0)
		for i, hi := range b.ends {
			stays := int64(0)
			for _, id := range b.ids[lo:hi] {
				if id >= 0 {
					stays++
				}
			}
			out.Indptr[first[k]+i+1] = stays
			lo = hi
		}
	})
	for i := range n {
		out.Indptr[i+1] += out.Indptr[i]
	}
	out.Indices = make([]int32, out.Indptr[n])
	out.Data = make([]int32, out.Indptr[n])
	par.Blocks(threads, len(blocks), 1, func(_, k, _ int) {
		b, row := blocks[k], v.adders.Get().(*adder)
		defer v.adders.Put(row)
		lo := int64(0)
		for i, hi := range b.ends {
			for e := lo; e < hi; e++ {
				if id := b.ids[e]; id >= 0 {
					row.add(id, b.tally[e])
				}
			}
			from, to := out.Indptr[first[k]+i], out.Indptr[first[k]+i+1]
			data := out.Data[from:to]
			for j, col := range row.columns(out.Indices[from:from:to]) {
				data[j] = int32(row.take(col))
				if v.opt.Binary {
					data[j] = 1
				}
			}
			lo = hi
		}
		*b = block{}
	})
	return out
}
