package tokenize_test

import (
	"fmt"

	"github.com/bertopic-go/bertopic/internal/tokenize"
)

func Example() {
	tok, err := tokenize.New([]byte(`{
		"normalizer": {"type": "BertNormalizer"},
		"pre_tokenizer": {"type": "BertPreTokenizer"},
		"post_processor": {"type": "BertProcessing", "cls": ["[CLS]", 1], "sep": ["[SEP]", 2]},
		"model": {"type": "WordPiece", "vocab": {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "topic": 3, "##s": 4, "in": 5, "text": 6}}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	var e tokenize.Encoding
	tok.Encode(&e, "Topics in text", 0)
	fmt.Println(e.IDs, e.TokensLost)
	tok.Encode(&e, "Topics in text", 4)
	fmt.Println(e.IDs, e.TokensLost)
	// Output:
	// [1 3 4 5 6 2] 0
	// [1 3 4 2] 2
}
