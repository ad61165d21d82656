package main

import (
	"archive/zip"
	"fmt"
	"path/filepath"

	"github.com/bertopic-go/bertopic/internal/atomicfile"
	"github.com/bertopic-go/bertopic/internal/hub"
)

const wordllamaName = "wordllama/l2-supercat-256"

// wordllamaFiles are the files that are taken out of the package of wordllama,
// by the names that they get, and their SHA-256. None of them is made for a
// platform.
var wordllamaFiles = []struct{ name, from, sha256 string }{
	{"model.safetensors", "wordllama/weights/l2_supercat_256.safetensors", "64b47a2dc493cb8e85944076601189739852d7b64e0e1eedcb1937a251cd9fd5"},
	{"tokenizer.json", "wordllama/tokenizers/l2_supercat_tokenizer_config.json", "93248f2a9ec36c7b35f700a033d5f36228aae48db61aee31007fa49062cdeb68"},
}

// wordllama takes a table of token vectors and its tokenizer out of the package.
func wordllama(zr *zip.Reader, w wheel, target string) error {
	m := hub.Manifest{Name: wordllamaName, Source: "package " + w.pkg}
	return atomicfile.WriteDir(target, "tokenizer.json", func(dir string) error {
		for _, f := range wordllamaFiles {
			info, err := zr.Open(f.from)
			if err != nil {
				return fmt.Errorf("find %s: %w", f.from, err)
			}
			stat, err := info.Stat()
			info.Close()
			if err != nil {
				return err
			}
			if _, err := extract(zr, f.from, filepath.Join(dir, f.name), f.sha256); err != nil {
				return err
			}
			m.Files = append(m.Files, hub.ManifestFile{Path: f.name, Size: stat.Size(), SHA256: f.sha256})
		}
		return hub.WriteManifest(dir, m)
	})
}
