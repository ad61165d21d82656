package host

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/par"
	"github.com/bertopic-go/bertopic/sdk"
)

// RowStatus says how a row fared.
type RowStatus struct {
	Status     sdk.Status
	TokensLost int    // with Truncated
	Reason     string // with Failed
}

// Result is what became of the rows of one call.
type Result struct {
	Vectors  matrix.Matrix // *matrix.Dense, or *matrix.CSR if Info.Sparse; a row without a vector is all zeros
	Statuses []RowStatus   // one a row
	Embedded int           // rows that this call had embedded, copies of such rows among them
	Reused   int           // rows taken from the store, copies of such rows among them
	Restarts int           // processes started anew
	Warnings []string
}

// Embed embeds rows: the result has one vector and one status a row, in order.
// With a store, rows that it holds for this fingerprint are not sent, and others
// are kept there as they are finished, so that after an error nothing has to be
// done twice. A batch invariant program is sent one of several rows that are
// alike. A row that can't be embedded is no error: it has a status.
func (e *Embedder) Embed(ctx context.Context, rows []sdk.Row, store *Store) (*Result, error) {
	ctx, done, err := e.begin(ctx, "embed")
	if err != nil {
		return nil, err
	}
	defer done()
	j, err := newJob(e, rows, store, false)
	if err != nil {
		return nil, err
	}
	return j.do(ctx)
}

// EmbedWords embeds words or short phrases into the space of the documents. Row
// i of the result is the vector of words[i]; it is all zeros for a word that has
// none.
func (e *Embedder) EmbedWords(ctx context.Context, words []string) (*matrix.Dense, error) {
	ctx, done, err := e.begin(ctx, "embed words")
	if err != nil {
		return nil, err
	}
	defer done()
	if !e.Info().Words {
		return nil, e.errorf(KindFailed, "embed words", nil, errors.New("it does not embed words: a representation that needs their vectors can't use it"))
	}
	rows := make([]sdk.Row, len(words))
	for i, w := range words {
		rows[i] = sdk.Row{Text: w, HasText: true}
	}
	j, err := newJob(e, rows, nil, true)
	if err != nil {
		return nil, err
	}
	r, err := j.do(ctx)
	if err != nil {
		return nil, err
	}
	switch m := r.Vectors.(type) {
	case *matrix.Dense:
		return m, nil
	case *matrix.CSR:
		d := matrix.NewDense(m.Rows, m.Cols)
		for i := range m.Rows {
			columns, values := m.Row(i)
			for k, c := range columns {
				d.Row(i)[c] = values[k]
			}
		}
		return d, nil
	}
	panic("host: unknown layout")
}

// sparseRow aliases the answer that it came in.
type sparseRow struct {
	columns []uint32
	values  []float32
}

// job is one call of Embed or EmbedWords.
type job struct {
	e     *Embedder
	info  sdk.Info
	words bool
	rows  []sdk.Row // clean
	sizes []int     // of the rows in a request
	keys  []contentKey
	twin  []int32 // the first row of the same content where that is another one, or -1
	count []int32 // rows that a row stands for: itself and those whose twin it is

	store  *Store
	number uint32 // of the fingerprint in the store

	dense    *matrix.Dense
	sparse   []sparseRow
	statuses []RowStatus
	reused   []bool

	queue
	warnings []string

	progress struct {
		sync.Mutex
		done int
		last time.Time
	}
}

// keyGrain is how many rows a core cleans and hashes at a time.
const keyGrain = 256

func newJob(e *Embedder, rows []sdk.Row, store *Store, words bool) (*job, error) {
	op := "embed"
	if words {
		op = "embed words"
	}
	e.mu.Lock()
	info, fitted := e.info, e.fitted
	e.mu.Unlock()
	if info.NeedsFit && !fitted {
		return nil, e.errorf(KindFailed, op, nil, errors.New("it has to be fitted first"))
	}
	n := len(rows)
	if n > math.MaxInt32 {
		return nil, e.errorf(KindFailed, op, nil, fmt.Errorf("%d rows at once; %d are the end", n, math.MaxInt32))
	}
	j := &job{
		e: e, info: info, words: words, store: store,
		rows: make([]sdk.Row, n), sizes: make([]int, n), twin: make([]int32, n), count: make([]int32, n),
		statuses: make([]RowStatus, n), reused: make([]bool, n),
	}
	j.queue.init(e.spec.BatchSize)
	keyed := store != nil || info.BatchInvariant
	if keyed {
		j.keys = make([]contentKey, n)
	}
	changed := make([]bool, n)
	par.Blocks(e.spec.Threads, n, keyGrain, func(_, lo, hi int) {
		k := newKeyer()
		for i := lo; i < hi; i++ {
			j.rows[i], changed[i] = clean(rows[i])
			j.sizes[i] = rowSize(j.rows[i])
			if keyed {
				j.keys[i] = k.key(j.rows[i])
			}
		}
	})
	invalid, first := 0, 0
	for i, c := range changed {
		if c {
			if invalid == 0 {
				first = i
			}
			invalid++
		}
	}
	if invalid > 0 {
		j.warnings = append(j.warnings, fmt.Sprintf("%d rows, the first of them row %d, hold bytes that are not UTF-8: U+FFFD stands for them", invalid, first))
	}
	if info.Sparse {
		j.sparse = make([]sparseRow, n)
	} else {
		j.dense = matrix.NewDense(n, info.Dimension)
	}
	if store != nil {
		var err error
		if j.number, err = store.number(e.Fingerprint()); err != nil {
			return nil, err
		}
	}
	if err := j.plan(); err != nil {
		return nil, err
	}
	return j, nil
}

// plan finds twins, takes from the store what it has and cuts the rest into
// batches.
func (j *job) plan() error {
	for i := range j.twin {
		j.twin[i], j.count[i] = -1, 1
	}
	if !j.info.BatchInvariant {
		return j.planWhole()
	}
	first := make(map[contentKey]int32, len(j.rows))
	var rest []int32
	for i := range j.rows {
		if f, ok := first[j.keys[i]]; ok {
			j.twin[i], j.count[i] = f, 0
			j.count[f]++
			continue
		}
		first[j.keys[i]] = int32(i)
		rest = append(rest, int32(i))
	}
	k := 0
	for _, i := range rest {
		ok, err := j.reuse(int(i))
		if err != nil {
			return err
		}
		if !ok && !j.tooLarge(int(i)) {
			rest[k] = i
			k++
		}
	}
	j.cut(rest[:k], func(batch []int32) { j.add(batch) })
	return nil
}

// planWhole is plan for a program whose vectors depend on the batch: batches are
// cut as if there were neither twins nor a store, a row's key is that of its
// whole batch and its place there, and a batch is reused whole or not at all.
func (j *job) planWhole() error {
	var rest []int32
	for i := range j.rows {
		if !j.tooLarge(i) {
			rest = append(rest, int32(i))
		}
	}
	var fault error
	j.cut(rest, func(batch []int32) {
		if j.store == nil || fault != nil {
			j.add(batch)
			return
		}
		h := sha256.New()
		for _, i := range batch {
			h.Write(j.keys[i][:])
		}
		whole := true
		for k, i := range batch {
			h.Write([]byte{byte(k), byte(k >> 8), byte(k >> 16), byte(k >> 24)})
			h.Sum(j.keys[i][:0])
			whole = whole && j.store.has(j.number, j.keys[i])
		}
		if !whole {
			j.add(batch)
			return
		}
		for _, i := range batch {
			ok, err := j.reuse(int(i))
			if err == nil && !ok {
				err = fmt.Errorf("the store's vector of row %d does not fit", i)
			}
			fault = errors.Join(fault, err)
		}
	})
	return fault
}

// cut cuts rows, given by index, into batches by number and size.
func (j *job) cut(rows []int32, f func(batch []int32)) {
	start, size := 0, 0
	for k, i := range rows {
		n := j.sizes[i]
		if k > start && (k-start == j.e.spec.BatchSize || size+n > maxBatch) {
			f(rows[start:k:k])
			start, size = k, 0
		}
		size += n
	}
	if start < len(rows) {
		f(rows[start:len(rows):len(rows)])
	}
}

// tooLarge marks a row that can't cross.
func (j *job) tooLarge(i int) bool {
	if j.sizes[i] <= maxRow {
		return false
	}
	j.statuses[i] = RowStatus{Status: sdk.Failed, Reason: fmt.Sprintf("it has %d MiB, %d are the end: give a picture by its path", j.sizes[i]>>20, (maxRow+(64<<10))>>20)}
	j.progress.done += int(j.count[i])
	return true
}

// reuse takes a row from the store if it is there and fits.
func (j *job) reuse(i int) (bool, error) {
	if j.store == nil || j.words {
		return false, nil
	}
	r, ok, err := j.store.get(j.number, j.keys[i])
	if err != nil || !ok {
		return false, err
	}
	switch {
	case j.sparse != nil:
		if r.dense != nil {
			return false, nil
		}
		j.sparse[i] = sparseRow{r.columns, r.values}
	case r.columns != nil || r.dense != nil && len(r.dense) != j.info.Dimension:
		return false, nil
	default:
		copy(j.dense.Row(i), r.dense)
	}
	j.statuses[i], j.reused[i] = r.status, true
	j.progress.done += int(j.count[i])
	return true, nil
}

// do runs the job.
func (j *job) do(ctx context.Context) (*Result, error) {
	j.report(0)
	if err := j.run(ctx); err != nil {
		return nil, err
	}
	r := &Result{Statuses: j.statuses, Restarts: j.restarts}
	for i := range j.rows {
		from := i
		if f := j.twin[i]; f >= 0 {
			from = int(f)
			j.statuses[i] = j.statuses[from]
			if j.dense != nil {
				copy(j.dense.Row(i), j.dense.Row(from))
			} else {
				j.sparse[i] = j.sparse[from]
			}
		}
		if j.reused[from] {
			r.Reused++
		} else {
			r.Embedded++
		}
	}
	r.Vectors = j.matrix()
	for _, w := range j.e.workers {
		w.noteAttempts()
	}
	r.Warnings = append(j.e.Warnings(), j.warnings...)
	return r, nil
}

func (j *job) matrix() matrix.Matrix {
	if j.dense != nil {
		return j.dense
	}
	m := &matrix.CSR{Rows: len(j.rows), Cols: j.info.Dimension, Indptr: make([]int64, len(j.rows)+1)}
	for i, r := range j.sparse {
		m.Indptr[i+1] = m.Indptr[i] + int64(len(r.columns))
	}
	n := m.Indptr[len(j.rows)]
	m.Indices, m.Data = make([]int32, n), make([]float32, n)
	for i, r := range j.sparse {
		at := m.Indptr[i]
		for k, c := range r.columns {
			m.Indices[at+int64(k)] = int32(c)
		}
		copy(m.Data[at:], r.values)
	}
	return m
}

// place puts the vectors and statuses of an answer that has been checked where
// they belong, and keeps them.
func (j *job) place(rows []int32, v sdk.Vectors) error {
	statuses := make([]RowStatus, len(rows))
	for _, s := range v.Statuses {
		statuses[s.Row] = RowStatus{Status: s.Status, TokensLost: s.TokensLost, Reason: s.Reason}
	}
	kept := make([]finished, len(rows))
	for k, i := range rows {
		j.statuses[i] = statuses[k]
		kept[k].status = statuses[k]
		without := noVector(statuses[k].Status)
		switch {
		case v.Dense != nil:
			row := v.Dense.Data[k*v.Dense.Columns : (k+1)*v.Dense.Columns]
			if !without {
				copy(j.dense.Row(int(i)), row)
				kept[k].dense = row
			}
		case !without:
			from, to := v.Sparse.Indptr[k], v.Sparse.Indptr[k+1]
			row := sparseRow{v.Sparse.Indices[from:to:to], v.Sparse.Data[from:to:to]}
			j.sparse[i] = row
			kept[k].columns, kept[k].values = row.columns, row.values
		}
	}
	return j.keep(rows, kept)
}

func noVector(s sdk.Status) bool { return s == sdk.Empty || s == sdk.OOV || s == sdk.Failed }

// keep puts rows into the store and counts them.
func (j *job) keep(rows []int32, kept []finished) error {
	if j.store != nil {
		keys := make([]contentKey, len(rows))
		for k, i := range rows {
			keys[k] = j.keys[i]
		}
		if err := j.store.put(j.number, keys, kept); err != nil {
			return err
		}
	}
	n := 0
	for _, i := range rows {
		n += int(j.count[i])
	}
	j.report(n)
	return nil
}

// report counts rows and tells the caller, ten times a second at most and at the
// end.
func (j *job) report(n int) {
	p := &j.progress
	p.Lock()
	defer p.Unlock()
	p.done += n
	f := j.e.spec.Progress
	if f == nil || j.words || p.done < len(j.rows) && time.Since(p.last) < 100*time.Millisecond {
		return
	}
	p.last = time.Now()
	f(p.done, len(j.rows))
}
