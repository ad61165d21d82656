package host

import "io/fs"

// ownedByUs is not known here; nobody asks.
func ownedByUs(fs.FileInfo) bool { return true }
