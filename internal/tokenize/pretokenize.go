package tokenize

import "unicode/utf8"

// A preTokenizer cuts the pieces of w smaller, and may rewrite their text. No
// piece it leaves is empty.
type preTokenizer interface {
	split(w *work)
}

// bertSplit cuts at white space, which it drops, and makes each punctuation
// character a piece of its own.
type bertSplit struct{ classes *[0x110000]uint8 }

func (p bertSplit) split(w *work) {
	in, out := w.next()
	text := w.seg
	for _, s := range in {
		start := s.start
		for i := s.start; i < s.end; {
			b := text[i]
			size := 1
			var class uint8
			if b < utf8.RuneSelf {
				class = p.classes[b]
			} else {
				var r rune
				r, size = utf8.DecodeRune(text[i:s.end])
				class = p.classes[r]
			}
			if class&(classSpace|classPunct) != 0 {
				if start < i {
					out = append(out, span{start, i})
				}
				if class&classSpace == 0 {
					out = append(out, span{i, i + size})
				}
				start = i + size
			}
			i += size
		}
		if start < s.end {
			out = append(out, span{start, s.end})
		}
	}
	w.replace(out)
}
