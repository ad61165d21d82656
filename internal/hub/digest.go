package hub

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Digest identifies a model: the SHA-256 over a line "SHA-256  NAME" for each of
// its files, in the given order, with names relative to dir.
func Digest(ctx context.Context, dir string, files []string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	whole := sha256.New()
	for _, path := range files {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		path, err := filepath.Abs(path)
		if err != nil {
			return "", err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return "", err
		}
		sum, err := fileDigest(path)
		if err != nil {
			return "", fmt.Errorf("hash the model: %w", err)
		}
		fmt.Fprintf(whole, "%x  %s\n", sum, filepath.ToSlash(name))
	}
	return hex.EncodeToString(whole.Sum(nil)), nil
}

func fileDigest(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return nil, err
	}
	return h.Sum(nil), nil
}
