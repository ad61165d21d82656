package tokenize

// Hangul syllables decompose by arithmetic (Unicode Standard, section 3.12).
const (
	hangulS, hangulL, hangulV, hangulT = 0xAC00, 0x1100, 0x1161, 0x11A7
	hangulVCount, hangulTCount         = 21, 28
	hangulLCount                       = 19
	hangulSCount                       = hangulLCount * hangulVCount * hangulTCount
)

func isHangul(r rune) bool { return r >= hangulS && r < hangulS+hangulSCount }

// decomposeHangul appends the two or three jamo of a syllable.
func decomposeHangul(dst []rune, r rune) []rune {
	i := r - hangulS
	dst = append(dst, hangulL+i/(hangulVCount*hangulTCount), hangulV+i%(hangulVCount*hangulTCount)/hangulTCount)
	if t := i % hangulTCount; t != 0 {
		dst = append(dst, hangulT+t)
	}
	return dst
}
