package tokenize

// template is what a post-processor puts around the tokens of one text.
type template struct {
	head, tail []templateToken
	textType   int64 // segment of the text's own tokens
}

type templateToken struct{ id, typeID int64 }

// around wraps another template: its tokens go outside of those inner has.
func (t template) around(inner template) template {
	out := template{textType: t.textType}
	retype := func(list []templateToken) []templateToken {
		var r []templateToken
		for _, s := range list {
			r = append(r, templateToken{s.id, t.textType})
		}
		return r
	}
	out.head = append(append(out.head, t.head...), retype(inner.head)...)
	out.tail = append(append(out.tail, retype(inner.tail)...), t.tail...)
	return out
}

// open appends the tokens before the text.
func (t *template) open(e *Encoding) {
	for _, s := range t.head {
		e.IDs = append(e.IDs, s.id)
	}
}

// close cuts the text's tokens so that maxTokens holds (0: no limit), appends
// those after the text, and fills the segments and marks.
func (t *template) close(e *Encoding, maxTokens int) {
	text := len(e.IDs) - len(t.head)
	if maxTokens > 0 {
		if room := max(0, maxTokens-len(t.head)-len(t.tail)); text > room {
			e.TokensLost = text - room
			text = room
			e.IDs = e.IDs[:len(t.head)+text]
		}
	}
	for _, s := range t.tail {
		e.IDs = append(e.IDs, s.id)
	}
	for _, s := range t.head {
		e.TypeIDs = append(e.TypeIDs, s.typeID)
		e.Special = append(e.Special, true)
	}
	for range text {
		e.TypeIDs = append(e.TypeIDs, t.textType)
		e.Special = append(e.Special, false)
	}
	for _, s := range t.tail {
		e.TypeIDs = append(e.TypeIDs, s.typeID)
		e.Special = append(e.Special, true)
	}
	if maxTokens > 0 && len(e.IDs) > maxTokens { // a limit below the template's own tokens
		e.IDs, e.TypeIDs, e.Special = e.IDs[:maxTokens], e.TypeIDs[:maxTokens], e.Special[:maxTokens]
	}
}
