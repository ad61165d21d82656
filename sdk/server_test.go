package sdk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/bertopic-go/bertopic/sdk/proto"
)

// fake is an embedder that each test puts together. Its vectors are (1, length
// of the text).
type fake struct {
	info      func() Info
	options   []Option
	modes     []Modality
	configure func(Settings) (Info, Diagnostics, error)
	embed     func(context.Context, []Row) (Vectors, error)
	fit       func(iter.Seq2[Row, error]) (Info, Diagnostics, error)
	state     []byte
}

func (f *fake) Describe() Description {
	d := Description{Name: "fake", Version: "0.1.0", Summary: "a fake", Modalities: f.modes, Options: f.options}
	if d.Modalities == nil {
		d.Modalities = []Modality{Text}
	}
	return d
}

func (f *fake) Configure(_ context.Context, s Settings) (Info, Diagnostics, error) {
	if f.configure != nil {
		return f.configure(s)
	}
	if f.info != nil {
		return f.info(), nil, nil
	}
	return Info{Dimension: 2, Metric: Cosine, Words: true}, nil, nil
}

func (f *fake) Embed(ctx context.Context, rows []Row) (Vectors, error) {
	if f.embed != nil {
		return f.embed(ctx, rows)
	}
	return lengths(rows), nil
}

func lengths(rows []Row) Vectors {
	d := &Dense{Rows: len(rows), Columns: 2}
	for _, r := range rows {
		d.Data = append(d.Data, 1, float32(len(r.Text)))
	}
	return Vectors{Dense: d}
}

func (f *fake) Fit(_ context.Context, rows iter.Seq2[Row, error]) (Info, Diagnostics, error) {
	return f.fit(rows)
}
func (f *fake) SaveState(context.Context) ([]byte, error) { return f.state, nil }
func (f *fake) LoadState(_ context.Context, state []byte) (Info, error) {
	f.state = slices.Clone(state)
	return Info{Dimension: 2, Metric: Cosine, NeedsFit: true}, nil
}
func (f *fake) EmbedWords(ctx context.Context, words []string) (Vectors, error) {
	rows := make([]Row, len(words))
	for i, w := range words {
		rows[i].Text = w + w
	}
	return lengths(rows), nil
}

// connect serves f over a real socket, in this process. The first connection of
// a test looks for goroutines that were left behind, at the end.
func connect(t *testing.T, f Embedder) proto.EmbedderClient {
	t.Helper()
	if !connected[t.Name()] {
		connected[t.Name()] = true
		before := goleak.IgnoreCurrent()
		t.Cleanup(func() { goleak.VerifyNone(t, before) })
	}
	s, err := NewServer(f)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := newGRPCServer(nil, func() {})
	proto.RegisterEmbedderServer(server, s)
	go server.Serve(listener)
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(); server.Stop() })
	return proto.NewEmbedderClient(conn)
}

var connected = map[string]bool{}

func configure(t *testing.T, c proto.EmbedderClient) {
	t.Helper()
	r, err := c.Configure(t.Context(), &proto.ConfigureRequest{})
	if err != nil || r.GetInfo() == nil {
		t.Fatalf("configure: %v, %v", r, err)
	}
}

func texts(texts ...string) []*proto.Row {
	var rows []Row
	for _, s := range texts {
		rows = append(rows, Row{Text: s, HasText: true})
	}
	return RowsToProto(rows)
}

// embed sends one batch on a stream of its own.
func embed(ctx context.Context, c proto.EmbedderClient, r *proto.EmbedRequest) (Vectors, []uint32, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.Embed(ctx)
	if err != nil {
		return Vectors{}, nil, err
	}
	stream.Send(r)
	stream.CloseSend()
	var progress []uint32
	for {
		a, err := stream.Recv()
		if err != nil {
			return Vectors{}, progress, err
		}
		if a.GetSequence() != r.GetSequence() {
			return Vectors{}, progress, fmt.Errorf("sequence %d for %d", a.GetSequence(), r.GetSequence())
		}
		if a.GetProgress() != nil {
			progress = append(progress, a.GetProgress().GetRowsDone())
			continue
		}
		v, err := VectorsFromProto(a.GetVectors())
		if _, end := stream.Recv(); err == nil && end != io.EOF {
			err = fmt.Errorf("after the answer: %v", end)
		}
		return v, progress, err
	}
}

func wantStatus(t *testing.T, err error, code codes.Code, text string) {
	t.Helper()
	if status.Code(err) != code || !strings.Contains(err.Error(), text) {
		t.Errorf("got error %v, want code %v and %q in it", err, code, text)
	}
}

func TestConfigure(t *testing.T) {
	var got Settings
	f := &fake{options: everyType.Options, configure: func(s Settings) (Info, Diagnostics, error) {
		got = s
		return Info{Dimension: 2, Metric: Euclidean}, Diagnostics{{Summary: "careful", Option: "dim"}}, nil
	}}
	c := connect(t, f)
	r, err := c.Configure(t.Context(), &proto.ConfigureRequest{
		OptionsJson: []byte(`{"dim": 7}`), Seed: 3, Threads: 2, CacheDir: "c", ModelsDir: "m", BaseDir: "b",
	})
	if err != nil {
		t.Fatal(err)
	}
	if info, err := InfoFromProto(r.GetInfo()); err != nil || info != (Info{Dimension: 2, Metric: Euclidean}) {
		t.Errorf("got info %+v, %v", info, err)
	}
	if ds, err := DiagnosticsFromProto(r.GetDiagnostics()); err != nil || len(ds) != 1 || ds[0] != (Diagnostic{Summary: "careful", Option: "dim"}) {
		t.Errorf("got diagnostics %v, %v", ds, err)
	}
	if string(got.Options["dim"]) != "7" || string(got.Options["rate"]) != "0.5" || len(got.Options) != len(f.options) {
		t.Errorf("got options %s", got.Options)
	}
	if got.Seed != 3 || got.Threads != 2 || got.CacheDir != "c" || got.ModelsDir != "m" || got.BaseDir != "b" {
		t.Errorf("got settings %+v", got)
	}

	for text, want := range map[string]string{
		`{"dmi": 7}`:  `did you mean "dim"?`,
		`{"dim": ""}`: `must be an integer`,
		`[]`:          `not a JSON object`,
		`{`:           `not JSON`,
		`{} {}`:       `more than one value`,
	} {
		_, err := c.Configure(t.Context(), &proto.ConfigureRequest{OptionsJson: []byte(text)})
		wantStatus(t, err, codes.InvalidArgument, want)
	}
}

func TestConfigureFaults(t *testing.T) {
	cases := []struct {
		name string
		info Info
		ds   Diagnostics
		err  error
		code codes.Code
		want string
	}{
		{"no dimension", Info{Metric: Cosine}, nil, nil, codes.Internal, "no dimension"},
		{"no metric", Info{Dimension: 1}, nil, nil, codes.Internal, `metric ""`},
		{"error", Info{}, nil, errors.New("no such model"), codes.Unknown, "configure: no such model"},
		{"memory", Info{}, nil, fmt.Errorf("load: %w", ErrOutOfMemory), codes.ResourceExhausted, "load: out of memory"},
		{"unavailable", Info{}, nil, fmt.Errorf("ask: %w", ErrUnavailable), codes.Unavailable, "ask"},
		{"status", Info{}, nil, fmt.Errorf("x: %w", status.Error(codes.InvalidArgument, "y")), codes.InvalidArgument, "y"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			client := connect(t, &fake{configure: func(Settings) (Info, Diagnostics, error) { return c.info, c.ds, c.err }})
			_, err := client.Configure(t.Context(), &proto.ConfigureRequest{})
			wantStatus(t, err, c.code, c.want)
			_, _, err = embed(t.Context(), client, &proto.EmbedRequest{Rows: texts("a")})
			wantStatus(t, err, codes.FailedPrecondition, "has not been configured")
		})
	}
	t.Run("refused", func(t *testing.T) {
		client := connect(t, &fake{configure: func(Settings) (Info, Diagnostics, error) {
			return Info{}, Diagnostics{{Error: true, Summary: "no"}}, nil
		}})
		r, err := client.Configure(t.Context(), &proto.ConfigureRequest{})
		if err != nil || r.GetInfo() != nil || len(r.GetDiagnostics()) != 1 {
			t.Errorf("got %v, %v", r, err)
		}
		_, _, err = embed(t.Context(), client, &proto.EmbedRequest{Rows: texts("a")})
		wantStatus(t, err, codes.FailedPrecondition, "has not been configured")
	})
}

// plain hides the abilities of fake that are beyond Embedder's.
type plain struct{ Embedder }

func TestAbilities(t *testing.T) {
	for name, info := range map[string]Info{
		"no Fitter":       {Dimension: 1, Metric: Cosine, NeedsFit: true},
		"no WordEmbedder": {Dimension: 1, Metric: Cosine, Words: true},
	} {
		t.Run(name, func(t *testing.T) {
			c := connect(t, plain{&fake{info: func() Info { return info }}})
			_, err := c.Configure(t.Context(), &proto.ConfigureRequest{})
			wantStatus(t, err, codes.Internal, name)
		})
	}
	t.Run("none", func(t *testing.T) {
		c := connect(t, plain{&fake{info: func() Info { return Info{Dimension: 1, Metric: Cosine} }}})
		configure(t, c)
		_, _, err := embed(t.Context(), c, &proto.EmbedRequest{Words: true, Rows: texts("a")})
		wantStatus(t, err, codes.FailedPrecondition, "does not embed words")
		fit, _ := c.Fit(t.Context())
		_, err = fit.CloseAndRecv()
		wantStatus(t, err, codes.FailedPrecondition, "needs no fit")
		save, _ := c.SaveState(t.Context(), &proto.SaveStateRequest{})
		_, err = save.Recv()
		wantStatus(t, err, codes.FailedPrecondition, "needs no fit")
	})
}

func TestEmbedInOrder(t *testing.T) {
	c := connect(t, &fake{embed: func(_ context.Context, rows []Row) (Vectors, error) {
		if len(rows) > 3 {
			time.Sleep(20 * time.Millisecond)
		}
		return lengths(rows), nil
	}})
	configure(t, c)
	stream, err := c.Embed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const batches = 20
	for i := range batches {
		batch := make([]string, 1+(7*i)%6)
		for j := range batch {
			batch[j] = strings.Repeat("x", 1+i+j)
		}
		if err := stream.Send(&proto.EmbedRequest{Sequence: uint64(100 + i), Rows: texts(batch...)}); err != nil {
			t.Fatal(err)
		}
	}
	stream.CloseSend()
	for i := range batches {
		a, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		v, err := VectorsFromProto(a.GetVectors())
		if err != nil {
			t.Fatal(err)
		}
		if a.GetSequence() != uint64(100+i) || v.Dense.Rows != 1+(7*i)%6 || v.Dense.Data[1] != float32(1+i) {
			t.Fatalf("answer %d: sequence %d, %d rows, first value %v", i, a.GetSequence(), v.Dense.Rows, v.Dense.Data[1])
		}
	}
	if _, err := stream.Recv(); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

func TestStreamsSideBySide(t *testing.T) {
	var both sync.WaitGroup // each batch waits for the other
	both.Add(2)
	c := connect(t, &fake{embed: func(_ context.Context, rows []Row) (Vectors, error) {
		both.Done()
		both.Wait()
		return lengths(rows), nil
	}})
	configure(t, c)
	var calls sync.WaitGroup
	for range 2 {
		calls.Go(func() {
			if _, _, err := embed(t.Context(), c, &proto.EmbedRequest{Rows: texts("a")}); err != nil {
				t.Error(err)
			}
		})
	}
	calls.Wait()
}

func TestEmbedFaults(t *testing.T) {
	cases := []struct {
		name  string
		embed func(context.Context, []Row) (Vectors, error)
		code  codes.Code
		want  string
	}{
		{"panic", func(context.Context, []Row) (Vectors, error) { panic("oh") }, codes.Internal, "panic: oh"},
		{"index", func(_ context.Context, r []Row) (Vectors, error) { _ = r[len(r)]; return Vectors{}, nil }, codes.Internal, "index out of range"},
		{"goexit", func(context.Context, []Row) (Vectors, error) { runtime.Goexit(); return Vectors{}, nil }, codes.Internal, "ended its goroutine"},
		{"error", func(context.Context, []Row) (Vectors, error) { return Vectors{}, errors.New("oh") }, codes.Unknown, "embed batch 5 of 2 rows: oh"},
		{"memory", func(context.Context, []Row) (Vectors, error) { return Vectors{}, ErrOutOfMemory }, codes.ResourceExhausted, "out of memory"},
		{"short", func(_ context.Context, r []Row) (Vectors, error) { return lengths(r[1:]), nil }, codes.Internal, "broke a promise: 1 rows for a batch of 2"},
		{"nothing", func(context.Context, []Row) (Vectors, error) { return Vectors{}, nil }, codes.Internal, "neither a dense nor a sparse"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := &fake{embed: c.embed}
			client := connect(t, f)
			configure(t, client)
			_, _, err := embed(t.Context(), client, &proto.EmbedRequest{Sequence: 5, Rows: texts("a", "b")})
			wantStatus(t, err, c.code, c.want)
			f.embed = nil
			if _, _, err := embed(t.Context(), client, &proto.EmbedRequest{Rows: texts("a")}); err != nil {
				t.Errorf("the next batch: %v", err)
			}
		})
	}
}

func TestRefusedRows(t *testing.T) {
	rows := []*proto.Row{
		{},
		texts("one")[0],
		{Images: []*proto.Image{{Source: &proto.Image_Path{Path: "/p"}}}},
		texts("three")[0],
		{},
	}
	statuses := []RowStatus{
		{Row: 0, Status: Empty},
		{Row: 2, Status: Failed, Reason: "holds image, which embedder fake does not take"},
		{Row: 4, Status: Empty},
		{Row: 3, Status: Truncated, TokensLost: 2},
	}
	t.Run("dense", func(t *testing.T) {
		c := connect(t, &fake{embed: func(_ context.Context, rows []Row) (Vectors, error) {
			v := lengths(rows)
			v.Statuses = []RowStatus{{Row: 1, Status: Truncated, TokensLost: 2}}
			return v, nil
		}})
		configure(t, c)
		v, _, err := embed(t.Context(), c, &proto.EmbedRequest{Rows: rows})
		if err != nil {
			t.Fatal(err)
		}
		if want := []float32{0, 0, 1, 3, 0, 0, 1, 5, 0, 0}; !slices.Equal(v.Dense.Data, want) {
			t.Errorf("got %v, want %v", v.Dense.Data, want)
		}
		if !slices.Equal(v.Statuses, statuses) {
			t.Errorf("got statuses %v, want %v", v.Statuses, statuses)
		}
		v, _, err = embed(t.Context(), c, &proto.EmbedRequest{Rows: rows[:1]})
		if err != nil || !slices.Equal(v.Dense.Data, []float32{0, 0}) {
			t.Errorf("only an empty row: %v, %v", v.Dense, err)
		}
		v, _, err = embed(t.Context(), c, &proto.EmbedRequest{})
		if err != nil || v.Dense.Rows != 0 || v.Dense.Columns != 2 {
			t.Errorf("no rows: %v, %v", v.Dense, err)
		}
	})
	t.Run("sparse", func(t *testing.T) {
		info := Info{Dimension: 9, Metric: Cosine, Sparse: true}
		c := connect(t, &fake{info: func() Info { return info }, embed: func(_ context.Context, rows []Row) (Vectors, error) {
			return Vectors{Sparse: &Sparse{Rows: 2, Columns: 9, Indptr: []uint32{0, 1, 3}, Indices: []uint32{8, 0, 7}, Data: []float32{1, 2, 3}}}, nil
		}})
		configure(t, c)
		v, _, err := embed(t.Context(), c, &proto.EmbedRequest{Rows: rows})
		if err != nil {
			t.Fatal(err)
		}
		if want := []uint32{0, 0, 1, 1, 3, 3}; !slices.Equal(v.Sparse.Indptr, want) {
			t.Errorf("got row pointers %v, want %v", v.Sparse.Indptr, want)
		}
		if err := v.Check(5, info); err != nil {
			t.Error(err)
		}
	})
	t.Run("pictures", func(t *testing.T) {
		c := connect(t, &fake{modes: []Modality{Image}})
		configure(t, c)
		v, _, err := embed(t.Context(), c, &proto.EmbedRequest{Rows: append(rows, &proto.Row{Images: []*proto.Image{{}}})})
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, s := range v.Statuses {
			got = append(got, s.Row)
		}
		if want := []int{0, 1, 3, 4, 5}; !slices.Equal(got, want) {
			t.Errorf("got statuses of rows %v, want %v", got, want)
		}
	})
}

func TestWords(t *testing.T) {
	c := connect(t, &fake{})
	configure(t, c)
	v, _, err := embed(t.Context(), c, &proto.EmbedRequest{Words: true, Rows: texts("ab", "c")})
	if err != nil || !slices.Equal(v.Dense.Data, []float32{1, 4, 1, 2}) {
		t.Errorf("got %v, %v", v.Dense, err)
	}
	_, _, err = embed(t.Context(), c, &proto.EmbedRequest{Words: true, Rows: []*proto.Row{{}}})
	wantStatus(t, err, codes.InvalidArgument, "not just text")
}

func TestProgress(t *testing.T) {
	c := connect(t, &fake{embed: func(ctx context.Context, rows []Row) (Vectors, error) {
		Progress(ctx, 1) // too soon after the start
		for _, done := range []int{2, 2, 1, 3} {
			time.Sleep(110 * time.Millisecond)
			Progress(ctx, done)
			Progress(ctx, done+1) // too soon after the last
		}
		go func() { time.Sleep(time.Millisecond); Progress(ctx, 9) }() // too late
		return lengths(rows), nil
	}})
	configure(t, c)
	_, progress, err := embed(t.Context(), c, &proto.EmbedRequest{Sequence: 3, Rows: texts("a", "b", "c")})
	if want := []uint32{2, 3, 4}; err != nil || !slices.Equal(progress, want) {
		t.Errorf("got progress %v, %v, want %v", progress, err, want)
	}
	Progress(t.Context(), 1)
}

func TestCancel(t *testing.T) {
	release := make(chan struct{})
	started := make(chan struct{}, 1)
	var done sync.WaitGroup
	done.Add(1)
	f := &fake{embed: func(ctx context.Context, rows []Row) (Vectors, error) {
		started <- struct{}{}
		<-release // heeds no cancellation
		done.Done()
		return lengths(rows), nil
	}}
	s, err := newServer(f)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Configure(t.Context(), &proto.ConfigureRequest{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-started; cancel() }()
	begin := time.Now()
	_, err = s.batch(ctx, &proto.EmbedRequest{Rows: texts("a")})
	wantStatus(t, err, codes.Canceled, "canceled")
	if took := time.Since(begin); took > time.Second {
		t.Errorf("took %v", took)
	}

	// What still runs holds its turn: Configure waits for it, under its own
	// context.
	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = s.Configure(ctx, &proto.ConfigureRequest{})
	wantStatus(t, err, codes.DeadlineExceeded, "configure")
	close(release)
	done.Wait()
	if _, err := s.Configure(t.Context(), &proto.ConfigureRequest{}); err != nil {
		t.Error(err)
	}
}

func TestFitAndState(t *testing.T) {
	needsFit := func() Info { return Info{Metric: Cosine, NeedsFit: true} }
	var seen []string
	f := &fake{info: needsFit, fit: func(rows iter.Seq2[Row, error]) (Info, Diagnostics, error) {
		seen = nil
		for r, err := range rows {
			if err != nil {
				return Info{}, nil, err
			}
			seen = append(seen, r.Text)
		}
		for _, err := range rows {
			if err == nil {
				return Info{}, nil, errors.New("the rows came twice")
			}
		}
		return Info{Dimension: 2, Metric: Cosine, NeedsFit: true}, Diagnostics{{Summary: "few rows"}}, nil
	}, state: []byte(strings.Repeat("state", 1<<20))}
	c := connect(t, f)
	configure(t, c)
	_, _, err := embed(t.Context(), c, &proto.EmbedRequest{Rows: texts("a")})
	wantStatus(t, err, codes.FailedPrecondition, "neither fitted nor given a state")
	save, _ := c.SaveState(t.Context(), &proto.SaveStateRequest{})
	_, err = save.Recv()
	wantStatus(t, err, codes.FailedPrecondition, "neither fitted")

	fit, err := c.Fit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	fit.Send(&proto.FitRequest{Rows: append(texts("a", ""), &proto.Row{})})
	fit.Send(&proto.FitRequest{Rows: texts("b")})
	r, err := fit.CloseAndRecv()
	if err != nil || r.GetInfo().GetDimension() != 2 || !r.GetInfo().GetNeedsFit() || len(r.GetDiagnostics()) != 1 {
		t.Fatalf("fit: %v, %v", r, err)
	}
	if !slices.Equal(seen, []string{"a", "", "b"}) {
		t.Errorf("fit saw %q", seen)
	}
	if _, _, err := embed(t.Context(), c, &proto.EmbedRequest{Rows: texts("a")}); err != nil {
		t.Error(err)
	}

	save, err = c.SaveState(t.Context(), &proto.SaveStateRequest{})
	if err != nil {
		t.Fatal(err)
	}
	g := &fake{info: needsFit}
	other := connect(t, g)
	configure(t, other)
	load, err := other.LoadState(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for {
		chunk, err := save.Recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(chunk.GetData()) > 4<<20 {
			t.Fatalf("a chunk of %d bytes", len(chunk.GetData()))
		}
		load.Send(chunk)
	}
	if l, err := load.CloseAndRecv(); err != nil || l.GetInfo().GetDimension() != 2 {
		t.Fatalf("load: %v, %v", l, err)
	}
	if !slices.Equal(g.state, f.state) {
		t.Errorf("the state changed on its way: %d bytes of %d", len(g.state), len(f.state))
	}
	if _, _, err := embed(t.Context(), other, &proto.EmbedRequest{Rows: texts("a")}); err != nil {
		t.Error(err)
	}

	// Configure starts anew.
	configure(t, other)
	_, _, err = embed(t.Context(), other, &proto.EmbedRequest{Rows: texts("a")})
	wantStatus(t, err, codes.FailedPrecondition, "neither fitted")
}

func TestFitFaults(t *testing.T) {
	var answer Info
	var failure error
	f := &fake{
		info: func() Info { return Info{Metric: Cosine, NeedsFit: true} },
		fit:  func(iter.Seq2[Row, error]) (Info, Diagnostics, error) { return answer, nil, failure },
	}
	c := connect(t, f)
	fit := func() error {
		s, err := c.Fit(t.Context())
		if err == nil {
			_, err = s.CloseAndRecv()
		}
		return err
	}
	wantStatus(t, fit(), codes.FailedPrecondition, "has not been configured")
	configure(t, c)
	answer = Info{Metric: Cosine, NeedsFit: true}
	wantStatus(t, fit(), codes.Internal, "no dimension, though it has been fitted")
	failure = errors.New("no words")
	wantStatus(t, fit(), codes.Unknown, "fit: no words")
	f.fit = func(iter.Seq2[Row, error]) (Info, Diagnostics, error) { panic("oh") }
	wantStatus(t, fit(), codes.Internal, "panic: oh")
}

func TestNewServer(t *testing.T) {
	if _, err := NewServer(&fake{modes: []Modality{"smell"}}); err == nil || !strings.Contains(err.Error(), `modality "smell"`) {
		t.Errorf("a wrong description: got error %v", err)
	}
	if _, err := NewServer(plain{}); err == nil || !strings.Contains(err.Error(), "describe: ") {
		t.Errorf("a description that panics: got error %v", err)
	}
}

func TestDescribe(t *testing.T) {
	f := &fake{options: everyType.Options}
	c := connect(t, f)
	r, err := c.Describe(t.Context(), &proto.DescribeRequest{})
	if err != nil {
		t.Fatal(err)
	}
	d, err := DescriptionFromProto(r)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := json.Marshal(d)
	want, _ := json.Marshal(f.Describe())
	if string(got) != string(want) {
		t.Errorf("got %s\nwant %s", got, want)
	}
}
