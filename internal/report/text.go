package report

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	pointRunes   = 120 // of a document's text on the map
	exampleRunes = 700 // of an example's text
)

// clean makes s fit to be shown: valid UTF-8, white space folded to single
// spaces, control characters dropped. Bidirectional marks are kept: the page
// isolates each text, so they can't reorder what is around it.
func clean(s string) string {
	b, _ := appendClean(make([]byte, 0, len(s)), s, math.MaxInt)
	return string(b)
}

// appendClean appends the first limit runes of the cleaned s to dst, and counts
// them.
func appendClean(dst []byte, s string, limit int) (out []byte, n int) {
	gap := false // white space before the next rune
	bad := false // a byte before that is not UTF-8: a run of these is one U+FFFD
	for i := 0; i < len(s) && n < limit; {
		r, size := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(s[i:])
		}
		i += size
		again := bad
		bad = r == utf8.RuneError && size == 1
		switch {
		case bad && again:
			continue
		case ' ' < r && r < 0x7F: // most of most texts
		case unicode.IsSpace(r):
			gap = true
			continue
		case unicode.IsControl(r), r >= 0xFDD0 && r <= 0xFDEF, r&0xFFFE == 0xFFFE:
			continue // controls and noncharacters
		}
		if gap && n > 0 {
			dst = append(dst, ' ')
			if n++; n == limit {
				break
			}
		}
		gap = false
		dst = utf8.AppendRune(dst, r)
		n++
	}
	return dst, n
}

// excerpt is the first n runes of the cleaned s, with an ellipsis where it
// was cut; a cut never parts a letter from its marks or a joined emoji.
func excerpt(s string, n int) string {
	var room [4 * (pointRunes + 1)]byte
	b, runes := appendClean(room[:0], s, n+1)
	if runes <= n && string(b) == s {
		return s
	}
	return cut(string(b), n)
}

// cut is excerpt of what is clean.
func cut(s string, n int) string {
	k, end := 0, len(s) // k runes end at byte end
	for i := range s {
		if k == n {
			end = i
			break
		}
		k++
	}
	if end == len(s) {
		return s
	}
	for k > 1 && k > n-12 {
		next, _ := utf8.DecodeRuneInString(s[end:])
		last, size := utf8.DecodeLastRuneInString(s[:end])
		if last != joiner && !joins(next) {
			break
		}
		k--
		end -= size
	}
	return strings.TrimRight(s[:end], " ") + "…"
}

// joiner joins two emoji to one.
const joiner = '\u200d'

// joins tells whether r belongs to the rune before it.
func joins(r rune) bool {
	return r >= 0x300 && (r == joiner || unicode.In(r, unicode.M) || r >= 0x1F3FB && r <= 0x1F3FF)
}

// labelWords is the number of words in a label made of a topic's words.
const labelWords = 3

// label is the short human name of t: the name it was given or, where that is
// empty or made of words in BERTopic's way ("3_ice_puck_goal_team"), its first
// words.
func label(t *Topic) string {
	rest, made := strings.CutPrefix(t.Name, strconv.Itoa(t.ID)+"_")
	made = made || t.Name == ""
	if !made {
		if name := excerpt(t.Name, 80); name != "" {
			return name
		}
	}
	if t.ID == -1 {
		return "Outliers"
	}
	var words []string
	for _, w := range t.Words {
		if s := excerpt(w.Text, 40); s != "" && len(words) < labelWords {
			words = append(words, s)
		}
	}
	if rest = excerpt(rest, 80); len(words) == 0 && rest != "" {
		words = strings.Split(rest, "_")
		words = words[:min(len(words), labelWords)]
	}
	if len(words) == 0 {
		return "Topic " + strconv.Itoa(t.ID)
	}
	return strings.Join(words, ", ")
}

// thousands writes n with commas.
func thousands(n int) string {
	s := strconv.Itoa(n)
	sign := ""
	if n < 0 {
		sign, s = "\u2212", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

func percent(x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return "–"
	}
	switch p := 100 * x; {
	case p != 0 && p < 0.05:
		return "<0.1 %"
	case p < 99.95 && p > 0:
		return strconv.FormatFloat(p, 'f', 1, 64) + " %"
	default:
		return strconv.FormatFloat(p, 'f', 0, 64) + " %"
	}
}

// decimal writes x with three digits after the point, or a dash for a number
// that is not finite.
func decimal(x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return "–"
	}
	s := strconv.FormatFloat(x, 'f', 3, 64)
	if strings.Trim(s, "-0.") == "" {
		return "0"
	}
	return strings.Replace(s, "-", "\u2212", 1)
}

// weight writes a word's weight with three significant digits.
func weight(x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return "–"
	}
	a := math.Abs(x)
	switch {
	case a == 0:
		return "0"
	case a >= 1e-4 && a < 1e4:
		digits := 2 - int(math.Floor(math.Log10(a)))
		return strconv.FormatFloat(x, 'f', min(max(digits, 0), 5), 64)
	default:
		return strconv.FormatFloat(x, 'e', 1, 64)
	}
}

func seconds(s float64) string {
	switch {
	case math.IsNaN(s) || math.IsInf(s, 0) || s < 0:
		return "–"
	case s < 0.01:
		return "<0.01 s"
	case s < 10:
		return strconv.FormatFloat(s, 'f', 2, 64) + " s"
	case s < 120:
		return strconv.FormatFloat(s, 'f', 1, 64) + " s"
	}
	n := int(math.Round(s))
	if n < 7200 {
		return strconv.Itoa(n/60) + " min " + strconv.Itoa(n%60) + " s"
	}
	return strconv.Itoa(n/3600) + " h " + strconv.Itoa(n%3600/60) + " min"
}

func memory(n int64) string {
	if n <= 0 {
		return "–"
	}
	mib := float64(n) / (1 << 20)
	if mib < 1024 {
		return strconv.FormatFloat(mib, 'f', 0, 64) + " MiB"
	}
	return strconv.FormatFloat(mib/1024, 'f', 1, 64) + " GiB"
}

// imageType is the media type of a picture by its first bytes, or "".
func imageType(b []byte) string {
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xd8\xff")):
		return "image/jpeg"
	case bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")):
		return "image/png"
	case bytes.HasPrefix(b, []byte("GIF87a")), bytes.HasPrefix(b, []byte("GIF89a")):
		return "image/gif"
	case len(b) >= 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP":
		return "image/webp"
	}
	return ""
}
