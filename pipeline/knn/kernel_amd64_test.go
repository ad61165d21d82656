package knn

import "golang.org/x/sys/cpu"

type kernel = func(dst *float32, a, b *float32, k int)

func kernels() map[string]kernel {
	m := map[string]kernel{"go": dotTileGo}
	if cpu.X86.HasAVX2 {
		m["avx2"] = dotTileAVX2
	}
	if cpu.X86.HasAVX512F {
		m["avx512"] = dotTileAVX512
	}
	return m
}
