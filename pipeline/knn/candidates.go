package knn

import (
	"math"
	"sync"
)

// A candidate is a row that may be among the nearest, and how near it may be:
// a larger key is nearer.
type candidate struct{ key, row int32 }

// block holds the candidates of blockRows rows. A row takes those with keys
// above its floor, which rises with what the row has.
type block struct {
	lock  sync.Mutex
	floor [blockRows]int32
	count [blockRows]int32
	list  []candidate // blockRows x room
	lows  []int32     // to sort with
}

const (
	lowest  = math.MinInt32 // a floor that everything is above
	highest = math.MaxInt32 // and that nothing is above
)

func (b *block) read(floor *[blockRows]int32) {
	b.lock.Lock()
	*floor = b.floor
	b.lock.Unlock()
}

// finder looks for the k nearest rows of an index for each of some rows. The
// codes tell which rows may be among them; the distances of these are computed
// in float64 and decide. So what is found is exact and doesn't depend on an
// order among threads.
type finder struct {
	ix   *denseIndex
	q    *codes                // of the rows whose neighbours are looked for
	row  func(i int) []float32 // their values
	nb   *neighbours           // what was found, by the numbers of rows
	lock []sync.Mutex          // of blocks of rows of nb; nil: a row of nb has one block
	k    int
	room int // candidates that a row holds
	// eps is how far a score of rows of length 1 may be from the product of
	// their codes. It is also far enough for any two scores whose distances are
	// the same when they are rounded.
	eps   float32
	slack int32 // of keys but under Euclidean: twice eps
}

// rounding is how much of itself a distance may lose when it is rounded to
// float32, with some room for the rounding of the keys.
const rounding = 2e-6

func newFinder(ix *denseIndex, q *codes, row func(i int) []float32, nb *neighbours, k int) *finder {
	f := &finder{ix: ix, q: q, row: row, nb: nb, k: k, room: 2*k + 32}
	eps := q.off + (1+q.off)*ix.off + max(float64(ix.snap), 2e-7) + 1e-7
	f.eps = float32(eps)
	f.slack = int32(min(2*eps*one*one+2, 1<<31-1))
	return f
}

// reset empties b, the rows at the places from lo on; what is no row takes
// nothing.
func (f *finder) reset(b *block, lo int) {
	if b.list == nil {
		b.list = make([]candidate, blockRows*f.room)
	}
	for r := range b.floor {
		b.count[r] = 0
		b.floor[r] = highest
		if lo+r < f.q.n {
			b.floor[r] = f.floor(lo + r)
		}
	}
}

// floor is the floor of the row at place i by what was found for it before.
func (f *finder) floor(i int) int32 {
	n := f.number(i)
	defer f.hold(n)()
	if f.nb.k > f.k { // fewer are looked for than are kept
		return lowest
	}
	if d := f.nb.worst(n); d < inf32 {
		return f.bar(d) - 1
	}
	return lowest
}

// hold keeps others from row n of nb until the function returned is called.
func (f *finder) hold(n int) func() {
	if f.lock == nil {
		return func() {}
	}
	f.lock[n/blockRows].Lock()
	return f.lock[n/blockRows].Unlock
}

// order maps float32 to integers in the same order, value reverses it.
func order(v float32) int32 {
	b := int32(math.Float32bits(v))
	return b ^ b>>31&0x7fffffff
}

func value(key int32) float32 { return math.Float32frombits(uint32(key ^ key>>31&0x7fffffff)) }

// keys turns the products of two blocks of codes into keys. Under Euclidean a
// key is the order of the largest that -|x-y|^2/2 may be, in units of the
// index; else the products are keys as they are.
func (f *finder) keys(t *tile, i, j int) {
	if f.ix.metric != Euclidean {
		return
	}
	scale, half := f.ix.scale[j*blockRows:(j+1)*blockRows], f.ix.half[j*blockRows:(j+1)*blockRows]
	for r := range blockRows {
		a, h := f.q.scale[i*blockRows+r], f.q.half[i*blockRows+r]
		row := t[r*blockRows : (r+1)*blockRows]
		for c, v := range row {
			row[c] = order(a*scale[c]*(float32(v)*(1./one/one)+f.eps) - (h+half[c])*(1-rounding))
		}
	}
}

// spread is half of how uncertain the score of rows i and j is under Euclidean.
func (f *finder) spread(i int, j int32) float32 {
	return f.q.scale[i]*f.ix.scale[j]*f.eps + (f.q.half[i]+f.ix.half[j])*rounding
}

// low is the key at which candidate c of row i would be if its score were the
// least that it may be.
func (f *finder) low(i int, c candidate) int32 {
	if f.ix.metric != Euclidean {
		return max(c.key, lowest+1+f.slack) - f.slack
	}
	return order(value(c.key) - 2*f.spread(i, c.row))
}

// bar is the least key that a row may have which is as near to another as d.
func (f *finder) bar(d float32) int32 {
	e := float64(d)
	switch f.ix.metric {
	case Euclidean:
		e /= f.ix.unit
		return order(float32(-e * e / 2 * (1 + rounding)))
	case Hellinger:
		e *= e
	}
	return int32(max(lowest+1, (1-e)*one*one-float64(f.slack)/2-1))
}

// distance is the distance of the rows at places i and j, and false where they
// are no neighbours.
func (f *finder) distance(i, j int) (float32, bool) {
	x, y := f.row(i), f.ix.row(j)
	if f.ix.metric == Euclidean {
		return float32(math.Sqrt(squares(x, y))), true
	}
	return f.apart(i, j, product(x, y))
}

// apart is distance but under Euclidean for rows whose product is known.
func (f *finder) apart(i, j int, product float64) (float32, bool) {
	a, b := f.q.length[i], f.ix.length[j]
	if a == 0 || b == 0 {
		if a == b {
			return f.ix.distance(1)
		}
		return f.ix.distance(0)
	}
	return f.ix.distance(product / (a * b))
}

// add gives row r of b, which is at place i, a candidate above its floor.
func (f *finder) add(b *block, r, i int, c candidate) {
	b.list[r*f.room+int(b.count[r])] = c
	b.count[r]++
	if int(b.count[r]) < f.room {
		return
	}
	f.compact(b, r, i)
	if int(b.count[r]) > f.room-f.k {
		f.settle(b, r, i)
	}
}

// raise sets the floors of b's rows, of which the first n are there, by the keys
// of these with each other.
func (f *finder) raise(b *block, t *tile, i, n int) {
	for r := range n {
		if b.floor[r] > lowest {
			continue
		}
		b.lows = b.lows[:0]
		for c, key := range t[r*blockRows : r*blockRows+n] {
			if c != r {
				b.lows = append(b.lows, f.low(i*blockRows+r, candidate{key, int32(i*blockRows + c)}))
			}
		}
		if len(b.lows) >= f.k {
			b.floor[r] = kthLargest(b.lows, f.k) - 1
		}
	}
}

// compact drops the candidates that k others are surely nearer than, and raises
// the floor to where new ones would be dropped too.
func (f *finder) compact(b *block, r, i int) {
	list := b.list[r*f.room : r*f.room+int(b.count[r])]
	if len(list) >= f.k {
		b.lows = b.lows[:0]
		for _, c := range list {
			b.lows = append(b.lows, f.low(i, c))
		}
		b.floor[r] = max(b.floor[r], kthLargest(b.lows, f.k)-1)
	}
	kept := 0
	for _, c := range list {
		list[kept] = c
		if c.key > b.floor[r] {
			kept++
		}
	}
	b.count[r] = int32(kept)
}

// settle turns the candidates of row r of b, which is at place i, into
// neighbours.
func (f *finder) settle(b *block, r, i int) {
	n := f.number(i)
	defer f.hold(n)()
	for _, c := range b.list[r*f.room : r*f.room+int(b.count[r])] {
		j := f.ix.number(c.row)
		if f.lock != nil && f.nb.has(n, j) {
			continue
		}
		if d, ok := f.distance(i, int(c.row)); ok {
			f.insert(b, r, n, d, j)
		}
	}
	b.count[r] = 0
}

// insert gives row r of b, whose number is n, the neighbour with the number j.
func (f *finder) insert(b *block, r, n int, d float32, j int32) {
	if f.nb.insertNew(n, d, j) && f.nb.worst(n) < inf32 && f.nb.k == f.k {
		b.floor[r] = max(b.floor[r], f.bar(f.nb.worst(n))-1)
	}
}

// number is the number of the row at place i, which only the rows of an index
// may differ in.
func (f *finder) number(i int) int {
	if f.q == &f.ix.codes {
		return int(f.ix.number(int32(i)))
	}
	return i
}

// finish settles all rows of b, which are at the places lo to hi.
func (f *finder) finish(b *block, lo, hi int) {
	for i := lo; i < hi; i++ {
		f.compact(b, i-lo, i)
		f.settle(b, i-lo, i)
	}
}

// kthLargest returns the k-th largest value of s, k from 1, and moves values
// about.
func kthLargest(s []int32, k int) int32 {
	lo, hi, k := 0, len(s)-1, k-1
	for lo < hi {
		pivot := s[int(uint(lo+hi)/2)]
		i, j := lo, hi
		for i <= j {
			for s[i] > pivot {
				i++
			}
			for s[j] < pivot {
				j--
			}
			if i <= j {
				s[i], s[j] = s[j], s[i]
				i++
				j--
			}
		}
		switch {
		case k <= j:
			hi = j
		case k >= i:
			lo = i
		default:
			return s[k]
		}
	}
	return s[k]
}
