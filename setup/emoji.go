package main

import (
	"archive/tar"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bertopic-go/bertopic/internal/atomicfile"
)

// emojiHeldOut lists the pictures, a file name a line, that the model of the
// example has not seen in its training: they are the new pictures.
var emojiHeldOut = filepath.Join("examples", "mixed", "emoji-clip", "held_out.txt")

// emojiCount is how many emoji of the package have a category of their own.
var emojiCount = 1906

// emojiEntry is an entry of the package's emoji.json.
type emojiEntry struct {
	Name      string `json:"name"`
	ShortName string `json:"short_name"`
	Image     string `json:"image"`
	Category  string `json:"category"`
	Order     int    `json:"sort_order"`
}

// emojiRow is a row of the corpus.
type emojiRow struct {
	ID    string `json:"id"`
	Class string `json:"class"`
	Text  string `json:"text,omitempty"`
	Image string `json:"image,omitempty"`
}

// emoji makes the folder of the mixed corpus: of each category in turn a row
// with a text, the name of an emoji, a row with its picture, and a row with
// both. The emoji that are held out are pictures in the folder new, sorted by
// category.
func emoji(file string, w wheel, target string) error {
	list, err := os.ReadFile(emojiHeldOut)
	if err != nil {
		return fmt.Errorf("read the list of new pictures: %w (run set-up in the project's folder)", err)
	}
	heldOut := strings.Fields(string(list))
	entries, pictures, err := readEmoji(file)
	if err != nil {
		return err
	}
	return atomicfile.WriteDir(filepath.Dir(target), filepath.Base(target), func(dir string) error {
		var corpus strings.Builder
		enc := json.NewEncoder(&corpus)
		enc.SetEscapeHTML(false)
		turn := map[string]int{}
		fresh := 0
		for _, e := range entries {
			data, ok := pictures[e.Image]
			if !ok {
				return fmt.Errorf("there is no picture %s of %s", e.Image, e.Name)
			}
			if slices.Contains(heldOut, e.Image) {
				fresh++
				name := filepath.Join(dir, "new", folderName(e.Category), e.ShortName+".png")
				if err := writePicture(name, data); err != nil {
					return err
				}
				continue
			}
			row := emojiRow{ID: e.ShortName, Class: e.Category, Text: strings.ToLower(e.Name), Image: "img/" + e.ShortName + ".png"}
			kind := turn[e.Category] % 3
			turn[e.Category]++
			switch kind {
			case 0:
				row.Image = ""
			case 1:
				row.Text = ""
			}
			if row.Image != "" {
				if err := writePicture(filepath.Join(dir, filepath.FromSlash(row.Image)), data); err != nil {
					return err
				}
			}
			if err := enc.Encode(row); err != nil {
				return err
			}
		}
		if fresh != len(heldOut) {
			return fmt.Errorf("%d of the %d new pictures of %s are in it", fresh, len(heldOut), emojiHeldOut)
		}
		name := filepath.Join(dir, filepath.Base(target))
		if err := os.WriteFile(name, []byte(corpus.String()), 0o644); err != nil {
			return err
		}
		return stamp(name, w)
	})
}

// folderName is a category as the name of a folder: "animals-nature".
func folderName(category string) string {
	return strings.ReplaceAll(strings.ToLower(category), " & ", "-")
}

func writePicture(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o644)
}

// readEmoji reads the list of emoji, in the order of Unicode, and the pictures
// of 64 x 64 pixels. Pieces of emoji, such as skin tones, are left out.
func readEmoji(file string) ([]emojiEntry, map[string][]byte, error) {
	const (
		listName   = "package/emoji.json"
		folder     = "package/img/google/64/"
		maxList    = 32 << 20
		maxPicture = 1 << 20
	)
	f, err := os.Open(file)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	zr, err := gzip.NewReader(f)
	if err != nil {
		return nil, nil, err
	}
	var entries []emojiEntry
	pictures := map[string][]byte{}
	for tr := tar.NewReader(zr); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, err
		}
		dir, name := path.Split(h.Name)
		limit := int64(maxPicture)
		switch {
		case h.Name == listName:
			limit = maxList
		case dir != folder || path.Ext(name) != ".png":
			continue
		}
		if h.Size > limit {
			return nil, nil, fmt.Errorf("%s has %d bytes, more than expected", h.Name, h.Size)
		}
		b, err := io.ReadAll(tr)
		if err != nil {
			return nil, nil, err
		}
		if h.Name != listName {
			pictures[name] = b
		} else if err := json.Unmarshal(b, &entries); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", listName, err)
		}
	}
	entries = slices.DeleteFunc(entries, func(e emojiEntry) bool { return e.Category == "Component" })
	slices.SortStableFunc(entries, func(a, b emojiEntry) int { return cmp.Compare(a.Order, b.Order) })
	if len(entries) != emojiCount {
		return nil, nil, fmt.Errorf("%d emoji, not %d", len(entries), emojiCount)
	}
	for _, e := range entries {
		if e.ShortName == "" || e.ShortName != filepath.Base(e.ShortName) || !filepath.IsLocal(e.ShortName) {
			return nil, nil, fmt.Errorf("the short name %q of %s is no name of a file", e.ShortName, e.Name)
		}
	}
	return entries, pictures, nil
}
