// Package nearest finds the name that a user probably meant.
package nearest

import "strings"

// Name returns the name nearest to what, by edits, if it is near enough to be
// worth a suggestion: at most a third of what's letters (at least one) differ,
// or one holds the other. Ties go to the first of names.
func Name(what string, names []string) (string, bool) {
	best, least := "", 1<<30
	w := strings.ToLower(what)
	for _, name := range names {
		n := strings.ToLower(name)
		d := distance(w, n)
		if d > 1 && len(w) >= 3 && len(n) >= 3 && (strings.Contains(n, w) || strings.Contains(w, n)) {
			d = 1
		}
		if d < least {
			best, least = name, d
		}
	}
	return best, best != "" && least <= max(1, len(w)/3)
}

// distance is the optimal string alignment distance: insertions, deletions,
// substitutions and swaps of neighbours cost 1.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	prev2 := make([]int, len(y)+1)
	prev := make([]int, len(y)+1)
	cur := make([]int, len(y)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(x); i++ {
		cur[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(y)]
}
