package conformance

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/bertopic-go/bertopic/sdk"
	pb "github.com/bertopic-go/bertopic/sdk/proto"
)

const (
	cancelLimit    = time.Second
	orphanLimit    = 3 * time.Second
	growthBatches  = 100
	growthRows     = 8
	growthLimitMiB = 32
	talkLimit      = 1 << 20 // bytes on standard error for a few batches
)

// largeBatch is EMB-060.
func largeBatch(ctx context.Context, s *suite) (string, error) {
	var rows []sdk.Row
	if s.takes(sdk.Text) {
		for i := range 6 {
			rows = append(rows, text(longText(fmt.Sprintf("Part %d.", i), 800_000)))
		}
	} else {
		large, err := largePicture()
		if err != nil {
			return "", err
		}
		rows = append(s.first(1), large)
	}
	p, err := s.again(ctx)
	if err != nil {
		return "", err
	}
	_, err = s.embed(ctx, p, rows)
	return "", err
}

// heedsCancel is EMB-061.
func heedsCancel(ctx context.Context, s *suite) (string, error) {
	p, err := s.again(ctx)
	if err != nil {
		return "", err
	}
	few := s.first(2)
	begin := time.Now()
	if _, err := s.embed(ctx, p, few); err != nil {
		return "", err
	}
	usual := time.Since(begin)

	rows := s.first(512)
	if s.takes(sdk.Text) {
		rows[0] = text(cancelBegin)
	}
	call, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := p.api.Embed(call)
	if err != nil {
		return "", s.explain(p, err)
	}
	if err := stream.Send(&pb.EmbedRequest{Sequence: 1, Rows: sdk.RowsToProto(rows)}); err != nil {
		return "", s.explain(p, err)
	}
	time.Sleep(100 * time.Millisecond)
	cancel()

	begin = time.Now()
	limit := cancelLimit + 3*usual
	wait, stop := context.WithTimeout(ctx, limit)
	defer stop()
	if _, err := s.embed(wait, p, few); wait.Err() != nil {
		return "", fmt.Errorf("%v after a batch of %d rows was given up, %d rows have no answer yet; before, they took %v",
			limit.Round(time.Millisecond), len(rows), len(few), usual.Round(time.Millisecond))
	} else if err != nil {
		return "", fmt.Errorf("after a batch was given up: %w", err)
	}
	return fmt.Sprintf("the next answer came after %v", time.Since(begin).Round(time.Millisecond)), nil
}

// growsNot is EMB-062.
func growsNot(ctx context.Context, s *suite) (string, error) {
	p, err := s.again(ctx)
	if err != nil {
		return "", err
	}
	if _, err := residentMiB(p.cmd.Process.Pid); err != nil {
		return "", notApplicable("the memory of a process can't be read here")
	}
	n := growthBatches / 2
	if s.cfg.brief {
		n = 15
	}
	many := make([][]sdk.Row, n)
	for i := range many {
		many[i] = s.first(growthRows)
	}
	var mib [2]int
	for i := range mib {
		if _, err := s.ask(ctx, p, false, many...); err != nil {
			return "", err
		}
		if mib[i], err = residentMiB(p.cmd.Process.Pid); err != nil {
			return "", err
		}
	}
	detail := fmt.Sprintf("%d MiB after %d batches, %d MiB after %d", mib[0], n, mib[1], 2*n)
	if mib[1]-mib[0] > growthLimitMiB {
		return "", fmt.Errorf("it grows: %s", detail)
	}
	return detail, nil
}

// residentMiB is the memory of a process that is in use, on Linux.
func residentMiB(pid int) (int, error) {
	if runtime.GOOS != "linux" {
		return 0, fmt.Errorf("not on %s", runtime.GOOS)
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.SplitSeq(string(b), "\n") {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(rest, "kB")))
			return kib >> 10, err
		}
	}
	return 0, fmt.Errorf("no VmRSS of process %d", pid)
}

// silentOutput is EMB-070.
func silentOutput(ctx context.Context, s *suite) (string, error) {
	p, err := s.again(ctx)
	if err != nil {
		return "", err
	}
	if _, err := s.embed(ctx, p, s.first(full)); err != nil {
		return "", err
	}
	time.Sleep(20 * time.Millisecond) // for what is still in the pipe
	if n := p.stray.Load(); n > 0 {
		return "", fmt.Errorf("%d bytes on standard output after the handshake", n)
	}
	return "", nil
}

// talksLittle is EMB-071.
func talksLittle(ctx context.Context, s *suite) (string, error) {
	p, err := s.again(ctx)
	if err != nil {
		return "", err
	}
	before := p.stderr.Load()
	if _, err := s.ask(ctx, p, false, s.batches()...); err != nil {
		return "", err
	}
	if n := p.stderr.Load() - before; n > talkLimit {
		return "", fmt.Errorf("%d KiB on standard error for %d batches", n>>10, len(s.batches()))
	}
	return "", nil
}

// endsCleanly is EMB-072.
func endsCleanly(ctx context.Context, s *suite) (string, error) {
	p, err := s.ready(ctx, 0)
	if err != nil {
		return "", err
	}
	defer s.stop(p)
	if err := p.shutdown(ctx); err != nil {
		return "", fmt.Errorf("call Shutdown: %w", err)
	}
	begin := time.Now()
	if !p.gone(stopGrace) {
		return "", fmt.Errorf("%v after Shutdown it still runs", stopGrace)
	}
	if p.code != 0 {
		return "", fmt.Errorf("after Shutdown it ends with %s", p.state)
	}
	return fmt.Sprintf("gone after %v", time.Since(begin).Round(time.Millisecond)), nil
}

// endsBusy is EMB-074.
func endsBusy(ctx context.Context, s *suite) (string, error) {
	p, err := s.ready(ctx, 0)
	if err != nil {
		return "", err
	}
	defer s.stop(p)
	call, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := p.api.Embed(call)
	if err != nil {
		return "", s.explain(p, err)
	}
	rows := s.first(512)
	if s.takes(sdk.Text) {
		rows[0] = text(busyBegin)
	}
	if err := stream.Send(&pb.EmbedRequest{Sequence: 1, Rows: sdk.RowsToProto(rows)}); err != nil {
		return "", s.explain(p, err)
	}
	time.Sleep(100 * time.Millisecond)
	begin := time.Now()
	if err := p.shutdown(ctx); err != nil {
		return "", fmt.Errorf("call Shutdown while a batch is at work: %w", err)
	}
	if !p.gone(stopGrace) {
		return "", fmt.Errorf("%v after Shutdown, called while a batch was at work, it still runs", stopGrace)
	}
	return fmt.Sprintf("gone after %v", time.Since(begin).Round(time.Millisecond)), nil
}

// staysOffline is EMB-075.
func staysOffline(_ context.Context, s *suite) (string, error) {
	if s.description.Network {
		return "", notApplicable("it declares that it opens connections")
	}
	for _, p := range s.processes {
		n, known := p.wall.Attempts()
		s.attempts += n
		s.unseen = s.unseen || !known
	}
	if s.attempts > 0 {
		return "", fmt.Errorf("it tried to reach the network %d times (the system kept it from it); a program that means to says network = true", s.attempts)
	}
	if s.unseen {
		return "", notApplicable("it can't be seen on this system, which has no network namespaces for it")
	}
	return "", nil
}

// diesWithParent is EMB-073.
func diesWithParent(ctx context.Context, s *suite) (string, error) {
	command := byShell(s.path)
	if command == nil {
		return "", notApplicable("an orphan can't be made on this system")
	}
	p, err := s.startBy(ctx, command...)
	defer s.stop(p)
	if err != nil {
		return "", err
	}
	begin := time.Now()
	if err := p.cmd.Process.Kill(); err != nil {
		return "", err
	}
	if !within(p.drained, orphanLimit) {
		return "", fmt.Errorf("%v after the death of the process that started it, it still runs", orphanLimit)
	}
	return fmt.Sprintf("gone after %v", time.Since(begin).Round(time.Millisecond)), nil
}

// speed is EMB-090.
func speed(ctx context.Context, s *suite) (string, error) {
	if s.cfg.brief {
		return "", notApplicable("not measured")
	}
	p, err := s.again(ctx)
	if err != nil {
		return "", err
	}
	rows, begin := 0, time.Now()
	for n := 1; time.Since(begin) < 200*time.Millisecond && n <= 64; n *= 2 {
		many := make([][]sdk.Row, n)
		for i := range many {
			many[i] = s.first(full)
			rows += full
		}
		if _, err := s.ask(ctx, p, false, many...); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%.0f rows a second in batches of %d, on %d cores", float64(rows)/time.Since(begin).Seconds(), full, runtime.NumCPU()), nil
}
