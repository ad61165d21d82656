package remote

import "strings"

// job is a text on its way.
type job struct {
	row    int // among the distinct texts of the call
	text   string
	tokens int    // estimated
	lost   int    // tokens that were cut off, as estimated
	whole  int    // tokens of the text before any cut, as the server counted; 0: it did not say
	cuts   int    // times it was cut
	why    string // what was wrong with the last vector
	other  bool   // it was of another dimension
}

// plan cuts jobs into requests, in order and as few as the limits allow. Those
// that may be too long for the model go alone, since a server refuses a request
// for one of its texts. The plan depends on the texts and the options of content
// alone, not on how many requests go at a time.
func (o *Options) plan(jobs []job) [][]job {
	var out [][]job
	var plain []job
	for _, j := range jobs {
		if o.mayBeTooLong(j) {
			out = append(out, []job{j})
		} else {
			plain = append(plain, j)
		}
	}
	start, tokens := 0, 0
	for i, j := range plain {
		if i > start && (i-start == o.RequestTexts || tokens+j.tokens > o.RequestTokens) {
			out = append(out, plain[start:i:i])
			start, tokens = i, 0
		}
		tokens += j.tokens
	}
	if start < len(plain) {
		out = append(out, plain[start:])
	}
	return out
}

// mayBeTooLong: the estimate is near the model's limit. A text of no more bytes
// than the limit can't be over it, since no token is less than a byte.
func (o *Options) mayBeTooLong(j job) bool {
	return o.MaxTokens > 0 && !o.ServerCuts && len(j.text) > o.MaxTokens && j.tokens > o.MaxTokens*3/4
}

// blank reports whether there is nothing in a text to embed.
func blank(text string) bool { return strings.TrimSpace(text) == "" }

// shrink cuts a text that the server finds too long. given and limit are what
// the server says, or 0. It reports false where there is nothing left to cut.
func (j *job) shrink(given, limit, maxTokens int) bool {
	j.cuts++
	if limit == 0 || maxTokens > 0 && maxTokens < limit {
		limit = maxTokens
	}
	want := j.tokens * 4 / 5
	switch {
	case given > 0 && limit > 0 && given > limit:
		want = int(float64(j.tokens) * float64(limit) / float64(given) * 0.98)
	case limit > 0 && j.cuts == 1:
		want = min(want, limit*19/20)
	}
	cut := head(j.text, want)
	if j.cuts >= lastCut && limit > 0 {
		cut = headBytes(cut, limit-8) // no token is less than a byte; a few are the model's own
	}
	cut = strings.TrimRight(cut, " \t\r\n")
	if j.cuts > lastCut || blank(cut) || len(cut) == len(j.text) {
		return false
	}
	if j.cuts == 1 && j.lost == 0 {
		j.whole = given
	}
	tokens := Estimate(cut)
	j.lost += max(1, j.tokens-tokens)
	j.text, j.tokens = cut, tokens
	return true
}

// tokensLost is how many tokens were cut off, where the server counted kept.
func (j *job) tokensLost(kept int) int {
	if j.whole > kept && kept > 0 {
		return j.whole - kept
	}
	return j.lost
}

// lastCut is how often a text is cut before it is cut to what must fit, and then
// given up.
const lastCut = 8
