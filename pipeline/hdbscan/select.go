package hdbscan

// selectClusters chooses the clusters of the flat result and returns their ids
// in the condensed tree, ascending. stability is changed by "eom": a cluster
// given up for its children takes on their sum.
func selectClusters(c *clusters, stability []float64, p Params) []int32 {
	// The root counts only if it may be a cluster and is large enough for one.
	root := p.AllowSingleCluster && c.n >= p.MinClusterSize
	chosen := make([]bool, c.k)
	if p.Method == "leaf" {
		chooseLeaves(c, chosen, root)
	} else {
		chooseByMass(c, chosen, root, stability, p.MaxClusterSize)
	}
	if p.Epsilon > 0 && !chosen[0] {
		chooseAbove(c, chosen, root, p.Epsilon)
	}
	var out []int32
	for i, yes := range chosen {
		if yes {
			out = append(out, int32(i+c.n))
		}
	}
	return out
}

// chooseLeaves takes every cluster without children.
func chooseLeaves(c *clusters, chosen []bool, root bool) {
	for i := range chosen {
		chosen[i] = len(c.below(i)) == 0 && (i > 0 || root)
	}
}

// chooseByMass takes, of every cluster and the best choice among its
// descendants, the one with more stability; the cluster wins ties. A cluster
// larger than maxSize (if not 0) always gives way.
func chooseByMass(c *clusters, chosen []bool, root bool, stability []float64, maxSize int) {
	stop := 1
	if root {
		stop = 0
	}
	for i := c.k - 1; i >= stop; i-- {
		sum := 0.0
		for _, b := range c.below(i) {
			sum += stability[b]
		}
		if sum > stability[i] || maxSize > 0 && int(c.size[i]) > maxSize {
			stability[i] = sum
			continue
		}
		chosen[i] = true
	}
	keepTopmost(c, chosen)
}

// keepTopmost gives up every choice below another one.
func keepTopmost(c *clusters, chosen []bool) {
	covered := make([]bool, c.k)
	covered[0] = chosen[0]
	for i := 1; i < c.k; i++ {
		above := covered[c.parent[i]]
		chosen[i] = chosen[i] && !above
		covered[i] = above || chosen[i]
	}
}

// chooseAbove replaces every chosen cluster born at a distance below epsilon
// by its lowest ancestor that is born at a larger one. Short of the root,
// unless that may be chosen, the child of the root is taken.
func chooseAbove(c *clusters, chosen []bool, root bool, epsilon float64) {
	was := append([]bool(nil), chosen...)
	for i := 1; i < c.k; i++ {
		if !was[i] || !(1/c.birth[i] < epsilon) {
			continue
		}
		chosen[i] = false
		at := i
		for {
			up := int(c.parent[at])
			if up == 0 {
				if root {
					at = 0
				}
				break
			}
			at = up
			if 1/c.birth[at] > epsilon {
				break
			}
		}
		chosen[at] = true
	}
	keepTopmost(c, chosen) // a cluster born at epsilon itself did not climb
}
