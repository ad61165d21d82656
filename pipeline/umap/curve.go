package umap

import "math"

// FitCurve returns the a and b for which 1/(1 + a x^(2b)) is closest, in least
// squares over 300 points of [0, 3 spread], to the wanted closeness of two
// embedded points at distance x: 1 up to minDist, then exp(-(x-minDist)/spread)
// (find_ab_params of umap-learn). The method is Levenberg and Marquardt's,
// started from 1, 1.
func FitCurve(spread, minDist float64) (a, b float64) {
	const points = 300
	var xs, ys [points]float64
	for i := range xs {
		x := 3 * spread * float64(i) / (points - 1)
		xs[i], ys[i] = x, 1
		if x >= minDist {
			ys[i] = math.Exp(-(x - minDist) / spread)
		}
	}
	cost := func(a, b float64) float64 {
		var s float64
		for i, x := range xs {
			e := 1/(1+a*math.Pow(x, 2*b)) - ys[i]
			s += e * e
		}
		return s
	}
	// The logarithm of a, since a spans orders of magnitude with the spread.
	la, b := 0.0, 1.0
	now, damp := cost(1, 1), 1e-3
	for range 500 {
		var haa, hab, hbb, ga, gb float64
		for i, x := range xs {
			if x == 0 {
				continue
			}
			t := math.Exp(la) * math.Pow(x, 2*b)
			f := 1 / (1 + t)
			da := -f * f * t
			db := -f * f * t * 2 * math.Log(x)
			e := f - ys[i]
			haa, hab, hbb = haa+da*da, hab+da*db, hbb+db*db
			ga, gb = ga+da*e, gb+db*e
		}
		p, q := haa*(1+damp), hbb*(1+damp)
		det := p*q - hab*hab
		sa, sb := -(q*ga-hab*gb)/det, -(p*gb-hab*ga)/det
		if math.Abs(sa)+math.Abs(sb) < 1e-10 {
			break
		}
		next := cost(math.Exp(la+sa), b+sb)
		if !(next < now) {
			if damp *= 4; damp > 1e12 {
				break
			}
			continue
		}
		la, b, now = la+sa, b+sb, next
		damp = max(damp/4, 1e-12)
	}
	return math.Exp(la), b
}
