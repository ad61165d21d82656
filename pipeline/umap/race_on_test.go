//go:build race

package umap

const raceDetector = true
