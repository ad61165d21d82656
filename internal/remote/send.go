package remote

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

const (
	maxFaults = 5 // tries of one request that fail, 429 not counted
	fewFaults = 2 // of its parts, once the server is known to be well
	maxPause  = 30 * time.Second
	// maxRefused texts that are refused alone while nothing has ever gone well
	// mean that it is not the texts.
	maxRefused = 3
)

// backoff is the pause after the n-th failure, from 0: it doubles, and is drawn
// from its upper half, so that clients that failed together don't come back
// together. The draw changes no result.
func (c *Client) backoff(n int) time.Duration {
	d := retryablehttp.DefaultBackoff(c.o.RetryWait, max(maxPause, c.o.RetryWait), n, nil)
	return d/2 + rand.N(d/2+1)
}

// send gets the vectors of jobs and settles their rows. faults is how many tries
// may fail. The error ends the call.
func (k *call) send(ctx context.Context, jobs []job, faults int) error {
	c := k.c
	var since time.Time // of the first failure
	failed, throttles := 0, 0
	for {
		x, err := c.exchange(ctx, jobs)
		if err != nil {
			return err
		}
		now := c.clock.now()
		if since.IsZero() {
			since = now
		}
		var pause time.Duration
		switch x.kind {
		case good:
			if jobs = k.place(jobs, x.reply); len(jobs) == 0 {
				return nil
			}
			if failed++; failed >= faults {
				return k.faulty(jobs)
			}
			c.warn("vectors of the server can't be used: asking again", "texts", len(jobs), "reason", jobs[0].why)
			pause = c.backoff(failed - 1)
		case rejected:
			return k.rejected(ctx, jobs, x, faults)
		case final:
			return x.fatal
		case throttled:
			if pause = x.wait; pause <= 0 {
				pause = c.backoff(throttles)
			} else {
				pause += rand.N(pause/10 + 1)
			}
			throttles++
			if x.wait > c.o.RetryTime {
				return &Error{KindSetup, fmt.Sprintf("%s: %s: the server wants %v without requests, and max_retry_time is %v: go on later with --resume",
					c.o.Base, x.why, x.wait.Round(time.Second), c.o.RetryTime)}
			}
			if now.Add(pause).After(c.patience(since)) {
				return c.unavailable(x)
			}
			n := c.gate.slowDown(pause)
			c.warn("the server wants fewer requests: slowing down", "pause", pause.Round(time.Millisecond).String(), "at_a_time", n, "reason", x.why)
			continue // the gate has the pause
		case passing:
			if x.why == errNoBase64 {
				if c.floats.CompareAndSwap(false, true) {
					c.o.Log.Warn("the server takes no base64: vectors come as lists of numbers")
				}
				continue
			}
			failed++
			pause = c.backoff(failed - 1)
			if x.setup != "" && c.answered.Load() == 0 && failed >= min(3, faults) {
				return &Error{KindSetup, fmt.Sprintf("%s: %s: %s", c.o.Base, x.why, x.setup)}
			}
			late := now.Add(pause).After(c.patience(since))
			if failed >= faults || late {
				well := faults < maxFaults // known from before
				if !well {
					if well, err = c.control(ctx); err != nil {
						return err
					}
				}
				if well {
					return k.search(ctx, jobs, x, faults)
				}
				if late {
					return c.unavailable(x)
				}
			}
			c.warn("a request failed: trying again", "texts", len(jobs), "pause", pause.Round(time.Millisecond).String(), "reason", x.why)
		}
		if err := c.clock.sleep(ctx, pause); err != nil {
			return err
		}
	}
}

func (c *Client) unavailable(x outcome) error {
	c.down.Store(true)
	return &Error{KindUnavailable, fmt.Sprintf("%s: %s: no good answer for %v", c.o.Base, x.why, c.o.RetryTime)}
}

// place settles the rows whose vectors are right and returns the other jobs.
func (k *call) place(jobs []job, r Reply) (rest []job) {
	c := k.c
	texts := 0
	for i, j := range jobs {
		v := r.Vectors[i]
		err := v.Check(c.Dimension())
		if err != nil {
			j.why = err.Error()
			_, j.other = errors.AsType[*dimensionError](err)
			rest = append(rest, j)
			continue
		}
		c.dimension.CompareAndSwap(0, int64(len(v.Values)))
		row := Row{Vector: v.Values}
		if j.lost > 0 {
			row.Status, row.Lost = Truncated, j.lost
			if len(jobs) == 1 {
				row.Lost = j.tokensLost(r.Tokens)
			}
		}
		texts++
		k.settle(j.row, row)
	}
	if texts > 0 {
		c.good()
	}
	c.mu.Lock()
	c.usage.Texts += texts
	c.mu.Unlock()
	return rest
}

// faulty is for vectors that stayed wrong. If nothing ever was right, or several
// are of another dimension, it is not the texts.
func (k *call) faulty(jobs []job) error {
	c := k.c
	if c.answered.Load() == 0 || len(jobs) > 1 && !slices.ContainsFunc(jobs, func(j job) bool { return !j.other }) {
		advice := "check model and base_url"
		if c.o.Dimension > 0 {
			advice = "check model, base_url and dimensions"
		}
		return &Error{KindSetup, fmt.Sprintf("%s: %s: %s", c.o.Base, jobs[0].why, advice)}
	}
	for _, j := range jobs {
		k.fail(j, j.why)
	}
	return nil
}

func (k *call) fail(j job, reason string) {
	k.settle(j.row, Row{Status: Failed, Reason: reason})
}

// rejected looks for the text that the server does not take.
func (k *call) rejected(ctx context.Context, jobs []job, x outcome, faults int) error {
	c := k.c
	if len(jobs) > 1 {
		if i := x.said.culprit(len(jobs)); i >= 0 {
			rest := append(append([]job(nil), jobs[:i]...), jobs[i+1:]...)
			return k.parts(ctx, faults, rest, jobs[i:i+1:i+1])
		}
		return k.parts(ctx, faults, jobs[:len(jobs)/2:len(jobs)/2], jobs[len(jobs)/2:])
	}
	j := jobs[0]
	if long, given, limit := x.said.tooLong(); long {
		if c.o.Refuse {
			reason := x.why
			if given > 0 && limit > 0 {
				reason = tooLongReason(given, limit, "")
			}
			k.fail(j, reason)
			return nil
		}
		if j.shrink(given, limit, c.o.MaxTokens) {
			return k.send(ctx, []job{j}, faults)
		}
	}
	if c.refused.Add(1) >= maxRefused && c.answered.Load() == 0 {
		well, err := c.control(ctx)
		if err != nil {
			return err
		}
		if !well {
			return &Error{KindSetup, fmt.Sprintf("%s: the server refuses every text: %s: check model, dimensions and the other options", c.o.Base, x.why)}
		}
	}
	k.fail(j, "the server refuses it: "+x.why)
	return nil
}

func tooLongReason(tokens, limit int, about string) string {
	return fmt.Sprintf("the text is too long: %s%d tokens, the model reads %d (long_text = \"truncate\" cuts it)", about, tokens, limit)
}

// parts sends the parts of a request one after the other.
func (k *call) parts(ctx context.Context, faults int, parts ...[]job) error {
	for _, p := range parts {
		if err := k.send(ctx, p, faults); err != nil {
			return err
		}
	}
	return nil
}

// search is for a request that goes wrong although the server answers a harmless
// one: it is the texts. They are tried in halves, and one that fails alone has
// failed.
func (k *call) search(ctx context.Context, jobs []job, x outcome, faults int) error {
	if len(jobs) == 1 {
		k.fail(jobs[0], "the server fails at it: "+x.why)
		return nil
	}
	switch {
	case faults < maxFaults: // told already
	case x.slow:
		k.c.o.Log.Warn("a request took too long: smaller ones are tried; set request_texts lower or request_timeout higher", "texts", len(jobs), "request_timeout", k.c.o.RequestTimeout.String())
	default:
		k.c.warn("the server answers, but not for these texts: looking for the ones it fails at", "texts", len(jobs), "reason", x.why)
	}
	return k.parts(ctx, fewFaults, jobs[:len(jobs)/2:len(jobs)/2], jobs[len(jobs)/2:])
}

// harmless is the text of requests that are not about the corpus.
const harmless = "dimension"

// control asks for the vector of a harmless text and reports whether it comes.
func (c *Client) control(ctx context.Context) (well bool, err error) {
	x, err := c.exchange(ctx, []job{{text: harmless, tokens: 1}})
	if err != nil || x.kind != good || x.reply.Vectors[0].Check(c.Dimension()) != nil {
		return false, err
	}
	c.good()
	return true, nil
}
