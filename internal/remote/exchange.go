package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// outcome is what one request came to.
type outcome struct {
	kind  outcomeKind
	reply Reply         // with good
	why   string        // else, for a person; holds no key
	wait  time.Duration // that the server wants; 0: it does not say
	said  problem       // with rejected
	setup string        // advice for the case that the server has never answered well
	slow  bool          // it took too long
	fatal *Error
}

type outcomeKind int

const (
	good      outcomeKind = iota
	throttled             // too many requests or tokens
	passing               // may go well the next time
	rejected              // this content, never
	final                 // not with this setup
)

// maxAnswer is the largest body that is read: 2048 vectors of 4096 numbers as
// text are less.
const (
	maxAnswer  = 256 << 20
	maxProblem = 64 << 10 // of one that is no answer
)

// exchange sends one request, when there is room for it, and reads the answer.
func (c *Client) exchange(ctx context.Context, jobs []job) (outcome, error) {
	texts, tokens := make([]string, len(jobs)), 0
	for i, j := range jobs {
		texts[i] = j.text
		tokens += j.tokens
	}
	floats := c.floats.Load()
	body, err := c.o.Service.Body(texts, Form{Floats: floats})
	if err != nil {
		return outcome{}, &Error{KindSetup, "make a request: " + err.Error()}
	}
	if err := c.gate.enter(ctx); err != nil {
		return outcome{}, err
	}
	if err := c.pace.wait(ctx, tokens); err != nil {
		c.gate.leave(false)
		return outcome{}, err
	}
	x := c.post(ctx, body, len(jobs), floats)
	c.gate.leave(x.kind == good || x.kind == rejected)
	if ctx.Err() != nil {
		return outcome{}, ctx.Err()
	}
	x.why = hide(x.why, c.o.Key)
	x.said.message = hide(x.said.message, c.o.Key)
	if x.fatal != nil {
		x.fatal.Text = hide(x.fatal.Text, c.o.Key)
	}
	c.mu.Lock()
	c.usage.Requests++
	if x.kind == good {
		c.usage.Tokens += x.reply.Tokens
		if x.reply.Tokens == 0 {
			c.usage.Silent++
		}
	} else {
		c.usage.Failed++
	}
	c.mu.Unlock()
	return x, nil
}

// post makes one HTTP request for n vectors.
func (c *Client) post(ctx context.Context, body []byte, n int, floats bool) outcome {
	limited, cancel := context.WithTimeout(ctx, c.o.RequestTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(limited, http.MethodPost, c.o.URL, bytes.NewReader(body))
	if err != nil {
		return outcome{kind: final, fatal: &Error{KindSetup, fmt.Sprintf("base_url %s can't be used: it makes no address", c.o.Base)}}
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	if c.o.UserAgent != "" {
		r.Header.Set("User-Agent", c.o.UserAgent)
	}
	switch {
	case c.o.Key == "":
	case c.o.Header == "":
		r.Header.Set("Authorization", "Bearer "+c.o.Key)
	default:
		r.Header.Set(c.o.Header, c.o.Key)
	}
	response, err := c.http.Do(r)
	if err != nil {
		return c.broken(limited, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return c.broken(limited, fmt.Errorf("the answer broke off after %d bytes: %w", len(answer), err))
	}
	if len(answer) > maxAnswer {
		return outcome{kind: passing, why: fmt.Sprintf("the answer has more than %d MiB", maxAnswer>>20)}
	}
	if response.StatusCode != http.StatusOK {
		// Before anything is cut short: half a key is a secret, too.
		answer = []byte(hide(string(answer[:min(len(answer), maxProblem)]), c.o.Key))
		return c.refusal(response, answer, floats)
	}
	reply, err := c.o.Service.Parse(answer, n)
	if err == nil {
		return outcome{kind: good, reply: reply}
	}
	x := outcome{kind: passing, why: err.Error()}
	answer = []byte(hide(string(answer[:min(len(answer), maxProblem)]), c.o.Key))
	switch trimmed := bytes.TrimSpace(answer); {
	case bytes.HasPrefix(trimmed, []byte("<")):
		x.why = "the answer is " + describeBody(answer)
		x.setup = "that is no embedding service: check base_url"
	case bytes.HasPrefix(trimmed, []byte(`{"error"`)), bytes.HasPrefix(trimmed, []byte(`{"message"`)):
		x.why = "200 OK with an error: " + parseProblem(answer).String()
	}
	return x
}

// broken is for an exchange without an answer.
func (c *Client) broken(ctx context.Context, err error) outcome {
	why := err.Error()
	if inner := errors.Unwrap(err); inner != nil && strings.HasPrefix(why, "Post ") {
		why = inner.Error() // without the address, which the message has anyway
	}
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return outcome{kind: passing, slow: true, why: fmt.Sprintf("no whole answer within %v", c.o.RequestTimeout)}
	case strings.Contains(why, "server gave HTTP response to HTTPS client"), strings.Contains(why, "first record does not look like a TLS handshake"):
		return c.setup("%s: the server does not speak TLS: write http:// in base_url, or ask for its TLS port", why)
	}
	// The policy knows the errors of certificates and of malformed requests.
	if again, _ := retryablehttp.ErrorPropagatedRetryPolicy(context.WithoutCancel(ctx), nil, err); !again {
		return c.setup("%s: if the server's certificate is signed by an authority of your own, name that authority's file in SSL_CERT_FILE", why)
	}
	x := outcome{kind: passing, why: why}
	var name *net.DNSError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		x.setup = "nothing listens there: start the server, or correct base_url"
	case errors.As(err, &name) && name.IsNotFound:
		x.setup = "there is no such host: correct base_url, or see to the network"
	case strings.Contains(why, "tls: "):
		x.setup = "no secure connection comes about: check base_url and its port"
	}
	return x
}

func (c *Client) setup(format string, args ...any) outcome {
	return outcome{kind: final, fatal: &Error{KindSetup, c.o.Base + ": " + fmt.Sprintf(format, args...)}}
}

// refusal is for an answer that is not 200.
func (c *Client) refusal(r *http.Response, body []byte, floats bool) outcome {
	p := parseProblem(body)
	status := fmt.Sprintf("%d %s", r.StatusCode, http.StatusText(r.StatusCode))
	why := fmt.Sprintf("%s: %s", status, p)
	end := func(kind Kind, format string, args ...any) outcome {
		return outcome{kind: final, fatal: &Error{kind, c.o.Base + ": " + why + ": " + fmt.Sprintf(format, args...)}}
	}
	long, _, _ := p.tooLong()
	switch code := r.StatusCode; {
	case code == http.StatusUnauthorized && c.o.Key == "":
		return end(KindKey, "the server wants a key: set %s", c.o.KeyNames)
	case code == http.StatusUnauthorized:
		return end(KindKey, "the server refuses the key: set %s to one that is valid there", c.o.KeyNames)
	case code == http.StatusForbidden && c.o.Key == "":
		return end(KindForbidden, "the server may want a key (set %s), or does not serve the model %s to you", c.o.KeyNames, c.o.Model)
	case code == http.StatusForbidden:
		return end(KindForbidden, "the key in %s may not use the model %s, or not from here: choose another key or model", c.o.KeyNames, c.o.Model)
	case code == http.StatusNotFound, code == http.StatusMethodNotAllowed:
		return end(KindSetup, "there is no model %s, or no embedding service at %s: check model and base_url", c.o.Model, c.o.URL)
	case code == http.StatusPaymentRequired, code == http.StatusTooManyRequests && quotaForm.MatchString(p.message+" "+p.code):
		return end(KindSetup, "the account's quota is used up: see to it, then go on with --resume")
	case code == http.StatusTooManyRequests && tooMuchForm.MatchString(p.message):
		return outcome{kind: rejected, why: why, said: p} // it would never go, however long one waits
	case code == http.StatusTooManyRequests, code == http.StatusServiceUnavailable && r.Header.Get("Retry-After") != "":
		return outcome{kind: throttled, why: why, wait: retryAfter(r.Header, c.clock.now())}
	case code >= 300 && code < 400:
		return end(KindSetup, "the server sends requests elsewhere (%s): write that address in base_url", shorten(r.Header.Get("Location")))
	case code >= 400 && code < 500 && base64Form.MatchString(p.message+" "+p.param) && !floats:
		return outcome{kind: passing, why: errNoBase64}
	case (code == http.StatusBadRequest || code == http.StatusUnprocessableEntity) && setupParam(p):
		return end(KindSetup, "the server does not take the option %s as it is", setupOption(p))
	case code == http.StatusBadRequest, code == http.StatusRequestEntityTooLarge, code == http.StatusUnprocessableEntity, code >= 500 && long:
		return outcome{kind: rejected, why: why, said: p}
	}
	// 408, 409, 425 and 5xx pass; what is left of 4xx the policy takes for final.
	switch r.StatusCode {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly:
		return outcome{kind: passing, why: why}
	}
	if again, _ := retryablehttp.ErrorPropagatedRetryPolicy(context.Background(), r, nil); again {
		return outcome{kind: passing, why: why}
	}
	return end(KindSetup, "the server can't be used like this")
}

const errNoBase64 = "the server takes no base64"

// setupParam: what is wrong is not the texts.
func setupParam(p problem) bool { return setupOption(p) != "" }

func setupOption(p problem) string {
	switch p.param {
	case "model", "dimensions", "output_dimension", "input_type":
		return strings.Replace(p.param, "output_dimension", "dimensions", 1)
	}
	if p.code == "model_not_found" {
		return "model"
	}
	return ""
}

// retryAfter is how long a server wants to be left alone: Retry-After in
// milliseconds, seconds or as a date, else when OpenAI's limits that are used up
// are reset. A date is taken by the server's own clock.
func retryAfter(h http.Header, now time.Time) time.Duration {
	if ms, err := strconv.ParseFloat(h.Get("Retry-After-Ms"), 64); err == nil && ms >= 0 {
		return duration(ms / 1000)
	}
	text := strings.TrimSpace(h.Get("Retry-After"))
	if s, err := strconv.ParseFloat(text, 64); err == nil && s >= 0 {
		return duration(s)
	}
	if at, err := http.ParseTime(text); err == nil {
		if date, err := http.ParseTime(h.Get("Date")); err == nil {
			now = date
		}
		return max(0, at.Sub(now))
	}
	var wait time.Duration
	for _, what := range []string{"Requests", "Tokens"} {
		if h.Get("X-Ratelimit-Remaining-"+what) != "0" {
			continue
		}
		if d, err := time.ParseDuration(h.Get("X-Ratelimit-Reset-" + what)); err == nil {
			wait = max(wait, d)
		}
	}
	return wait
}

// duration is s seconds, a year at most.
func duration(s float64) time.Duration {
	return time.Duration(min(s, 365*24*3600) * float64(time.Second))
}
