//go:build !race

package umap

const raceDetector = false
