package quality

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Agreement says how alike two labellings of the same rows are.
type Agreement struct {
	ARI float64 // adjusted Rand index (Hubert and Arabie, 1985): 1 alike, about 0 by chance
	NMI float64 // mutual information over the arithmetic mean of the entropies
	AMI float64 // the same adjusted for chance (Vinh, Epps and Bailey, 2010)
}

// Compare returns the agreement of two labellings. Labels are names: a
// permutation changes nothing, and -1 is a class as any other. Values are those
// of scikit-learn's adjusted_rand_score, normalized_mutual_info_score and
// adjusted_mutual_info_score. No rows agree perfectly.
func Compare(a, b []int32) (Agreement, error) {
	if len(a) != len(b) {
		return Agreement{}, fmt.Errorf("compare labels: %d rows against %d", len(a), len(b))
	}
	t := contingency(a, b)
	return Agreement{ARI: t.ari(), NMI: t.nmi(), AMI: t.ami()}, nil
}

// Clustered is the agreement of a clustering with known classes where outliers
// are left out.
type Clustered struct {
	Agreement
	Coverage float64 // part of the rows that have a cluster
	// Score is the cube root of ARI^2 times coverage, 0 where ARI is negative:
	// one figure that neither many outliers nor wrong clusters can lift.
	Score float64
}

// CompareClustered compares the labels with the classes over the rows whose
// label is not negative.
func CompareClustered(classes, labels []int32) (Clustered, error) {
	if len(classes) != len(labels) {
		return Clustered{}, fmt.Errorf("compare labels: %d classes against %d labels", len(classes), len(labels))
	}
	var a, b []int32
	for i, l := range labels {
		if l >= 0 {
			a, b = append(a, classes[i]), append(b, l)
		}
	}
	agreement, err := Compare(a, b)
	if err != nil {
		return Clustered{}, err
	}
	c := Clustered{Agreement: agreement}
	if len(labels) > 0 {
		c.Coverage = float64(len(a)) / float64(len(labels))
	}
	if c.ARI > 0 {
		c.Score = math.Cbrt(c.ARI * c.ARI * c.Coverage)
	}
	return c, nil
}

// ARI returns the adjusted Rand index of two labellings; see Compare.
func ARI(a, b []int32) (float64, error) {
	c, err := Compare(a, b)
	return c.ARI, err
}

// NMI returns the normalised mutual information of two labellings; see Compare.
func NMI(a, b []int32) (float64, error) {
	c, err := Compare(a, b)
	return c.NMI, err
}

// AMI returns the adjusted mutual information of two labellings; see Compare.
func AMI(a, b []int32) (float64, error) {
	c, err := Compare(a, b)
	return c.AMI, err
}

// table is a contingency table: how many rows have label i in one labelling
// and j in the other, for the pairs that occur, in ascending order.
type table struct {
	n     int
	rows  []int // by label of a
	cols  []int // by label of b
	cells []cell
}

type cell struct{ i, j, count int }

func contingency(a, b []int32) table {
	ia, rows := number(a)
	ib, cols := number(b)
	t := table{n: len(a), rows: rows, cols: cols}
	pairs := make([]int64, len(a))
	for i := range a {
		pairs[i] = int64(ia[i])<<32 | int64(ib[i])
	}
	slices.Sort(pairs)
	for i := 0; i < len(pairs); {
		j := i
		for j < len(pairs) && pairs[j] == pairs[i] {
			j++
		}
		t.cells = append(t.cells, cell{int(pairs[i] >> 32), int(pairs[i] & math.MaxUint32), j - i})
		i = j
	}
	return t
}

// number renames labels to 0, 1, ... in ascending order and counts them.
func number(labels []int32) (index []int32, counts []int) {
	names := slices.Clone(labels)
	slices.Sort(names)
	names = slices.Compact(names)
	counts = make([]int, len(names))
	index = make([]int32, len(labels))
	for i, l := range labels {
		k, _ := slices.BinarySearchFunc(names, l, cmp.Compare[int32])
		index[i] = int32(k)
		counts[k]++
	}
	return index, counts
}

func (t *table) ari() float64 {
	square := func(v []int) (s float64) {
		for _, c := range v {
			s += float64(c) * float64(c)
		}
		return s
	}
	var joint float64
	for _, c := range t.cells {
		joint += float64(c.count) * float64(c.count)
	}
	n, a, b := float64(t.n), square(t.rows), square(t.cols)
	// Ordered pairs of rows: together in both, in a alone, in b alone, in none.
	both, onlyA, onlyB := joint-n, a-joint, b-joint
	none := n*n - joint - onlyA - onlyB
	if onlyA == 0 && onlyB == 0 {
		return 1
	}
	return 2 * (both*none - onlyA*onlyB) / ((both+onlyA)*(onlyA+none) + (both+onlyB)*(onlyB+none))
}

func entropy(counts []int, n int) float64 {
	if len(counts) < 2 {
		return 0
	}
	var h float64
	for _, c := range counts {
		p := float64(c) / float64(n)
		h -= p * math.Log(p)
	}
	return h
}

func (t *table) mutualInformation() float64 {
	if len(t.rows) < 2 || len(t.cols) < 2 {
		return 0
	}
	var mi float64
	n := float64(t.n)
	for _, c := range t.cells {
		p := float64(c.count) / n
		mi += p * (math.Log(p) - math.Log(float64(t.rows[c.i])/n) - math.Log(float64(t.cols[c.j])/n))
	}
	return max(mi, 0)
}

const epsilon = 2.220446049250313e-16

// trivial reports whether neither labelling splits the rows.
func (t *table) trivial() bool { return len(t.rows) < 2 && len(t.cols) < 2 }

func (t *table) nmi() float64 {
	if t.trivial() {
		return 1
	}
	mi := t.mutualInformation()
	if mi <= epsilon {
		return 0
	}
	return mi / ((entropy(t.rows, t.n) + entropy(t.cols, t.n)) / 2)
}

func (t *table) ami() float64 {
	if t.trivial() {
		return 1
	}
	expected := t.expectedInformation()
	mean := (entropy(t.rows, t.n) + entropy(t.cols, t.n)) / 2
	low := mean - expected
	if low < 0 {
		low = min(low, -epsilon)
	} else {
		low = max(low, epsilon)
	}
	high := t.mutualInformation() - expected
	if math.Abs(high) < 10*epsilon && math.Abs(low) <= 10*epsilon {
		return 1 // as many labels as rows on both sides: rounding against rounding
	}
	return high / low
}

// expectedInformation is the mean mutual information of labellings with the
// same counts, under the hypergeometric model.
func (t *table) expectedInformation() float64 {
	if len(t.rows) < 2 || len(t.cols) < 2 {
		return 0
	}
	n := t.n
	logFactorial := make([]float64, n+1)
	for i := 2; i <= n; i++ {
		logFactorial[i], _ = math.Lgamma(float64(i + 1))
	}
	// Equal counts give equal terms: count the pairs of counts instead.
	ra, ca := tally(t.rows)
	rb, cb := tally(t.cols)
	var sum float64
	for i, a := range ra {
		for j, b := range rb {
			fixed := logFactorial[a] + logFactorial[b] + logFactorial[n-a] + logFactorial[n-b] - logFactorial[n]
			var part float64
			for k := max(1, a+b-n); k <= min(a, b); k++ {
				p := math.Exp(fixed - logFactorial[k] - logFactorial[a-k] - logFactorial[b-k] - logFactorial[n-a-b+k])
				part += float64(k) / float64(n) * math.Log(float64(n)*float64(k)/(float64(a)*float64(b))) * p
			}
			sum += part * float64(ca[i]*cb[j])
		}
	}
	return sum
}

// tally returns the different values of v, ascending, and how often each occurs.
func tally(v []int) (values, times []int) {
	sorted := slices.Clone(v)
	slices.Sort(sorted)
	for _, x := range sorted {
		if len(values) == 0 || values[len(values)-1] != x {
			values, times = append(values, x), append(times, 0)
		}
		times[len(times)-1]++
	}
	return values, times
}
