package hdbscan

// glosh is the outlier score of Campello et al., "Hierarchical density
// estimates for data clustering, visualization, and outlier detection" (2015):
// how much earlier a row leaves its cluster than the densest row in or below it.
func glosh(c *clusters) []float64 {
	last := append([]float64(nil), c.last...)
	for i := c.k - 1; i > 0; i-- {
		last[c.parent[i]] = max(last[c.parent[i]], last[i])
	}
	out := make([]float64, c.n)
	for r, p := range c.rowParent {
		if m := last[p]; m > 0 {
			out[r] = (m - c.rowLambda[r]) / m
		}
	}
	return out
}
