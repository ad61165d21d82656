//go:build !amd64 && !arm64

package knn

func kernels() map[string]kernel {
	return map[string]kernel{"go": {dotTileGo, scanGo, sumProductsGo, sumSquaresGo, threeProductsGo}}
}
