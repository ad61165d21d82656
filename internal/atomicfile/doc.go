// Package atomicfile writes a file or a whole folder so that a reader finds
// either the old content or the new one, never a half.
//
// The new content is built under a hidden temporary name beside the target
// (.NAME.tmp-RANDOM, so on the same file system), synced to the disk and moved
// over the target by a rename. Whatever fails before the rename leaves the
// target as it was and removes the temporary name. Only a process killed in
// between leaves the hidden name behind, which nothing reads.
package atomicfile
