package knn

import "golang.org/x/sys/cpu"

// kernels are all that this processor has, by name.
func kernels() map[string]kernel {
	m := map[string]kernel{"go": {dotTileGo, scanGo, sumProductsGo, sumSquaresGo, threeProductsGo}}
	if cpu.X86.HasAVX2 {
		m["avx2"] = kernel{dotTileAVX2, scanAVX2, sumProductsAVX2, sumSquaresAVX2, threeProductsFMA}
	}
	if hasVNNI {
		m["avx512"] = kernel{dotTileAVX512, scanAVX2, sumProductsAVX2, sumSquaresAVX2, threeProductsFMA}
	}
	return m
}
