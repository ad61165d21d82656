package tokenize

import (
	"strings"
	"testing"
)

// benchTexts are the 36 MiniLM texts: news posts, up to hundreds of words.
func benchTexts(b *testing.B) []string {
	return decodeGz[struct{ Texts []string }](b, "testdata/minilm.json.gz").Texts
}

// BenchmarkEncode reports tokens a second on one core.
func BenchmarkEncode(b *testing.B) {
	texts := benchTexts(b)
	for _, name := range []string{"bert", "roberta", "clip", "xlmr"} {
		b.Run(name, func(b *testing.B) {
			tok := mustNew(b, tokenizerFile(b, name))
			var e Encoding
			tokens, bytes := 0, 0
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				for _, text := range texts {
					tok.Encode(&e, text, 0)
					tokens += len(e.IDs)
					bytes += len(text)
				}
			}
			b.ReportMetric(float64(tokens)/b.Elapsed().Seconds(), "tokens/s")
			b.ReportMetric(float64(bytes)/1e6/b.Elapsed().Seconds(), "MB/s")
		})
	}
}

// BenchmarkNew reads a tokenizer.json of 30,522 pieces.
func BenchmarkNew(b *testing.B) {
	file := tokenizerFile(b, "bert")
	for b.Loop() {
		mustNew(b, file)
	}
}

// BenchmarkHostile encodes texts that make naive tokenisers quadratic.
func BenchmarkHostile(b *testing.B) {
	for _, name := range []string{"bert", "roberta", "xlmr"} {
		tok := mustNew(b, tokenizerFile(b, name))
		for kind, text := range map[string]string{
			"one word":  strings.Repeat("ab", 100_000),
			"one mark":  "a" + strings.Repeat("\u0301\u0323", 50_000),
			"all blank": strings.Repeat(" ", 200_000),
		} {
			b.Run(name+"/"+kind, func(b *testing.B) {
				var e Encoding
				for b.Loop() {
					tok.Encode(&e, text, 0)
				}
			})
		}
	}
}
