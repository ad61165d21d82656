package tokenize

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/graphemes"
)

// precompiled applies the character map of a SentencePiece model: a double
// array trie (darts-clone) from strings to offsets of a list of replacements
// that end in NUL.
//
// The tokenizers library looks a grapheme cluster of under six bytes up as a
// whole, taking the shortest key it begins with for the whole of it, and what
// has no such key rune by rune. Ids depend on that rule, so it is kept.
type precompiled struct {
	units []uint32
	text  []byte
	ascii [utf8.RuneSelf]bool // bytes that stay as they are
}

func newPrecompiled(encoded string) (*precompiled, error) {
	b, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, fmt.Errorf("precompiled_charsmap: %w", err)
	}
	if len(b) < 4 {
		return nil, errors.New("precompiled_charsmap: cut short")
	}
	size := binary.LittleEndian.Uint32(b)
	b = b[4:]
	if size%4 != 0 || uint64(size) > uint64(len(b)) || size == 0 {
		return nil, fmt.Errorf("precompiled_charsmap: a trie of %d bytes in %d", size, len(b))
	}
	p := &precompiled{units: make([]uint32, size/4), text: b[size:]}
	for i := range p.units {
		p.units[i] = binary.LittleEndian.Uint32(b[4*i:])
	}
	if !utf8.Valid(p.text) {
		return nil, errors.New("precompiled_charsmap: replacements are not UTF-8")
	}
	for i := range p.ascii {
		_, found := p.lookup([]byte{byte(i)})
		p.ascii[i] = !found
	}
	return p, nil
}

// lookup returns the replacement under the shortest key that s begins with.
func (p *precompiled) lookup(s []byte) ([]byte, bool) {
	node := unitOffset(p.units[0])
	for _, b := range s {
		if b == 0 {
			break
		}
		node ^= uint32(b)
		if node >= uint32(len(p.units)) {
			return nil, false
		}
		unit := p.units[node]
		if unit&(1<<31|0xFF) != uint32(b) {
			return nil, false
		}
		node ^= unitOffset(unit)
		if unit>>8&1 == 1 {
			if node >= uint32(len(p.units)) {
				return nil, false
			}
			at := p.units[node] & (1<<31 - 1)
			if at > uint32(len(p.text)) {
				return nil, false
			}
			out := p.text[at:]
			for i, c := range out {
				if c == 0 {
					return out[:i], true
				}
			}
			return out, true
		}
	}
	return nil, false
}

func unitOffset(unit uint32) uint32 { return unit >> 10 << (unit & (1 << 9) >> 6) }

func (p *precompiled) normalize(dst, src []byte, _ *work) []byte {
	for i := 0; i < len(src); {
		b := src[i]
		if b < utf8.RuneSelf && p.ascii[b] && (i+1 == len(src) || src[i+1] < utf8.RuneSelf) && b != '\r' {
			dst = append(dst, b) // an ASCII character before another is a cluster of its own
			i++
			continue
		}
		n := clusterLen(src[i:])
		dst = p.cluster(dst, src[i:i+n])
		i += n
	}
	return dst
}

// clusterLen returns the length of the grapheme cluster s starts with.
func clusterLen(s []byte) int {
	if len(s) > 1 && s[0] < utf8.RuneSelf && s[1] < utf8.RuneSelf && s[0] != '\r' {
		return 1
	}
	n, _, err := graphemes.SplitFunc(s, true)
	if err != nil || n <= 0 {
		_, n = utf8.DecodeRune(s)
	}
	return n
}

func (p *precompiled) cluster(dst, s []byte) []byte {
	if len(s) < 6 {
		if r, ok := p.lookup(s); ok {
			return append(dst, r...)
		}
	}
	for len(s) > 0 {
		_, n := utf8.DecodeRune(s)
		if r, ok := p.lookup(s[:n]); ok {
			dst = append(dst, r...)
		} else {
			dst = append(dst, s[:n]...)
		}
		s = s[n:]
	}
	return dst
}
