package host

import (
	"context"
	"sync"
)

// task is a batch to be sent.
type task struct {
	rows  []int32 // by index, ascending
	alone bool    // under suspicion: nothing else may be in flight beside it
	tries int     // times that these very rows ended badly
	waits int     // pauses before a service that couldn't be reached
	hung  bool    // part of a batch that got no answer
	probe *probe  // the search that it is part of
}

// probe is the search for what it is in a batch that ends the process.
type probe struct {
	open  int  // tasks not done
	found bool // a row that does it
	part  int  // rows in the smallest part that was tried; 0: it was never split
}

// queue holds the tasks of a job and the count of its troubles.
type queue struct {
	mu   sync.Mutex
	wake *sync.Cond

	fresh    []*task // in order
	back     []*task // were in flight beside one that went wrong
	suspects []*task // first in, first out
	open     int     // tasks not done, those in flight too
	limit    int     // rows a batch at most; falls when memory runs out
	ended    bool

	embedded    int // rows that the program answered for
	poisoned    int // rows that were given up
	unexplained int // deaths and hangs that no row explains
	streak      int // deaths, hangs and failures since the last good answer
	restarts    int
}

func (q *queue) init(limit int) {
	q.wake, q.limit = sync.NewCond(&q.mu), limit
}

// add puts a batch at the end.
func (q *queue) add(rows []int32) {
	q.fresh = append(q.fresh, &task{rows: rows})
	q.open++
}

// take returns the next task: a suspect if there is one, but after two bad ends
// in a row one that is above suspicion, to tell whether it is the rows that are
// ill or the program.
//
// With idle, the caller has nothing in flight: it may get a suspect, and it
// waits while others may still give back a task; nil then means that all is done
// or ended. Without, nil means that it should see to what it has in flight.
func (q *queue) take(idle bool) *task {
	q.mu.Lock()
	defer q.mu.Unlock()
	for !q.ended && q.open > 0 {
		var t *task
		switch {
		case len(q.suspects) > 0 && !idle:
			return nil
		case len(q.suspects) > 0 && (q.streak < 2 || len(q.fresh) == 0):
			t, q.suspects = q.suspects[0], q.suspects[1:]
		case len(q.back) > 0:
			t, q.back = q.back[0], q.back[1:]
		case len(q.fresh) > 0:
			t, q.fresh = q.fresh[0], q.fresh[1:]
		case !idle:
			return nil
		default:
			q.wake.Wait()
			continue
		}
		return q.fit(t)
	}
	return nil
}

// fit cuts a task down to the limit; the rest stays.
func (q *queue) fit(t *task) *task {
	if len(t.rows) <= q.limit {
		return t
	}
	rest := *t
	t.rows, rest.rows = t.rows[:q.limit:q.limit], t.rows[q.limit:]
	t.tries, rest.tries = 0, 0
	q.open++
	if t.probe != nil {
		t.probe.open++
	}
	if rest.alone {
		q.suspects = append([]*task{&rest}, q.suspects...)
	} else {
		q.back = append([]*task{&rest}, q.back...)
	}
	return t
}

// giveBack returns tasks that were in flight and are not to blame.
func (q *queue) giveBack(tasks ...*task) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, t := range tasks {
		if t.alone {
			q.suspects = append(q.suspects, t)
		} else {
			q.back = append(q.back, t)
		}
	}
	q.wake.Broadcast()
}

// done takes a task off the list. The caller holds the lock, as with all below.
func (q *queue) done(t *task) {
	q.open--
	if p := t.probe; p != nil {
		p.open--
		if p.open == 0 && !p.found && p.part > 0 {
			q.limit = min(q.limit, p.part) // it was the size
		}
	}
	if q.open == 0 {
		q.wake.Broadcast()
	}
}

// suspect puts a task in the line of those that go alone.
func (q *queue) suspect(t *task) {
	t.alone = true
	q.suspects = append(q.suspects, t)
	q.wake.Broadcast()
}

// split puts parts of a task in the line of those that go alone.
func (q *queue) split(t *task, parts int) {
	n := len(t.rows)
	parts = min(parts, n)
	q.open += parts - 1
	if t.probe != nil {
		t.probe.open += parts - 1
		t.probe.part = (n + parts - 1) / parts
	}
	for k := range parts {
		lo, hi := k*n/parts, (k+1)*n/parts
		q.suspect(&task{rows: t.rows[lo:hi:hi], hung: t.hung, probe: t.probe})
	}
}

// end wakes all who wait, for good.
func (q *queue) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended = true
	q.wake.Broadcast()
}

// run has the workers do all tasks.
func (j *job) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(ctx, j.end)()
	var wg sync.WaitGroup
	for _, w := range j.e.workers[:min(len(j.e.workers), j.open)] {
		wg.Go(func() { j.work(ctx, cancel, w) })
	}
	wg.Wait()
	return context.Cause(ctx)
}
