package knn

// kernels are all that this processor has, by name.
func kernels() map[string]kernel {
	return map[string]kernel{
		"go":   {dotTileGo, scanGo, sumProductsGo, sumSquaresGo, threeProductsGo},
		"neon": {dotTileNEON, scanNEON, sumProductsNEON, sumSquaresNEON, threeProductsNEON},
	}
}
