package tokenize

import "bytes"

// metaspace writes blanks as a visible character, puts one before the text,
// and cuts before each: the words of SentencePiece.
type metaspace struct {
	mark []byte
	when prependScheme
	cut  bool
	slot int // of work.buf, into which it writes
}

// prependScheme says when a text gets a mark before it.
type prependScheme string

const (
	prependAlways prependScheme = "always"
	prependFirst  prependScheme = "first" // only where the text starts
	prependNever  prependScheme = "never"
)

func (p metaspace) split(w *work) {
	in, out := w.next()
	buf := w.buf[p.slot][:0]
	for _, s := range in {
		text := w.seg[s.start:s.end]
		at := len(buf)
		if !bytes.HasPrefix(text, p.mark) && text[0] != ' ' &&
			(p.when == prependAlways || p.when == prependFirst && w.first && s.start == 0) {
			buf = append(buf, p.mark...)
		}
		for _, b := range text {
			if b == ' ' {
				buf = append(buf, p.mark...)
			} else {
				buf = append(buf, b)
			}
		}
		if !p.cut {
			out = append(out, span{at, len(buf)})
			continue
		}
		for at < len(buf) {
			end := at + 1
			if i := bytes.Index(buf[end:], p.mark); i >= 0 {
				end += i
			} else {
				end = len(buf)
			}
			out = append(out, span{at, end})
			at = end
		}
	}
	w.buf[p.slot] = buf
	w.seg = buf
	w.replace(out)
}

// byteLevel cuts GPT-2's words. The library also spells bytes as visible
// characters here; this package reads the vocabulary back to bytes instead.
type byteLevel struct {
	prefixSpace bool
	cut         bool // at the words of GPT-2's pattern
	words       gptWords
	slot        int
}

func (p byteLevel) split(w *work) {
	if p.prefixSpace {
		in, out := w.next()
		buf := w.buf[p.slot][:0]
		for _, s := range in {
			at := len(buf)
			if w.seg[s.start] != ' ' {
				buf = append(buf, ' ')
			}
			buf = append(buf, w.seg[s.start:s.end]...)
			out = append(out, span{at, len(buf)})
		}
		w.buf[p.slot] = buf
		w.seg = buf
		w.replace(out)
	}
	if !p.cut {
		return
	}
	in, out := w.next()
	for _, s := range in {
		text := w.seg[:s.end]
		for at := s.start; at < s.end; {
			_, end := p.words.next(text, at)
			out = append(out, span{at, end})
			at = end
		}
	}
	w.replace(out)
}
