package report

import "math"

// heatTopics is the number of topics a heatmap shows at most: past it the
// cells are too small to point at.
const heatTopics = 40

// likeness is the cosine of each pair of vectors, n x n row-major. A zero or
// non-finite vector is like nothing, itself apart.
func likeness(vectors [][]float32) []float64 {
	n := len(vectors)
	norm := make([]float64, n)
	for i, v := range vectors {
		norm[i] = math.Sqrt(dot(v, v))
	}
	out := make([]float64, n*n)
	for i := range n {
		out[i*n+i] = 1
		for j := range i {
			c := dot(vectors[i], vectors[j]) / (norm[i] * norm[j])
			if !isFinite(c) {
				c = 0
			}
			out[i*n+j], out[j*n+i] = c, c
		}
	}
	return out
}

func dot(a, b []float32) float64 {
	s := 0.0
	for i, x := range a {
		s += float64(x) * float64(b[i])
	}
	return s
}

// chain orders the n rows of a likeness matrix so that like ones stand
// together: it starts from the first and goes on to the row most like any of
// the two ends, the first of equals.
func chain(sim []float64, n int) []int {
	if n == 0 {
		return nil
	}
	used := make([]bool, n)
	used[0] = true
	head, tail := []int{0}, []int{0} // head runs away from the start, backwards
	for range n - 1 {
		a, b := head[len(head)-1], tail[len(tail)-1]
		best, front, top := -1, false, math.Inf(-1)
		for j := range n {
			if used[j] {
				continue
			}
			if s := sim[b*n+j]; s > top {
				best, front, top = j, false, s
			}
			if s := sim[a*n+j]; s > top {
				best, front, top = j, true, s
			}
		}
		used[best] = true
		if front {
			head = append(head, best)
		} else {
			tail = append(tail, best)
		}
	}
	out := make([]int, 0, n)
	for i := len(head) - 1; i > 0; i-- {
		out = append(out, head[i])
	}
	return append(out, tail...)
}
