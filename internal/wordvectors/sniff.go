package wordvectors

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// kind is what the content of a file is.
type kind int

const (
	unknownFile kind = iota
	textFile         // word2vec, GloVe, fastText's .vec
	binaryFile       // word2vec
	fastTextFile
	npyFile
	npzFile
	pickleFile
	parquetFile
	gzipFile
)

// sniffBytes are enough of a file to tell what it is, and for text the number
// of values.
const sniffBytes = 1 << 20

// foreign are contents that are known and not read, with what to do.
var foreign = []struct{ magic, what string }{
	{"\x89HDF\r\n", "it is an HDF5 file: save its words and vectors as text or .npy"},
	{"BZh", "it is packed by bzip2: unpack it first (bunzip2)"},
	{"\xfd7zXZ", "it is packed by xz: unpack it first (unxz)"},
	{"\x28\xb5\x2f\xfd", "it is packed by zstd: unpack it first (unzstd)"},
	{"<!DOCTYPE", "it is a web page: the download went wrong"},
	{"<!doctype", "it is a web page: the download went wrong"},
	{"<html", "it is a web page: the download went wrong"},
	{"version https://git-lfs", "it is a pointer of Git LFS: fetch the file itself (git lfs pull)"},
}

// sniff tells what a file is by its first bytes; whole says that they are all.
func sniff(head []byte, whole bool) (kind, error) {
	for _, f := range foreign {
		if bytes.HasPrefix(head, []byte(f.magic)) {
			return unknownFile, fmt.Errorf("%s", f.what)
		}
	}
	switch {
	case len(head) == 0:
		return unknownFile, fmt.Errorf("the file is empty")
	case bytes.HasPrefix(head, []byte("\x93NUMPY")):
		return npyFile, nil
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return npzFile, nil
	case bytes.HasPrefix(head, []byte("PAR1")):
		return parquetFile, nil
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return gzipFile, nil
	case len(head) > 2 && head[0] == 0x80 && head[1] >= 2 && head[1] <= 5 && !bytes.HasPrefix(head[2:], []byte{0, 0}):
		return pickleFile, nil
	case looksLikeFastText(head):
		return fastTextFile, nil
	}
	first, rest, _ := bytes.Cut(head, []byte{'\n'})
	h, ok := parseHeader(first)
	if !ok {
		if isVectorLine(first) || len(fieldsOf(first)) == 2 && isVectorLine(rest[:max(0, bytes.IndexByte(rest, '\n'))]) {
			return textFile, nil
		}
		return unknownFile, fmt.Errorf("it is no file of word vectors: it begins with %q", clip(head[:min(len(head), 60)]))
	}
	second, _, found := bytes.Cut(rest, []byte{'\n'})
	if len(second) == 0 || isVectorLine(second) {
		return textFile, nil
	}
	if !found && !whole { // a line that is longer than what is there
		if i := bytes.LastIndexByte(second, ' '); i > 0 && isVectorLine(second[:i]) {
			return textFile, nil
		}
	}
	if h.rows > 0 && h.dim > 0 && !controlFree(second) {
		return binaryFile, nil
	}
	if f := fieldsOf(second); h.dim > 0 && bytes.IndexByte(second, ' ') > 0 && len(f) < h.dim+1 && !found {
		return binaryFile, nil // few values, all of them like letters
	}
	return textFile, nil // whose fault will be named
}

// isVectorLine is true for a word and numbers, by the last of them.
func isVectorLine(line []byte) bool {
	f := fieldsOf(line)
	if len(f) < 2 || !controlFree(line) {
		return false
	}
	_, ok := parseValue(f[len(f)-1])
	return ok
}

// controlFree is true where there is no byte that text does not have.
func controlFree(b []byte) bool {
	return bytes.IndexFunc(b, func(r rune) bool { return r < ' ' && r != '\t' && r != '\r' }) < 0
}

// fits tells whether there can be a table of so many words of so many values.
// Products of sizes don't overflow then.
func fits(rows, dim int) bool {
	return rows > 0 && dim > 0 && dim <= maxDim && rows < 1<<32-1
}

var le = binary.LittleEndian
