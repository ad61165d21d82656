//go:build !linux

package host

import "io/fs"

// identity is nothing here: sizes and times have to do.
func identity(fs.FileInfo) []byte { return nil }
