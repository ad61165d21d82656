package report

// colors is the length of the palette in page.css.
const colors = 12

// spread is the number of topics whose colours are chosen with care; later,
// smaller ones take the palette in turn, which keeps the cost bounded.
const spread = 1000

// paint gives each topic a place in the palette so that topics near each
// other on the map differ: in the given order, a topic takes the colour whose
// holders are farthest from it, the first of equals. at holds the middle of a
// topic on the unit square; a topic with no place counts as far from all.
// Past the first 1,000 the palette is taken in turn.
func paint(at [][2]float64, has []bool) []int {
	out := make([]int, len(at))
	var cost [colors]float64
	for i := range at {
		if i >= spread {
			out[i] = i % colors
			continue
		}
		clear(cost[:])
		for j := range i {
			d2 := 1.0
			if has[i] && has[j] {
				dx, dy := at[i][0]-at[j][0], at[i][1]-at[j][1]
				d2 = dx*dx + dy*dy
			}
			cost[out[j]] += 1 / (d2 + 1e-3)
		}
		best := 0
		for c, v := range cost {
			if v < cost[best] {
				best = c
			}
		}
		out[i] = best
	}
	return out
}
