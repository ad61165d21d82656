package sdk

import (
	"context"
	"fmt"
	"io"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/bertopic-go/bertopic/sdk/proto"
)

// Embed answers the batches of a stream one after the other; the next one is
// received meanwhile.
func (s *server) Embed(stream proto.Embedder_EmbedServer) error {
	ctx := stream.Context()
	requests := make(chan *proto.EmbedRequest, 1)
	failed := make(chan error, 1)
	go func() { // ends with the stream
		defer close(requests)
		for {
			r, err := stream.Recv()
			if err != nil {
				failed <- err
				return
			}
			select {
			case requests <- r:
			case <-ctx.Done():
				failed <- ctx.Err()
				return
			}
		}
	}()

	var mu sync.Mutex // Send is not for two at once
	send := func(r *proto.EmbedResponse) error {
		mu.Lock()
		defer mu.Unlock()
		return stream.Send(r)
	}
	for r := range requests {
		report := newReporter(func(done int) {
			// An error here shows again in the answer's Send.
			_ = send(&proto.EmbedResponse{
				Sequence: r.GetSequence(),
				Out:      &proto.EmbedResponse_Progress{Progress: &proto.Progress{RowsDone: uint32(done)}},
			})
		})
		v, err := s.batch(context.WithValue(ctx, reporterKey{}, report), r)
		report.close()
		if err != nil {
			return err
		}
		err = send(&proto.EmbedResponse{Sequence: r.GetSequence(), Out: &proto.EmbedResponse_Vectors{Vectors: v.toProto()}})
		if err != nil {
			return err
		}
	}
	if err := <-failed; err != io.EOF {
		return statusOf(ctx, "embed", err)
	}
	return nil
}

// batch embeds the rows of one request.
func (s *server) batch(ctx context.Context, r *proto.EmbedRequest) (Vectors, error) {
	n := len(r.GetRows())
	op := fmt.Sprintf("embed batch %d of %d rows", r.GetSequence(), n)
	var v Vectors
	err := s.call(ctx, op, 1, func() error {
		if err := s.ready(); err != nil {
			return err
		}
		rows, refused := s.sift(r.GetRows())
		var err error
		switch {
		case r.GetWords():
			v, err = s.words(ctx, rows, n)
		case len(rows) > 0:
			v, err = s.embedder.Embed(ctx, rows)
		default:
			v = noRows(s.info)
		}
		if err != nil {
			return err
		}
		if err := v.Check(len(rows), s.info); err != nil {
			return fault(op, err)
		}
		v = v.spread(n, refused)
		return nil
	})
	if err != nil {
		return Vectors{}, err // v may still be written to
	}
	return v, nil
}

func (s *server) words(ctx context.Context, rows []Row, n int) (Vectors, error) {
	e, ok := s.embedder.(WordEmbedder)
	if !ok || !s.info.Words {
		return Vectors{}, status.Error(codes.FailedPrecondition, "the embedder does not embed words")
	}
	if n == 0 {
		return noRows(s.info), nil
	}
	words := make([]string, 0, n)
	for _, r := range rows {
		if r.HasText && len(r.Images) == 0 {
			words = append(words, r.Text)
		}
	}
	if len(words) < n {
		return Vectors{}, status.Error(codes.InvalidArgument, "a batch of words holds a row that is not just text")
	}
	return e.EmbedWords(ctx, words)
}

func noRows(info Info) Vectors {
	if info.Sparse {
		return Vectors{Sparse: &Sparse{Columns: info.Dimension, Indptr: []uint32{0}}}
	}
	return Vectors{Dense: &Dense{Columns: info.Dimension}}
}

// refuses returns the status of a row that the embedder can't take, or OK.
func (d Description) refuses(r Row) RowStatus {
	var have Modality
	switch {
	case !r.HasText && len(r.Images) == 0:
		return RowStatus{Status: Empty}
	case len(r.Images) > 0 && !d.takes(Image):
		have = Image
	case r.HasText && !d.takes(Text):
		have = Text
	default:
		for _, m := range r.Images {
			if m.Path == "" && len(m.Data) == 0 {
				return RowStatus{Status: Failed, Reason: "a picture without a path and without bytes"}
			}
		}
		return RowStatus{}
	}
	return RowStatus{Status: Failed, Reason: fmt.Sprintf("holds %s, which embedder %s does not take", have, d.Name)}
}

// sift returns the rows that the embedder takes and the statuses of the others.
func (s *server) sift(ps []*proto.Row) (rows []Row, refused []RowStatus) {
	rows = make([]Row, 0, len(ps))
	for i, p := range ps {
		row := rowFromProto(p)
		if st := s.description.refuses(row); st.Status != OK {
			st.Row = i
			refused = append(refused, st)
		} else {
			rows = append(rows, row)
		}
	}
	return rows, refused
}

// spread puts the rows of v, which are those of n that were not refused, back
// in their places. refused ascends.
func (v Vectors) spread(n int, refused []RowStatus) Vectors {
	if len(refused) == 0 {
		return v
	}
	place := make([]int, 0, n-len(refused)) // of v's rows
	next := refused
	for i := range n {
		if len(next) > 0 && next[0].Row == i {
			next = next[1:]
		} else {
			place = append(place, i)
		}
	}
	out := Vectors{Statuses: refused}
	for _, st := range v.Statuses {
		st.Row = place[st.Row]
		out.Statuses = append(out.Statuses, st)
	}
	if d := v.Dense; d != nil {
		out.Dense = &Dense{Rows: n, Columns: d.Columns, Data: make([]float32, n*d.Columns)}
		for i, p := range place {
			copy(out.Dense.Data[p*d.Columns:(p+1)*d.Columns], d.Data[i*d.Columns:])
		}
	}
	if s := v.Sparse; s != nil {
		ends := make([]uint32, n+1)
		for i, p := range place {
			ends[p+1] = s.Indptr[i+1] - s.Indptr[i]
		}
		for i := range n {
			ends[i+1] += ends[i]
		}
		out.Sparse = &Sparse{Rows: n, Columns: s.Columns, Indptr: ends, Indices: s.Indices, Data: s.Data}
	}
	return out
}
