package vectorize

import (
	"embed"
	"fmt"
	"slices"
	"strings"
	"sync"
)

//go:embed stopwords/*.txt
var stopWordFiles embed.FS

// stopWordCodes are the languages of the lists by their ISO 639-1 codes.
var stopWordCodes = map[string]string{
	"de": "german", "en": "english", "es": "spanish", "fr": "french", "it": "italian",
	"nl": "dutch", "pt": "portuguese", "ru": "russian", "sv": "swedish",
}

// StopWordLanguages returns the languages that StopWords knows, sorted.
func StopWordLanguages() []string {
	var out []string
	for _, language := range stopWordCodes {
		out = append(out, language)
	}
	slices.Sort(out)
	return out
}

// StopWords returns the stop words of a language, by its English name or its
// two-letter code. "english" is scikit-learn's list of 318 and, beside it, the
// contractions ("don't", "we're"), which scikit-learn's tokenizer never yields
// and the tokenizer "unicode" does. The other lists hold articles, pronouns,
// prepositions, conjunctions, auxiliary verbs and the commonest adverbs.
//
// A language that is not known is an error that names those that are.
func StopWords(language string) ([]string, error) {
	name := strings.ToLower(language)
	if full, ok := stopWordCodes[name]; ok {
		name = full
	}
	if !slices.Contains(StopWordLanguages(), name) {
		return nil, fmt.Errorf("there is no list of stop words for %q: there are %s; or give a list of words", language, strings.Join(StopWordLanguages(), ", "))
	}
	text, err := stopWordFiles.ReadFile("stopwords/" + name + ".txt")
	if err != nil {
		return nil, err
	}
	return strings.Fields(string(text)), nil
}

// contractions are the words with an apostrophe of all lists.
var contractions = sync.OnceValue(func() map[string]bool {
	out := make(map[string]bool)
	for _, language := range StopWordLanguages() {
		list, _ := StopWords(language)
		for _, w := range list {
			if strings.Contains(w, "'") {
				out[w] = true
			}
		}
	}
	return out
})
