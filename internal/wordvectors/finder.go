package wordvectors

// Batch is how many words or places a Finder takes at once, at most.
const Batch = 64

// Finder finds words of a table and adds their vectors, many at a time: the
// processor waits for several places of memory at once, and sums stay in registers.
// Words that came lately are found without the table. It is for one goroutine.
type Finder struct {
	t       *Table
	recent  [1 << 11]recent
	missing [Batch]missing
}

// missing is a word that has to be looked for in the table.
type missing struct {
	word, row         int
	first, last, hash uint64
	differs           uint64 // zero: the slot at hash has these first, last and length
}

// recent is a word of 16 bytes or less and where its vector begins.
type recent struct {
	first, last uint64
	n           int // 0: none
	place       int64
}

// NewFinder returns a Finder of a table.
func NewFinder(t *Table) *Finder { return &Finder{t: t} }

// Find tells where the vectors of words begin, which AddAt takes: -1 for a word that
// is not there. The words are those of which Lookup finds a row.
func (f *Finder) Find(places []int64, words []string) {
	n := 0
	for k, w := range words {
		first, last := ends(w)
		h := hashWord(w, first, last)
		r := &f.recent[h%uint64(len(f.recent))]
		if r.first == first && r.last == last && r.n == len(w) && r.n > 0 {
			places[k] = r.place
			continue
		}
		m := &f.missing[n%Batch]
		m.word, m.first, m.last, m.hash = k, first, last, h
		n++
	}
	slots := f.t.slots
	if len(slots) == 0 { // closed
		for k := range words {
			places[k] = -1
		}
		return
	}
	for i := range f.missing[:n] { // no branch waits for the table here
		m := &f.missing[i]
		at := slotSize * (m.hash & f.t.mask)
		slot := slots[at : at+slotSize]
		m.row = int(le.Uint32(slot[16:]))
		m.differs = (le.Uint64(slot) ^ m.first) | (le.Uint64(slot[8:]) ^ m.last) | (uint64(le.Uint16(slot[20:])) ^ uint64(len(words[m.word])))
	}
	for i := range f.missing[:n] {
		m := &f.missing[i]
		w := words[m.word]
		place := int64(-1)
		switch {
		case m.row == 0:
		case m.differs == 0 && len(w) <= 16 && m.row <= f.t.Info.Rows:
			place = f.t.Place(m.row - 1)
		default:
			if row, ok := f.t.lookup(w, m.first, m.last, m.hash); ok {
				place = f.t.Place(row)
			}
		}
		places[m.word] = place
		if len(w) <= 16 {
			f.recent[m.hash%uint64(len(f.recent))] = recent{m.first, m.last, len(w), place}
		}
	}
}

// AddAt adds weights[k] times the vector that begins at places[k] to sum, which has
// Dim values, one after the other. The bits are those of as many calls of Add. The
// table must not Compose: its vectors do not lie anywhere.
func (f *Finder) AddAt(sum []float64, places []int64, weights []float64) {
	var ahead [Batch + rowsAhead]int64
	n := copy(ahead[:Batch], places)
	addRows(sum, f.t.vectors, ahead[:n], weights[:n])
}
