package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/bertopic-go/bertopic/sdk"
	pb "github.com/bertopic-go/bertopic/sdk/proto"
)

// same compares answers to the same rows bit for bit.
func same(a, b *answer) error {
	for i := range a.rows {
		if a.bits(i) != b.bits(i) {
			return fmt.Errorf("row %d differs, by %.2g of its length", i, distance(a, i, b, i))
		}
	}
	return nil
}

// repeats is EMB-030.
func repeats(_ context.Context, s *suite) (string, error) { return "", same(s.probe[0], s.probe[3]) }

// batchInvariant is EMB-040.
func batchInvariant(ctx context.Context, s *suite) (string, error) {
	if !s.info.BatchInvariant {
		return "", notApplicable("it does not promise that")
	}
	p, err := s.again(ctx)
	if err != nil {
		return "", err
	}
	rows := s.first(full)
	single := make([][]sdk.Row, full)
	for i := range rows {
		single[i] = rows[i : i+1]
	}
	alone, err := s.ask(ctx, p, false, single...)
	if err != nil {
		return "", err
	}
	if len(alone) != full {
		return "", fmt.Errorf("%d answers to %d batches", len(alone), full)
	}
	back := slices.Clone(rows)
	slices.Reverse(back)
	turned, err := s.embed(ctx, p, back)
	if err != nil {
		return "", err
	}
	a := s.probe[0]
	for i := range full {
		if a.bits(i) != alone[i].bits(0) {
			return "", fmt.Errorf("row %d has other bits alone than in a batch of %d", i, full)
		}
		if a.bits(i) != turned.bits(full-1-i) {
			return "", fmt.Errorf("row %d has other bits in a batch that is the other way round", i)
		}
	}
	return "", nil
}

// outlivesRestart is EMB-041.
func outlivesRestart(ctx context.Context, s *suite) (string, error) { return "", s.sameAnew(ctx, 0) }

// heedsNoThreads is EMB-042.
func heedsNoThreads(ctx context.Context, s *suite) (string, error) { return "", s.sameAnew(ctx, 1) }

// sameAnew compares with a process that is new.
func (s *suite) sameAnew(ctx context.Context, threads uint32) error {
	p, err := s.ready(ctx, threads)
	if err != nil {
		return err
	}
	defer s.stop(p)
	a, err := s.embed(ctx, p, s.first(full))
	if err != nil {
		return err
	}
	return same(s.probe[0], a)
}

// twoStreams is EMB-043.
func twoStreams(ctx context.Context, s *suite) (string, error) {
	p, err := s.again(ctx)
	if err != nil {
		return "", err
	}
	b := s.batches()
	call, cancel := context.WithCancel(ctx)
	defer cancel()
	open, err := p.api.Embed(call) // a third one, which is there all the while
	if err != nil {
		return "", s.explain(p, err)
	}
	if err := open.Send(&pb.EmbedRequest{Sequence: 1, Rows: sdk.RowsToProto(b[1])}); err != nil {
		return "", s.explain(p, err)
	}
	late := time.AfterFunc(s.cfg.Timeout, cancel)
	defer late.Stop()
	if _, err := open.Recv(); err != nil {
		return "", s.explain(p, err)
	}
	late.Stop()
	var got [2][]*answer
	var wait errgroup.Group
	for i := range got {
		wait.Go(func() (err error) {
			got[i], err = s.ask(ctx, p, false, b...)
			return err
		})
	}
	if err := wait.Wait(); err != nil {
		return "", err
	}
	for _, all := range got {
		if len(all) != len(b) {
			return "", fmt.Errorf("%d answers to %d batches", len(all), len(b))
		}
		for i, a := range all {
			if err := same(s.probe[i], a); err != nil {
				return "", fmt.Errorf("batch %d: %w", i+1, err)
			}
		}
	}
	return "", nil
}

// savesState is EMB-050.
func savesState(ctx context.Context, s *suite) (string, error) {
	if !s.info.NeedsFit {
		return "", notApplicable("it needs no fit")
	}
	main, err := s.again(ctx)
	if err != nil {
		return "", err
	}
	state, err := s.save(ctx, main)
	if err != nil {
		return "", fmt.Errorf("save: %w", err)
	}
	p, err := s.start(ctx)
	defer s.stop(p)
	if err != nil {
		return "", err
	}
	if _, err := s.configure(ctx, p, s.cfg.Options, 0); err != nil {
		return "", err
	}
	info, err := s.load(ctx, p, state)
	if err != nil {
		return "", fmt.Errorf("load: %w", err)
	}
	if info.Dimension != s.info.Dimension || info.Metric != s.info.Metric || info.Sparse != s.info.Sparse {
		return "", fmt.Errorf("after the load it promises %+v, before %+v", info, s.info)
	}
	a, err := s.embed(ctx, p, s.first(full))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d bytes", len(state)), same(s.probe[0], a)
}

func (s *suite) save(ctx context.Context, p *process) ([]byte, error) {
	call, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	stream, err := p.api.SaveState(call, &pb.SaveStateRequest{})
	if err != nil {
		return nil, s.explain(p, err)
	}
	var state bytes.Buffer
	for {
		c, err := stream.Recv()
		if err == io.EOF {
			return state.Bytes(), nil
		}
		if err != nil {
			return nil, s.explain(p, err)
		}
		state.Write(c.GetData())
	}
}

func (s *suite) load(ctx context.Context, p *process, state []byte) (sdk.Info, error) {
	call, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	stream, err := p.api.LoadState(call)
	if err != nil {
		return sdk.Info{}, s.explain(p, err)
	}
	for part := range slices.Chunk(state, 1<<20) {
		if stream.Send(&pb.StateChunk{Data: part}) != nil {
			break // CloseAndRecv has the reason
		}
	}
	r, err := stream.CloseAndRecv()
	if err != nil {
		return sdk.Info{}, s.explain(p, err)
	}
	return sdk.InfoFromProto(r.GetInfo())
}

// refusesBadState is EMB-051.
func refusesBadState(ctx context.Context, s *suite) (string, error) {
	if !s.info.NeedsFit {
		return "", notApplicable("it needs no fit")
	}
	p, err := s.start(ctx)
	defer s.stop(p)
	if err != nil {
		return "", err
	}
	if _, err := s.configure(ctx, p, s.cfg.Options, 0); err != nil {
		return "", err
	}
	if _, err := s.load(ctx, p, []byte("this is no state of any embedder")); err == nil {
		return "", errors.New("it takes bytes for its state that are none")
	}
	if p.gone(0) {
		return "", fmt.Errorf("a state that is none ends it: %s", p.state)
	}
	return "", nil
}
