package atomicfile

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
)

// Part creates the file path, which belongs to a folder that is not in its
// place yet, with what write writes, buffered. It is synced to the disk. sum is
// the SHA-256 of the content, in hexadecimal digits: taken by the way, while
// the bytes are at hand. An error leaves what there is to whoever removes the
// folder.
func Part(path string, write func(w io.Writer) error) (sum string, err error) {
	h := sha256.New()
	if err := part(path, h, write); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// KnownPart is Part for a content whose sum is known.
func KnownPart(path string, write func(w io.Writer) error) error { return part(path, nil, write) }

func part(path string, h hash.Hash, write func(w io.Writer) error) error {
	err := fault(OpCreate, path)
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(&hashed{f: f, h: h}, 1<<16)
	err = write(w)
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = fault(OpSync, path)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return nil
}

// hashed writes to a file, and to a sum where there is one.
type hashed struct {
	f           *os.File
	h           hash.Hash
	done, begun int64 // bytes that were written, and those of them that go to the disk
}

// writeback is how many bytes are many enough to send them to the disk while
// more are written.
const writeback = 8 << 20

func (w *hashed) Write(p []byte) (int, error) {
	if err := fault(OpWrite, w.f.Name()); err != nil {
		return 0, err
	}
	n, err := w.f.Write(p)
	if w.done += int64(n); w.done-w.begun >= writeback {
		startWriteback(w.f, w.begun, w.done-w.begun)
		w.begun = w.done
	}
	if w.h != nil {
		w.h.Write(p[:n])
	}
	return n, err
}
