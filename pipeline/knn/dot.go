package knn

// lanes leaves in out the products of a and b, of n whole steps of 32 values,
// added up in 32 lanes, value k in lane k%32, of which lane i then takes up
// lane i+16, and of the sixteen lane i takes up lane i+8.
var lanes func(a, b *float32, n int, out *[8]float32) = lanesGo

// dot is the product of two rows of one length.
func dot(a, b []float32) float32 {
	var sum [8]float32
	b = b[:len(a)]
	steps := len(a) / 32
	if steps > 0 {
		lanes(&a[0], &b[0], steps, &sum)
	}
	s := ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]))
	for k := steps * 32; k < len(a); k++ {
		s += float32(a[k] * b[k])
	}
	return s
}
