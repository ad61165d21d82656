package tokenize

import "fmt"

// behaviour says what becomes of the matches of a split.
type behaviour string

const (
	removed            behaviour = "Removed"
	isolated           behaviour = "Isolated"
	mergedWithPrevious behaviour = "MergedWithPrevious"
	mergedWithNext     behaviour = "MergedWithNext"
	contiguous         behaviour = "Contiguous"
)

func (b behaviour) check() error {
	switch b {
	case removed, isolated, mergedWithPrevious, mergedWithNext, contiguous:
		return nil
	}
	return fmt.Errorf("behavior %q is not supported (supported: Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous)", b)
}

// part is a stretch of a piece, between matches or a match.
type part struct {
	span
	match bool
}

// splitter cuts pieces at the matches of a pattern; invert makes the stretches
// between them the matches.
type splitter struct {
	pattern matcher
	behave  behaviour
	invert  bool
}

func (p splitter) split(w *work) {
	in, out := w.next()
	for _, s := range in {
		w.parts = p.parts(w.parts[:0], w.seg, s)
		out = p.behave.apply(out, w.parts)
	}
	w.replace(out)
}

func (p splitter) parts(list []part, text []byte, s span) []part {
	text = text[:s.end]
	at := s.start
	for {
		start, end := p.pattern.next(text, at)
		if start < 0 {
			break
		}
		if at < start {
			list = append(list, part{span{at, start}, p.invert})
		}
		list = append(list, part{span{start, end}, !p.invert})
		at = end
	}
	if at < s.end {
		list = append(list, part{span{at, s.end}, p.invert})
	}
	return list
}

// apply appends the pieces that parts, which lie side by side, become.
func (b behaviour) apply(out []span, parts []part) []span {
	floor := len(out)
	for i, p := range parts {
		previous := i > 0 && parts[i-1].match
		switch {
		case b == removed && p.match:
		case b == contiguous && i > 0 && previous == p.match,
			b == mergedWithPrevious && p.match && !previous && len(out) > floor,
			b == mergedWithNext && !p.match && previous:
			out[len(out)-1].end = p.end
		default:
			out = append(out, p.span)
		}
	}
	return out
}
