//go:build !linux

package atomicfile

// exchange reports false: this system has no step that swaps two folders.
func exchange(string, string) bool { return false }
