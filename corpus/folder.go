package corpus

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// folder is the formats texts and images.
type folder struct {
	o      Options
	root   string
	images bool
	names  []string // relative to root, with slashes, ascending
	at     int
}

// pictures are the ends of the names of pictures. Other files are texts if
// they end in one of texts or have no extension, as the postings of a
// newsgroup; a compressed text counts as the text.
var (
	pictures = []string{".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff"}
	texts    = []string{".txt", ".text", ".md", ".markdown", ".rst"}
)

func isPicture(name string) bool {
	return slices.Contains(pictures, strings.ToLower(path.Ext(name)))
}

func isText(name string) bool {
	name = strings.TrimSuffix(strings.ToLower(path.Base(name)), ".gz")
	ext := path.Ext(name)
	// A name such as "12.03" or "sec.4" has no extension either.
	return slices.Contains(texts, ext) || strings.Trim(ext, ".0123456789") == ""
}

// openFolder lists the documents of a folder and of the folders in it, hidden
// ones (of a leading dot) left out.
func (r *Reader) openFolder(o Options) error {
	if err := noColumns(o, "a folder", o.Class != "folder"); err != nil {
		return err
	}
	var all []string
	err := filepath.WalkDir(o.Path, func(p string, e fs.DirEntry, err error) error {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		if err != nil {
			f := fault("list folder").by(cause(err))
			f.Path = p
			return f
		}
		switch {
		case p == o.Path:
			return nil
		case strings.HasPrefix(e.Name(), ".") && e.IsDir():
			return fs.SkipDir
		case strings.HasPrefix(e.Name(), ".") || e.IsDir():
			return nil
		}
		rel, err := filepath.Rel(o.Path, p)
		all = append(all, filepath.ToSlash(rel))
		return err
	})
	if err != nil {
		return err
	}
	slices.Sort(all)
	f := &folder{o: o, root: o.Path, images: o.Format == "images"}
	if o.Format == "" {
		if f.images, err = onlyPictures(all); err != nil {
			return err
		}
	}
	for _, name := range all {
		if (f.images && isPicture(name)) || (!f.images && isText(name)) {
			if info, err := os.Stat(filepath.Join(o.Path, name)); err == nil && info.Mode().IsRegular() {
				f.names = append(f.names, name)
				continue
			}
		}
		r.skipped = append(r.skipped, name) // links to folders and to nowhere too
	}
	r.src, r.format = f, "texts"
	if f.images {
		r.format = "images"
	}
	r.base = o.Path
	return nil
}

// onlyPictures tells which kind of documents a folder holds.
func onlyPictures(names []string) (bool, error) {
	var nPictures, nTexts int
	for _, name := range names {
		switch {
		case isPicture(name):
			nPictures++
		case isText(name):
			nTexts++
		}
	}
	if nPictures > 0 && nTexts > 0 {
		return false, fault("the folder holds %d texts and %d pictures", nTexts, nPictures).
			hint("give the format texts or images; for documents of a text and a picture, name both in a jsonl or csv file")
	}
	return nPictures > 0, nil
}

func (f *folder) next(row *Row) error {
	if f.at == len(f.names) {
		return io.EOF
	}
	name := f.names[f.at]
	f.at++
	row.ID = strings.ToValidUTF8(name, "\uFFFD") // a name may be any bytes, an id is text
	if first, _, below := strings.Cut(name, "/"); f.o.Class == "folder" && below {
		row.Class = strings.ToValidUTF8(first, "\uFFFD")
	}
	if f.images {
		row.Images = []string{name}
		return nil
	}
	s, err := f.read(filepath.Join(f.root, filepath.FromSlash(name)))
	row.Text, row.HasText = s, true
	return err
}

// read returns a whole file as text, its line ends as "\n".
func (f *folder) read(p string) (string, error) {
	file, err := os.Open(p)
	var b []byte
	if err == nil {
		defer file.Close()
		b, err = readText(file, p, f.o)
	}
	if err != nil {
		var e *Error
		if !errors.As(err, &e) {
			e = fault("read document").by(cause(err))
		}
		e.Path = p
		return "", e
	}
	return string(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))), nil
}

func readText(file *os.File, p string, o Options) ([]byte, error) {
	s, err := newStream(p, false, file, nil)
	if err != nil {
		return nil, err
	}
	r, err := s.text(o)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

func (f *folder) close() error { return nil }
