//go:build !amd64

package knn

type kernel = func(dst *float32, a, b *float32, k int)

func kernels() map[string]kernel { return map[string]kernel{"go": dotTileGo} }
