// Package mapfile makes the bytes of a file part of memory: they are read when
// they are looked at, are no part of the garbage-collected heap, and processes
// that map the same file share them.
//
// A mapped file must not be cut short while it is in use: a look at what is no
// longer there ends the program. Replacing it by renaming another is safe.
package mapfile
