package remote

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Kind sorts the errors that end a call.
type Kind int

// The kinds of errors. All but the last end a run at once.
const (
	KindKey         Kind = iota + 1 // no key, or one that the server refuses
	KindForbidden                   // the key may not do this
	KindSetup                       // address, model, options or account are not as they should be
	KindUnavailable                 // the server does not answer now
)

// Error ends a call. Its text says what to do, and holds no key.
type Error struct {
	Kind Kind
	Text string
}

func (e *Error) Error() string { return e.Text }

// problem is what a server says with an error, in any of the forms in use.
type problem struct {
	message, code, param string
}

// String is the message as a person reads it; never empty.
func (p problem) String() string {
	switch {
	case p.message == "" && p.code == "":
		return "no reason given"
	case p.code == "" || strings.Contains(p.message, p.code):
		return p.message
	case p.message == "":
		return p.code
	}
	return p.message + " (" + p.code + ")"
}

const longestMessage = 300

// parseProblem reads the body of an error: OpenAI's {"error": {"message": ...}},
// {"error": "..."}, {"message": ...}, {"detail": ...} of FastAPI, or no JSON at
// all.
func parseProblem(body []byte) problem {
	var p problem
	var object map[string]any
	if json.Unmarshal(body, &object) != nil {
		p.message = shorten(describeBody(body))
		return p
	}
	inner := object
	if e, ok := object["error"].(map[string]any); ok {
		inner = e
	} else if s, ok := object["error"].(string); ok {
		p.message = s
	}
	if s, ok := inner["message"].(string); ok {
		p.message = s
	}
	for _, key := range []string{"code", "type"} {
		if p.code == "" {
			p.code = text(inner[key])
		}
	}
	p.param, _ = inner["param"].(string)
	switch d := object["detail"].(type) {
	case string:
		p.message = d
	case []any:
		p.message, p.param = details(d)
	}
	p.message = shorten(p.message)
	return p
}

// details joins the list that FastAPI's validation makes.
func details(list []any) (message, param string) {
	var all []string
	for _, v := range list {
		d, _ := v.(map[string]any)
		place := ""
		if loc, ok := d["loc"].([]any); ok {
			for _, part := range loc {
				switch x := part.(type) {
				case float64:
					place += fmt.Sprintf("[%d]", int(x))
				case string:
					if x != "body" {
						place = strings.TrimPrefix(place+"."+x, ".")
					}
				}
			}
			param = place
		}
		said := text(d["msg"])
		if place != "" {
			said = place + ": " + said
		}
		all = append(all, said)
	}
	return strings.Join(all, "; "), param
}

func text(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	return ""
}

var title = regexp.MustCompile(`(?is)<title[^>]*>\s*(.*?)\s*</title>`)

// describeBody names a body that is not JSON.
func describeBody(body []byte) string {
	trimmed := bytes.TrimSpace(body)
	if len(trimmed) == 0 {
		return "an empty answer"
	}
	if trimmed[0] == '<' {
		if m := title.FindSubmatch(trimmed[:min(len(trimmed), 4096)]); m != nil {
			return fmt.Sprintf("an HTML page, %q", shorten(string(m[1])))
		}
		return "an HTML page"
	}
	return fmt.Sprintf("%q", shorten(string(trimmed[:min(len(trimmed), 4096)])))
}

// shorten makes one line of at most longestMessage bytes.
func shorten(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "\uFFFD")), " ")
	if len(s) > longestMessage {
		s = headBytes(s, longestMessage) + "..."
	}
	return s
}

var (
	tooLongForm = regexp.MustCompile(`(?i)(maximum|max)[ _](context|input|sequence|model)[ _]len|context[ _](length|window|size)|too (long|large|many tokens)|less than \d+ tokens|maximum .{0,40}\btokens|exceed.{0,40}(token|length|context|n_ctx)|tokens? exceed|input length`)
	givenForm   = regexp.MustCompile(`(?i)(?:requested|given:?|has|contains|passed|got|prefill|too long:?)\s+(?:about\s+)?(\d+)\s*(?:input\s+)?(?:tokens)?`)
	limitForm   = regexp.MustCompile(`(?i)(?:maximum|max\b|less than|at most|limit)[^\d]{0,60}(\d+)`)
	inputForm   = regexp.MustCompile(`(?i)\b(?:input|inputs|texts)\[(\d+)\]`)
	base64Form  = regexp.MustCompile(`(?i)base64|encoding_format`)
	tooMuchForm = regexp.MustCompile(`(?i)request too large`)
	quotaForm   = regexp.MustCompile(`(?i)insufficient_quota|billing|exceeded your current quota|credit balance|calls? ?/ ?month|per month`)
)

// tooLong reports whether the server finds a text too long, and how many tokens
// it counted and takes where it says so.
func (p problem) tooLong() (yes bool, given, limit int) {
	if !tooLongForm.MatchString(p.message) {
		return false, 0, 0
	}
	return true, number(givenForm, p.message), number(limitForm, p.message)
}

func number(form *regexp.Regexp, s string) int {
	m := form.FindStringSubmatch(s)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

// culprit is the index of the text that the server names, or -1.
func (p problem) culprit(n int) int {
	for _, s := range []string{p.param, p.message} {
		if m := inputForm.FindStringSubmatch(s); m != nil {
			if i, err := strconv.Atoi(m[1]); err == nil && i < n {
				return i
			}
		}
	}
	return -1
}

// hide takes a key out of a text: the key itself, and words that are what is
// left of one after a server has starred the middle.
func hide(s, key string) string {
	if key == "" {
		return s
	}
	if len(key) < 8 { // "x" or "ollama": a word that stands for no key, and may be part of others
		return regexp.MustCompile(`\b`+regexp.QuoteMeta(key)+`\b`).ReplaceAllLiteralString(s, "[key]")
	}
	s = strings.ReplaceAll(s, key, "[key]")
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" \t\n\"',;()<>[]{}", r) }) {
		if strings.Contains(word, "**") || strings.Contains(word, key[:8]) || strings.Contains(word, key[len(key)-8:]) {
			s = strings.ReplaceAll(s, word, "[key]")
		}
	}
	return s
}
