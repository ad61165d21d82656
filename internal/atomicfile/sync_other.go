//go:build !unix

package atomicfile

// syncFolder does nothing: folders cannot be synced on this system.
func syncFolder(string) error { return nil }
