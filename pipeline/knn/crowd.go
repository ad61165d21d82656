package knn

import "math/bits"

// crowd is what one worker needs where rows are so near to each other that
// codes cannot tell them apart: the rows of a tile in float64.
type crowd struct {
	// The rows padded with zeros to whole lanes, those of blocks i in
	// a[i%superBlocks], which is that of of[i%superBlocks]-1.
	a        [superBlocks][]float64
	of       [superBlocks]int
	b        []float64
	distance [blockRows * blockRows]float32
}

// crowded says whether so many pairs of a tile may be neighbours that all of
// them are better computed at once.
func (h *hits) crowded() bool {
	const share = 2
	n := 0
	for _, m := range h {
		n += bits.OnesCount32(m)
	}
	return n > blockRows*blockRows/share
}

// wide writes the rows of a block in float64 and returns how wide they are.
func (f *finder) wide(to *[]float64, block int) int {
	width := (f.ix.columns + lanes - 1) / lanes * lanes
	if *to == nil {
		*to = make([]float64, blockRows*width)
	}
	for r := range min(blockRows, f.ix.n-block*blockRows) {
		for j, v := range f.ix.row(block*blockRows + r) {
			(*to)[r*width+j] = float64(v)
		}
	}
	return width
}

// offerCrowd is offer for blocks of a crowd, under Cosine or Hellinger: the
// marked pairs become neighbours by their distances, computed three at a time.
func (f *finder) offerCrowd(blocks []block, w *workspace, i, j int) {
	if w.crowd == nil {
		w.crowd = &crowd{}
	}
	c := w.crowd
	a := &c.a[i%superBlocks]
	if of := &c.of[i%superBlocks]; *of != i+1 {
		f.wide(a, i)
		*of = i + 1
	}
	width := f.wide(&c.b, j)
	var sums [3]float64
	for r := range blockRows {
		for col := 0; col < blockRows; col += 3 {
			if !w.hits.any(r, col, 3) {
				continue
			}
			threeProducts(&sums, &(*a)[r*width], &c.b[col*width], width)
			for p := range sums {
				row, column := i*blockRows+r, j*blockRows+col+p
				d := inf32
				if row < f.ix.n && column < f.ix.n {
					if v, ok := f.apart(row, column, sums[p]); ok {
						d = v
					}
				}
				c.distance[r*blockRows+col+p] = d
			}
		}
	}
	f.settleCrowd(&blocks[i], w, i, j, true)
	f.settleCrowd(&blocks[j], w, i, j, false)
}

// settleCrowd inserts the distances of the tile of blocks i and j in the rows of
// block b, i or j.
func (f *finder) settleCrowd(b *block, w *workspace, i, j int, first bool) {
	b.lock.Lock()
	defer b.lock.Unlock()
	for wd, m := range w.hits {
		for ; m != 0; m &= m - 1 {
			r, c := wd/(blockRows/32), wd%(blockRows/32)*32+bits.TrailingZeros32(m)
			d := w.crowd.distance[r*blockRows+c]
			if d == inf32 {
				continue
			}
			at, of := i*blockRows+r, j*blockRows+c
			if !first {
				r, at, of = c, of, at
			}
			n := f.number(at)
			release := f.hold(n)
			f.insert(b, r, n, d, f.ix.number(int32(of)))
			release()
		}
	}
}

// any says whether one of n entries of row r from column c on is marked.
func (h *hits) any(r, c, n int) bool {
	for e := r*blockRows + c; e < r*blockRows+c+n; e++ {
		if h[e/32]>>(e%32)&1 == 1 {
			return true
		}
	}
	return false
}
