package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/bertopic-go/bertopic/sdk"
	pb "github.com/bertopic-go/bertopic/sdk/proto"
)

// liar stands between the wire and the SDK's server and falsifies answers.
type liar struct {
	pb.EmbedderServer
	e          *specimen
	rows       counter
	configured atomic.Int32 // times
	streams    atomic.Int32 // open
}

func newLiar(s pb.EmbedderServer, e *specimen) *liar { return &liar{EmbedderServer: s, e: e} }

func (l *liar) Configure(ctx context.Context, r *pb.ConfigureRequest) (*pb.ConfigureResponse, error) {
	r, fault := l.forgive(r)
	if fault == "once" && l.configured.Load() > 0 {
		return nil, status.Error(codes.FailedPrecondition, "the specimen has been configured")
	}
	a, err := l.EmbedderServer.Configure(ctx, r)
	if err != nil || a.GetInfo() == nil {
		return a, err
	}
	l.configured.Add(1)
	switch l.e.Fault {
	case "no-dimension":
		a.Info.Dimension = 0
	case "bad-metric":
		a.Info.Metric = 99
	}
	return a, nil
}

// forgive takes out of a request what the SDK would refuse, where that is the
// fault, and returns the fault.
func (l *liar) forgive(r *pb.ConfigureRequest) (*pb.ConfigureRequest, string) {
	options := map[string]any{}
	if json.Unmarshal(r.GetOptionsJson(), &options) != nil {
		return r, ""
	}
	fault, _ := options["fault"].(string)
	if fault == "" {
		// Of a wrong type: coerce takes it for its own.
		fault, _ = options["poison"].(string)
	}
	for _, wrong := range sdkFaults(l.e.Describe(), options) {
		unknown := !slices.ContainsFunc(l.e.Describe().Options, func(o sdk.Option) bool { return o.Name == wrong })
		if fault == "lax" && unknown || fault == "coerce" && !unknown {
			delete(options, wrong)
		}
	}
	if text, err := json.Marshal(options); err == nil && (fault == "lax" || fault == "coerce") {
		r = proto.CloneOf(r)
		r.OptionsJson = text
	}
	return r, fault
}

// sdkFaults names the options that the SDK would refuse.
func sdkFaults(d sdk.Description, options map[string]any) (names []string) {
	_, faults := sdk.CheckOptions(d, options)
	for _, f := range faults {
		names = append(names, f.Option)
	}
	return names
}

func (l *liar) Embed(stream pb.Embedder_EmbedServer) error {
	ctx := stream.Context()
	switch {
	case l.e.name == "specimen-eager" && l.configured.Load() == 0:
		if _, err := l.EmbedderServer.Configure(ctx, &pb.ConfigureRequest{}); err != nil {
			return err
		}
	case l.e.Fault == "early" && l.e.fitted == 0:
		if err := l.LoadState(&givenState{ctx: ctx, state: []byte{1, 0, 0, 0, 0, 0, 0, 0}}); err != nil {
			return err
		}
	}
	l.streams.Add(1)
	defer l.streams.Add(-1)
	if l.e.Fault == "one-stream" {
		for begin := time.Now(); l.streams.Load() > 1; time.Sleep(time.Millisecond) {
			if time.Since(begin) > 200*time.Millisecond {
				return status.Error(codes.ResourceExhausted, "the specimen serves one stream at a time")
			}
		}
	}
	s := &lyingStream{Embedder_EmbedServer: stream, liar: l, hits: map[uint64]int{}}
	err := l.EmbedderServer.Embed(s)
	if err == errEnds {
		return nil
	}
	if held := s.flush(); err == nil {
		err = held
	}
	return err
}

// errEnds makes the server end its stream.
var errEnds = errors.New("the specimen ends its stream")

// lyingStream is the stream as the SDK's server sees it.
type lyingStream struct {
	pb.Embedder_EmbedServer
	liar *liar

	mu   sync.Mutex
	hits map[uint64]int      // the row that the fault shows in, by the batch's sequence
	held []*pb.EmbedResponse // with reversed
}

// Recv notes where the fault will show.
func (s *lyingStream) Recv() (*pb.EmbedRequest, error) {
	r, err := s.Embedder_EmbedServer.Recv()
	if err != nil {
		return nil, err
	}
	switch s.liar.e.Fault {
	case "wordless":
		if r.GetWords() {
			return nil, status.Error(codes.Unimplemented, "the specimen lost its words")
		}
	case "no-pictures":
		if slices.ContainsFunc(r.GetRows(), func(row *pb.Row) bool { return len(row.GetImages()) > 0 }) {
			return nil, status.Error(codes.Unknown, "the specimen can't see")
		}
	}
	first := s.liar.rows.take(len(r.GetRows()))
	for i, row := range r.GetRows() {
		if s.liar.e.hit(first+i, row.GetText()) {
			s.mu.Lock()
			s.hits[r.GetSequence()] = i
			s.mu.Unlock()
			break
		}
	}
	return r, nil
}

func (s *lyingStream) Send(a *pb.EmbedResponse) error {
	s.mu.Lock()
	row, hit := s.hits[a.GetSequence()]
	s.mu.Unlock()
	if a.GetVectors() == nil {
		return s.Embedder_EmbedServer.Send(a)
	}
	if s.liar.e.Fault == "reversed" {
		return s.hold(a)
	}
	if s.liar.e.Fault == "contagion" {
		return s.Embedder_EmbedServer.Send(contagious(a))
	}
	if !hit {
		return s.Embedder_EmbedServer.Send(a)
	}
	a = proto.CloneOf(a)
	switch s.liar.e.Fault {
	case "sequence":
		a.Sequence++
	case "twice":
		if err := s.Embedder_EmbedServer.Send(a); err != nil {
			return err
		}
	case "ends":
		return errEnds
	case "busy":
		return s.busy(a.GetSequence())
	case "no-matrix":
		a.GetVectors().Matrix = nil
	default:
		falsify(s.liar.e.Fault, a.GetVectors(), row)
	}
	return s.Embedder_EmbedServer.Send(a)
}

// contagious is an answer in which all rows fail where one has no vector.
func contagious(a *pb.EmbedResponse) *pb.EmbedResponse {
	a = proto.CloneOf(a)
	v := a.GetVectors()
	without := map[uint32]bool{}
	for _, s := range v.GetStatuses() {
		without[s.GetRow()] = true
	}
	if len(without) == 0 {
		return a
	}
	clear(v.GetDense().GetData())
	for i := range v.GetDense().GetRows() {
		if !without[i] {
			v.Statuses = append(v.Statuses, &pb.RowStatus{Row: i, Status: pb.Status_STATUS_FAILED, Reason: "a row beside it failed"})
		}
	}
	return a
}

// givenState is a stream of LoadState with a state of the specimen's own.
type givenState struct {
	grpc.ServerStream
	ctx   context.Context
	state []byte
}

func (g *givenState) Context() context.Context { return g.ctx }

func (g *givenState) Recv() (*pb.StateChunk, error) {
	if g.state == nil {
		return nil, io.EOF
	}
	c := &pb.StateChunk{Data: g.state}
	g.state = nil
	return c, nil
}

func (*givenState) SendAndClose(*pb.LoadStateResponse) error { return nil }

// busy pretends to be at work.
func (s *lyingStream) busy(sequence uint64) error {
	for {
		err := s.Embedder_EmbedServer.Send(&pb.EmbedResponse{
			Sequence: sequence, Out: &pb.EmbedResponse_Progress{Progress: &pb.Progress{RowsDone: 1}},
		})
		if err != nil {
			return err
		}
		select {
		case <-s.Context().Done():
			return s.Context().Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// hold keeps an answer back until there is a second one to send before it.
func (s *lyingStream) hold(a *pb.EmbedResponse) error {
	s.mu.Lock()
	s.held = append(s.held, proto.CloneOf(a))
	n := len(s.held)
	s.mu.Unlock()
	if n == 2 {
		return s.flush()
	}
	time.AfterFunc(200*time.Millisecond, func() { s.flush() })
	return nil
}

// flush sends what is held, the last first.
func (s *lyingStream) flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	held := s.held
	s.held = nil
	for _, a := range slices.Backward(held) {
		if err := s.Embedder_EmbedServer.Send(a); err != nil {
			return err
		}
	}
	return nil
}

// falsify writes a fault into the answer to a batch. It works on the bytes, for
// some of the faults can't be said otherwise.
func falsify(fault string, v *pb.Vectors, row int) {
	if s := v.GetSparse(); s != nil {
		falsifySparse(fault, s, row)
		return
	}
	d := v.GetDense()
	width := 4 * int(d.GetColumns())
	at := row * width // of the row's first value
	put := func(column int, x float64) {
		binary.LittleEndian.PutUint32(d.Data[at+4*column:], math.Float32bits(float32(x)))
	}
	get := func(column int) float64 {
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(d.Data[at+4*column:])))
	}
	switch fault {
	case "short":
		d.Rows--
		d.Data = d.Data[:len(d.Data)-width]
	case "long":
		d.Rows++
		d.Data = append(d.Data, d.Data[:width]...)
	case "dimension":
		wider := make([]byte, 0, len(d.Data)+4*int(d.Rows))
		for r := range slices.Chunk(d.Data, width) {
			wider = append(append(wider, r...), 0, 0, 0, 0)
		}
		d.Columns++
		d.Data = wider
	case "nan":
		put(0, math.NaN())
	case "inf":
		put(0, math.Inf(1))
	case "norm":
		for j := range int(d.Columns) {
			put(j, 2*get(j))
		}
	case "zeros":
		clear(d.Data[at : at+width])
	case "swapped":
		if at+2*width <= len(d.Data) {
			next := slices.Clone(d.Data[at+width : at+2*width])
			copy(d.Data[at+width:], d.Data[at:at+width])
			copy(d.Data[at:], next)
		}
	case "vector-without":
		v.Statuses = append(v.Statuses, &pb.RowStatus{Row: uint32(row), Status: pb.Status_STATUS_OOV})
	case "negative":
		// The largest value, so that the row isn't all zeros but negative zero.
		largest := 0
		for j := range int(d.Columns) {
			if get(j) > get(largest) {
				largest = j
			}
		}
		put(largest, -get(largest))
	case "truncated-bytes":
		d.Data = d.Data[:len(d.Data)-3]
	case "status-row":
		v.Statuses = append(v.Statuses, &pb.RowStatus{Row: d.Rows, Status: pb.Status_STATUS_FAILED, Reason: "no such row"})
	case "status-unknown":
		v.Statuses = append(v.Statuses, &pb.RowStatus{Row: uint32(row), Status: 99})
	case "failed":
		clear(d.Data[at : at+width])
		v.Statuses = slices.DeleteFunc(v.Statuses, func(s *pb.RowStatus) bool { return s.Row == uint32(row) })
		v.Statuses = append(v.Statuses, &pb.RowStatus{Row: uint32(row), Status: pb.Status_STATUS_FAILED, Reason: "the specimen did not like it"})
	}
}

func falsifySparse(fault string, s *pb.Sparse, row int) {
	pointer := func(i int) uint32 { return binary.LittleEndian.Uint32(s.Indptr[4*i:]) }
	switch fault {
	case "sparse-order":
		// In the first row from here that has two columns.
		for i := row; i < int(s.Rows); i++ {
			if from := 4 * pointer(i); pointer(i+1)-pointer(i) >= 2 {
				pair := s.Indices[from : from+8]
				first := binary.LittleEndian.Uint32(pair)
				copy(pair, pair[4:])
				binary.LittleEndian.PutUint32(pair[4:], first)
				return
			}
		}
	case "sparse-pointer":
		binary.LittleEndian.PutUint32(s.Indptr[4*(row+1):], math.MaxUint32)
	case "sparse-column":
		if from := pointer(row); from < pointer(row+1) {
			binary.LittleEndian.PutUint32(s.Indices[4*(pointer(row+1)-1):], s.Columns)
		}
	}
}
