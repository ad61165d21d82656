package pipeline

import "strings"

// Kind is what a row holds.
type Kind string

// The kinds of rows.
const (
	TextOnly    Kind = "text"
	PictureOnly Kind = "picture"
	Both        Kind = "both"
	Neither     Kind = "neither"
)

// KindOf returns the kind of a row; a blank text is none.
func KindOf(text, picture string) Kind {
	blank := strings.TrimSpace(text) == ""
	switch {
	case !blank && picture != "":
		return Both
	case !blank:
		return TextOnly
	case picture != "":
		return PictureOnly
	}
	return Neither
}

// KindCounts counts the rows of a topic by kind.
type KindCounts struct {
	Text    int `json:"text_only"`
	Picture int `json:"picture_only"`
	Both    int `json:"both"`
}

func (c *KindCounts) add(k Kind) {
	switch k {
	case TextOnly:
		c.Text++
	case PictureOnly:
		c.Picture++
	case Both:
		c.Both++
	}
}

// kinds returns the kind of every row, nil where no row has a picture.
func (r *Rows) kinds() []Kind {
	some := false
	out := make([]Kind, len(r.Pictures))
	for i, picture := range r.Pictures {
		text := ""
		if r.Texts != nil {
			text = r.Texts[i]
		}
		out[i] = KindOf(text, picture)
		some = some || picture != ""
	}
	if !some {
		return nil
	}
	return out
}
