package remote

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// clock is time as the client sees it; tests have their own.
type clock struct {
	now   func() time.Time
	sleep func(context.Context, time.Duration) error
}

var realClock = clock{now: time.Now, sleep: func(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}}

// pace keeps to requests and tokens a minute.
type pace struct {
	clock    clock
	requests *rate.Limiter // nil: no limit
	tokens   *rate.Limiter
}

func newPace(c clock, requests, tokens int) *pace {
	p := &pace{clock: c}
	if requests > 0 {
		p.requests = rate.NewLimiter(rate.Limit(float64(requests)/60), 1)
	}
	if tokens > 0 {
		p.tokens = rate.NewLimiter(rate.Limit(float64(tokens)/60), tokens)
	}
	return p
}

// wait waits until a request of so many tokens may go. One of more tokens than
// go in a minute goes after a minute in which nothing else went.
func (p *pace) wait(ctx context.Context, tokens int) error {
	now := p.clock.now()
	var d time.Duration
	if p.requests != nil {
		d = p.requests.ReserveN(now, 1).DelayFrom(now)
	}
	if p.tokens != nil {
		d = max(d, p.tokens.ReserveN(now, min(tokens, p.tokens.Burst())).DelayFrom(now))
	}
	if d == 0 {
		return ctx.Err()
	}
	return p.clock.sleep(ctx, d)
}

// calmRounds is after how many rounds of good answers one more request goes at
// a time.
const calmRounds = 2

// gate lets so many requests through at a time: half as many after the server
// has had too many, one more after a while of good answers. Nobody passes while
// the server wants a pause.
type gate struct {
	clock clock

	mu      sync.Mutex
	most    int
	limit   int
	active  int
	calm    int       // good answers since limit changed
	until   time.Time // nobody passes before
	changed chan struct{}
}

func newGate(c clock, most int) *gate {
	return &gate{clock: c, most: most, limit: most, changed: make(chan struct{})}
}

// enter waits for a place. The caller leaves it again.
func (g *gate) enter(ctx context.Context) error {
	for {
		g.mu.Lock()
		pause, changed := g.until.Sub(g.clock.now()), g.changed
		if pause <= 0 && g.active < g.limit && ctx.Err() == nil {
			g.active++
			g.mu.Unlock()
			return nil
		}
		g.mu.Unlock()
		if pause > 0 {
			if err := g.clock.sleep(ctx, pause); err != nil {
				return err
			}
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// leave gives the place back.
func (g *gate) leave(good bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.active--
	if good && g.limit < g.most {
		if g.calm++; g.calm >= calmRounds*g.limit {
			g.limit, g.calm = g.limit+1, 0
		}
	}
	close(g.changed)
	g.changed = make(chan struct{})
}

// slowDown makes everybody wait. Several requests that come back from the same
// storm halve the number once. It returns how many go at a time from now on.
func (g *gate) slowDown(pause time.Duration) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.clock.now()
	if !now.Before(g.until) {
		g.limit, g.calm = max(1, g.limit/2), 0
	}
	if until := now.Add(pause); until.After(g.until) {
		g.until = until
	}
	return g.limit
}
