package hdbscan

// label gives every row the selected cluster that it falls out of or is below
// of, and the strength min(lambda, last)/last with which it belongs to it,
// where last is the largest lambda among the direct members of the cluster.
func label(c *clusters, p Params) (labels []int32, probabilities []float64) {
	labels = make([]int32, c.n)
	probabilities = make([]float64, c.n)
	least := c.rootThreshold(p)
	for r := range labels {
		l := c.label[c.rowParent[r]]
		if l >= 0 && c.selected[l] == 0 && c.rowLambda[r] < least {
			l = -1
		}
		labels[r] = l
		if l >= 0 {
			probabilities[r] = strength(c.rowLambda[r], c.last[c.selected[l]])
		}
	}
	return labels, probabilities
}

// rootThreshold is the lambda that a row must reach to belong to the root when
// the root is the only cluster: that of the last direct member of the root, or
// 1/epsilon.
func (c *clusters) rootThreshold(p Params) float64 {
	if p.Epsilon > 0 {
		return 1 / p.Epsilon
	}
	return c.last[0]
}

func strength(lambda, last float64) float64 {
	if last <= 0 {
		return 1
	}
	return min(lambda, last) / last
}

// persistence is the stability of each selected cluster relative to its
// labelled rows and the largest lambda. A cluster without rows has 1.
func persistence(c *clusters, stability []float64, labels []int32) []float64 {
	counts := make([]int, len(c.selected))
	for _, l := range labels {
		if l >= 0 {
			counts[l]++
		}
	}
	out := make([]float64, len(c.selected))
	for j, s := range c.selected {
		out[j] = 1
		if counts[j] > 0 && c.maxLambda > 0 {
			out[j] = stability[s] / (float64(counts[j]) * c.maxLambda)
		}
	}
	return out
}
