package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/bertopic-go/bertopic/sdk"
	"github.com/bertopic-go/bertopic/sdk/proto"
)

const (
	maxFlying   = 2               // batches in flight a worker
	maxHangs    = 3               // in a row
	maxFailures = 16              // in a row; they cost no restart
	moreDeaths  = 3               // in a row, than MaxRestarts, for each worker
	deathParts  = 8               // into which a batch that ends the process is cut: a restart costs more than a call
	maxWaits    = 6               // pauses for a service that can't be reached
	farewell    = 2 * time.Second // for the end of a stream
	oneIn       = 20              // rows of which one may be given up
)

// firstWait is the pause before a call is repeated to a service that could not
// be reached; each one after it is twice as long. A variable for the tests.
var firstWait = 500 * time.Millisecond

// work has one worker do tasks, over one process and stream after another.
func (j *job) work(ctx context.Context, fatal context.CancelCauseFunc, w *worker) {
	for ctx.Err() == nil {
		t := j.take(true)
		if t == nil {
			return
		}
		running := w.proc != nil && !w.proc.gone(0)
		if err := w.ensure(ctx); err != nil {
			j.giveBack(t)
			j.startFailed(ctx, fatal, err)
			continue
		}
		if !running {
			j.mu.Lock()
			j.restarts++
			j.mu.Unlock()
		}
		s := session{job: j, w: w, fatal: fatal}
		s.run(ctx, t)
	}
}

// startFailed counts a process that could not be brought back, where the reason
// may pass.
func (j *job) startFailed(ctx context.Context, fatal context.CancelCauseFunc, err error) {
	var e *Error
	var p passing
	if !errors.As(err, &e) || e.Kind != KindStart && e.Kind != KindCrashed && e.Kind != KindTimeout && !errors.As(err, &p) {
		fatal(err)
		return
	}
	j.mu.Lock()
	j.unexplained++
	n := j.unexplained
	j.mu.Unlock()
	if n > j.e.spec.MaxRestarts {
		fatal(err)
		return
	}
	sleep(ctx, firstWait)
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// flight is a task in flight.
type flight struct {
	*task
	sequence uint64
	progress uint32
}

// session is one stream of a worker's.
type session struct {
	*job
	w        *worker
	fatal    context.CancelCauseFunc
	flying   []*flight
	sequence uint64
	requests chan *proto.EmbedRequest
}

type answer struct {
	r   *proto.EmbedResponse
	err error
}

// run sends tasks, t first, until none is left or something goes wrong, which it
// sees to. Its goroutines have ended when it returns.
func (s *session) run(ctx context.Context, t *task) {
	call, cancel := context.WithCancel(ctx)
	stream, err := s.w.proc.api.Embed(call)
	if err != nil {
		cancel()
		s.flying = []*flight{{task: t}}
		s.trouble(ctx, err)
		return
	}
	s.requests = make(chan *proto.EmbedRequest, maxFlying) // never full: each is in flight
	answers := make(chan answer)
	var wg sync.WaitGroup
	wg.Go(func() {
		for r := range s.requests {
			if stream.Send(r) != nil {
				return // Recv has the reason
			}
		}
		_ = stream.CloseSend()
	})
	wg.Go(func() {
		for {
			r, err := stream.Recv()
			select {
			case answers <- answer{r, err}:
			case <-call.Done():
				return
			}
			if err != nil {
				return
			}
		}
	})
	open := true
	finish := func() {
		if open {
			open = false
			close(s.requests)
		}
	}
	defer wg.Wait()
	defer cancel()
	defer finish()

	timer := time.NewTimer(s.e.spec.Timeout)
	defer timer.Stop()
	s.launch(t)
	for {
		for len(s.flying) < maxFlying && (len(s.flying) == 0 || !s.flying[0].alone) {
			idle := len(s.flying) == 0
			t := s.take(idle)
			if t == nil {
				break
			}
			if idle {
				if s.w.proc.gone(0) { // while nothing was asked of it
					s.giveBack(t)
					return
				}
				timer.Reset(s.e.spec.Timeout)
			}
			s.launch(t)
		}
		if len(s.flying) == 0 {
			finish()
			s.farewell(ctx, answers)
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			s.hang()
			return
		case a := <-answers:
			if a.err != nil {
				s.trouble(ctx, a.err)
				return
			}
			alive, ok := s.answered(a.r)
			if !ok {
				return
			}
			if alive {
				timer.Reset(s.e.spec.Timeout)
			}
		}
	}
}

// launch sends a task on its way.
func (s *session) launch(t *task) {
	s.sequence++
	rows := make([]sdk.Row, len(t.rows))
	for k, i := range t.rows {
		rows[k] = s.rows[i]
	}
	s.flying = append(s.flying, &flight{task: t, sequence: s.sequence})
	s.requests <- &proto.EmbedRequest{Sequence: s.sequence, Rows: sdk.RowsToProto(rows), Words: s.words}
}

// farewell waits for the end of a stream that is done with and sees that nothing
// more comes.
func (s *session) farewell(ctx context.Context, answers <-chan answer) {
	t := time.NewTimer(farewell)
	defer t.Stop()
	select {
	case a := <-answers:
		if a.err == nil {
			s.lied("embed", fmt.Errorf("it answered batch %d, to which an answer was not due", a.r.GetSequence()))
		}
	case <-ctx.Done():
	case <-t.C:
	}
}

// answered takes an answer. alive: the program has got on. ok is false when the
// session is over.
func (s *session) answered(r *proto.EmbedResponse) (alive, ok bool) {
	at := slices.IndexFunc(s.flying, func(f *flight) bool { return f.sequence == r.GetSequence() })
	due := s.flying[0]
	op := "embed " + rowNames(due.rows)
	if at < 0 {
		return false, s.lied(op, fmt.Errorf("it answered batch %d, to which an answer was not due: batch %d was", r.GetSequence(), due.sequence))
	}
	switch out := r.GetOut().(type) {
	case *proto.EmbedResponse_Progress:
		f := s.flying[at]
		done := out.Progress.GetRowsDone()
		alive = done > f.progress
		f.progress = max(f.progress, done)
		return alive, true
	case *proto.EmbedResponse_Vectors:
		if at > 0 {
			return false, s.lied(op, fmt.Errorf("it answered batch %d before batch %d: answers must come in the order of the batches", r.GetSequence(), due.sequence))
		}
		v, err := sdk.VectorsFromProto(out.Vectors)
		if err == nil {
			err = v.Check(len(due.rows), s.info)
		}
		if err != nil {
			return false, s.lied(op, fmt.Errorf("its answer breaks a promise (rows counted from the first of the batch): %w", err))
		}
		if err := s.place(due.rows, v); err != nil {
			s.fatal(err)
			return false, false
		}
		s.flying = s.flying[1:]
		s.mu.Lock()
		s.embedded += len(due.rows)
		s.streak = 0
		s.done(due.task)
		s.mu.Unlock()
		return true, true
	}
	return false, s.lied(op, errors.New("its answer holds neither vectors nor progress"))
}

// lied ends the job: nothing that such a program says can be used.
func (s *session) lied(op string, err error) bool {
	e := s.e.errorf(KindLied, op, s.w.proc, err)
	s.w.stop(false)
	s.fatal(e)
	return false
}

// hang is for a batch to which no answer comes.
func (s *session) hang() {
	p := s.w.proc
	why := fmt.Errorf("no answer and no progress for %v", s.e.spec.Timeout)
	s.w.log.Warn("no answer: the process is ended", "rows", rowNames(s.flying[0].rows), "timeout", s.e.spec.Timeout)
	s.w.stop(false)
	s.blame(func(t *task) {
		s.accuse(t)
		s.streak++
		t.hung = t.hung || len(t.rows) > 1
		t.tries++
		switch {
		case len(t.rows) > 1:
			s.split(t, deathParts)
		case t.hung || t.tries > 1:
			s.giveUp(t, p, KindTimeout, why)
		default:
			s.suspect(t)
		}
		if s.streak >= maxHangs || s.unexplained > s.e.spec.MaxRestarts {
			s.fatal(s.e.errorf(KindTimeout, "embed "+rowNames(t.rows), p, fmt.Errorf("%w, and not for the first time (%d ends in a row were bad): raise embedder.timeout if it needs longer", why, s.streak)))
		}
	})
}

// trouble is for a stream that ended before its batches were answered.
func (s *session) trouble(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	p := s.w.proc
	op := "embed " + rowNames(s.flying[0].rows)
	if err == io.EOF {
		s.lied(op, errors.New("it ended the stream without an answer"))
		return
	}
	st := status.Convert(err)
	switch {
	case p.gone(goneLimit):
	case st.Code() != codes.Unavailable || p.ping(ctx) == nil:
		s.failed(ctx, p, op, st.Code(), errors.New(message(err)))
		return
	case ctx.Err() != nil:
		return
	case p.gone(time.Second): // the end of a connection shows first
	default:
		s.w.stop(false)
		s.dead(p, "its connection broke: "+message(err))
		return
	}
	s.w.stop(false)
	s.dead(p, "the program ended: "+p.child.state)
}

// failed is for a batch that failed in a process which goes on.
func (s *session) failed(ctx context.Context, p *process, op string, code codes.Code, text error) {
	switch code {
	case codes.Unavailable:
		s.unavailable(ctx, text)
	case codes.ResourceExhausted:
		s.blame(func(t *task) {
			s.w.log.Warn("out of memory: smaller batches from now on", "rows", len(t.rows), "error", text)
			if n := len(t.rows); n > 1 {
				s.limit = min(s.limit, (n+1)/2)
				s.split(t, 2)
				return
			}
			if t.tries++; t.tries > 1 {
				s.giveUp(t, p, KindFailed, fmt.Errorf("out of memory, though it was the only row: %w", text))
				return
			}
			s.suspect(t)
		})
	case codes.Unauthenticated, codes.PermissionDenied, codes.FailedPrecondition, codes.Unimplemented:
		s.fatal(s.e.errorf(KindFailed, op, p, text))
	default:
		s.blame(func(t *task) {
			s.w.log.Warn("a batch failed", "rows", rowNames(t.rows), "code", code.String(), "error", text)
			s.streak++
			t.tries++
			switch {
			case len(t.rows) > 1:
				s.split(t, 2)
			case t.tries > 1:
				s.giveUp(t, p, KindFailed, text)
			default:
				s.suspect(t)
			}
			if s.streak >= maxFailures {
				s.fatal(s.e.errorf(KindFailed, op, p, fmt.Errorf("it fails at every batch, %d in a row: %w", s.streak, text)))
			}
		})
	}
}

// dead is for a process that ended during a batch. Where two were in flight, the
// answer to the first may have died with it: both go alone from then on.
func (s *session) dead(p *process, why string) {
	s.w.log.Warn("the process is gone", "rows", rowNames(s.flying[0].rows), "state", why)
	most, kind := s.e.spec.MaxRestarts, KindKillLimit
	if p.overMemory() {
		kind = KindMemory
		s.e.warn("the program used more than [embedder] memory allows, was stopped and started anew")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	first := s.flying[0].task
	s.streak++
	s.accuse(first)
	if len(s.flying) > 1 {
		for _, f := range s.flying {
			if f.probe == nil {
				f.probe = first.probe
				f.probe.open++
			}
			s.suspect(f.task)
		}
	} else {
		first.tries++
		switch {
		case len(first.rows) == 1 && first.tries > 1:
			s.giveUp(first, p, kind, errors.New(why))
			if s.embedded > 0 { // the program works, and this row explains its deaths
				s.streak = 0
			}
		case len(first.rows) > 1 && first.alone:
			s.split(first, deathParts)
		default:
			s.suspect(first)
		}
	}
	s.flying = nil
	// Each worker may be on the track of a row of its own.
	if s.unexplained > most || s.streak > (most+moreDeaths)*s.e.spec.Workers {
		s.fatal(s.e.errorf(kind, "embed "+rowNames(first.rows), p,
			fmt.Errorf("%s; %d deaths that no row explains, %d in a row: max_restarts is %d; see its log, or try a smaller batch_size",
				why, s.unexplained, s.streak, most)))
	}
}

// blame gives the batch that was due to f, under the lock, and those behind it
// back.
func (s *session) blame(f func(*task)) {
	for _, other := range s.flying[1:] {
		s.giveBack(other.task)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s.flying[0].task)
	s.flying = nil
}

// accuse begins a search if the task is not yet part of one. Its first death is
// not explained, unless a row is found.
func (s *session) accuse(t *task) {
	if t.probe == nil {
		t.probe = &probe{open: 1}
		s.unexplained++
	}
}

// giveUp marks the one row of a task as failed.
func (s *session) giveUp(t *task, p *process, kind ErrorKind, why error) {
	if t.probe != nil && !t.probe.found {
		t.probe.found = true
		s.unexplained--
	}
	s.poisoned++
	i := t.rows[0]
	s.w.log.Warn("a row is given up", "row", i, "reason", why)
	s.statuses[i] = RowStatus{Status: sdk.Failed, Reason: why.Error()}
	if err := s.keep(t.rows, []finished{{status: s.statuses[i]}}); err != nil {
		s.fatal(err)
	}
	s.done(t)
	if s.poisoned > s.e.spec.MaxRestarts+s.embedded/oneIn {
		s.fatal(s.e.errorf(kind, "embed "+rowNames(t.rows), p,
			fmt.Errorf("%d rows could not be embedded where %d could; the last one: %w", s.poisoned, s.embedded, why)))
	}
}

// unavailable waits and tries the same batch again.
func (s *session) unavailable(ctx context.Context, why error) {
	t := s.flying[0].task
	if t.waits == maxWaits {
		s.fatal(s.e.errorf(KindFailed, "embed "+rowNames(t.rows), s.w.proc, fmt.Errorf("%w; tried %d times", why, t.waits+1)))
		return
	}
	pause := firstWait << t.waits
	t.waits++
	s.w.log.Warn("a service can't be reached: trying again", "pause", pause, "error", why)
	for _, other := range s.flying[1:] {
		s.giveBack(other.task)
	}
	s.flying = nil
	sleep(ctx, pause)
	s.giveBack(t)
}

// rowNames names rows for a person: their numbers, from 0, in runs.
func rowNames(rows []int32) string {
	if len(rows) == 1 {
		return fmt.Sprintf("row %d", rows[0])
	}
	const most = 4
	var runs []string
	for k := 0; k < len(rows); {
		last := k
		for last+1 < len(rows) && rows[last+1] == rows[last]+1 {
			last++
		}
		switch {
		case len(runs) == most:
			return fmt.Sprintf("rows %s, ... (%d rows)", strings.Join(runs, ", "), len(rows))
		case last == k:
			runs = append(runs, fmt.Sprint(rows[k]))
		default:
			runs = append(runs, fmt.Sprintf("%d-%d", rows[k], rows[last]))
		}
		k = last + 1
	}
	return "rows " + strings.Join(runs, ", ")
}
