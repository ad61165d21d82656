package tokenize

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// A text without a pre-tokenizer has the same tokens in parts as in one, and is
// cut into parts only where no merge reaches over a blank.
func TestBlanksApart(t *testing.T) {
	file := func(merges ...string) string {
		vocab := []string{"<unk>", "▁", "a", "b", "c"}
		for _, m := range merges {
			vocab = append(vocab, strings.ReplaceAll(m, " ", ""))
		}
		var entries []string
		for i, v := range vocab {
			entries = append(entries, fmt.Sprintf("%q: %d", v, i))
		}
		return fmt.Sprintf(`{"normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}, "pre_tokenizer": null,
			"model": {"type": "BPE", "unk_token": "<unk>", "fuse_unk": true, "vocab": {%s}, "merges": [%s]}}`,
			strings.Join(entries, ","), `"`+strings.Join(merges, `","`)+`"`)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for merges, apart := range map[string]bool{"a b,▁ a,▁ ▁,ab c,▁▁ a,▁a b": true, "a b,b ▁,▁ a": false} {
		tok, err := New([]byte(file(strings.Split(merges, ",")...)))
		if err != nil {
			t.Fatal(err)
		}
		m := tok.model.(*bpe)
		if m.apart != apart {
			t.Errorf("%s: apart is %t", merges, m.apart)
		}
		whole := *m
		whole.apart = false
		other := *tok
		other.model = &whole
		for range 2000 {
			var b strings.Builder
			for range r.IntN(120) {
				b.WriteString([]string{" ", "a", "b", "c", "x"}[r.IntN(5)])
			}
			var e, f Encoding
			tok.Encode(&e, b.String(), 0)
			other.Encode(&f, b.String(), 0)
			if !slices.Equal(e.IDs, f.IDs) {
				t.Fatalf("%q: %v, as one %v", b.String(), e.IDs, f.IDs)
			}
		}
	}
}
