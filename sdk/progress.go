package sdk

import (
	"context"
	"sync"
	"time"
)

// Progress tells the host that done rows of the current batch are finished and
// that the embedder is alive: the host counts its timeout from the last answer
// or progress. ctx is the one that Embed or EmbedWords got. Only a number larger
// than the last one is passed on, at most ten times a second, so that Progress
// may be called after every row; a loop that gets nowhere is still found out.
// Outside of a batch it does nothing.
func Progress(ctx context.Context, done int) {
	if r, ok := ctx.Value(reporterKey{}).(*reporter); ok {
		r.report(done)
	}
}

type reporterKey struct{}

// reporter passes the progress of one batch to send.
type reporter struct {
	mu     sync.Mutex
	send   func(done int) // nil once the batch has ended
	done   int
	passed time.Time
}

func newReporter(send func(done int)) *reporter {
	return &reporter{send: send, passed: time.Now()}
}

func (r *reporter) report(done int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.send == nil || done <= r.done || time.Since(r.passed) < 100*time.Millisecond {
		return
	}
	r.done, r.passed = done, time.Now()
	r.send(done)
}

// close waits for a report in flight; those after it are dropped.
func (r *reporter) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.send = nil
}
