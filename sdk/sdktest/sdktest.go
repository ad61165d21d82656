// Package sdktest runs an embedder in a unit test as the host would see it:
// through the protocol, over a real connection, with all of Serve's checks, but
// in the test's own process.
//
//	func TestEmbed(t *testing.T) {
//		e := sdktest.Start(t, &hashing{})
//		e.Configure(map[string]any{"dimension": 64})
//		v := e.Embed(sdktest.Texts("one", "two", "")...)
//		...
//	}
//
// What fails ends the test; the methods with Try in their names return the error
// instead.
package sdktest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"slices"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/bertopic-go/bertopic/sdk"
	"github.com/bertopic-go/bertopic/sdk/proto"
)

// Program is an embedder at the other end of a connection.
type Program struct {
	// Client is the connection itself, for what the methods don't offer.
	Client proto.EmbedderClient
	// Info is what the embedder last promised.
	Info sdk.Info
	t    testing.TB
}

// Start serves e until the test ends.
func Start(t testing.TB, e sdk.Embedder) *Program {
	t.Helper()
	s, err := sdk.NewServer(e)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(64 << 20))
	proto.RegisterEmbedderServer(server, s)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	conn, err := grpc.NewClient(listener.Addr().String(),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		server.Stop()
		<-ended
		if c, ok := e.(sdk.Closer); ok {
			if err := c.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		}
	})
	return &Program{Client: proto.NewEmbedderClient(conn), t: t}
}

// Texts makes a row of each text.
func Texts(texts ...string) []sdk.Row {
	rows := make([]sdk.Row, len(texts))
	for i, s := range texts {
		rows[i] = sdk.Row{Text: s, HasText: true}
	}
	return rows
}

// Configure sends options, with the seed 42, and returns the remarks.
func (p *Program) Configure(options map[string]any) sdk.Diagnostics {
	p.t.Helper()
	remarks, err := p.TryConfigure(options)
	if err != nil {
		p.t.Fatal(err)
	}
	return remarks
}

// TryConfigure is Configure with an error where the options are refused.
func (p *Program) TryConfigure(options map[string]any) (sdk.Diagnostics, error) {
	text, err := json.Marshal(options)
	if err != nil {
		return nil, err
	}
	r, err := p.Client.Configure(p.t.Context(), &proto.ConfigureRequest{OptionsJson: text, Seed: 42})
	if err != nil {
		return nil, err
	}
	remarks, err := sdk.DiagnosticsFromProto(r.GetDiagnostics())
	if err != nil {
		return nil, err
	}
	if remarks.Refused() {
		return remarks, fmt.Errorf("configure: refused: %+v", remarks)
	}
	p.Info, err = sdk.InfoFromProto(r.GetInfo())
	return remarks, err
}

// Fit sends rows, in requests of 100.
func (p *Program) Fit(rows ...sdk.Row) {
	p.t.Helper()
	stream, err := p.Client.Fit(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	for part := range slices.Chunk(rows, 100) {
		if stream.Send(&proto.FitRequest{Rows: sdk.RowsToProto(part)}) != nil {
			break // CloseAndRecv tells why
		}
	}
	r, err := stream.CloseAndRecv()
	if err != nil {
		p.t.Fatal(err)
	}
	if p.Info, err = sdk.InfoFromProto(r.GetInfo()); err != nil {
		p.t.Fatalf("fit: %v: %v", err, r.GetDiagnostics())
	}
}

// State is what the embedder learned from Fit.
func (p *Program) State() []byte {
	p.t.Helper()
	stream, err := p.Client.SaveState(p.t.Context(), &proto.SaveStateRequest{})
	if err != nil {
		p.t.Fatal(err)
	}
	var state []byte
	for {
		c, err := stream.Recv()
		if err == io.EOF {
			return state
		}
		if err != nil {
			p.t.Fatal(err)
		}
		state = append(state, c.GetData()...)
	}
}

// LoadState gives the embedder what State returned.
func (p *Program) LoadState(state []byte) {
	p.t.Helper()
	stream, err := p.Client.LoadState(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	for part := range slices.Chunk(state, 1<<20) {
		if stream.Send(&proto.StateChunk{Data: part}) != nil {
			break
		}
	}
	r, err := stream.CloseAndRecv()
	if err != nil {
		p.t.Fatal(err)
	}
	if p.Info, err = sdk.InfoFromProto(r.GetInfo()); err != nil {
		p.t.Fatal(err)
	}
}

// Embed sends rows as one batch.
func (p *Program) Embed(rows ...sdk.Row) sdk.Vectors {
	p.t.Helper()
	v, err := p.TryEmbed(p.t.Context(), rows...)
	if err != nil {
		p.t.Fatal(err)
	}
	return v
}

// TryEmbed is Embed with an error, under a context of one's own.
func (p *Program) TryEmbed(ctx context.Context, rows ...sdk.Row) (sdk.Vectors, error) {
	return p.batch(ctx, &proto.EmbedRequest{Rows: sdk.RowsToProto(rows)})
}

// EmbedWords sends words as one batch.
func (p *Program) EmbedWords(words ...string) sdk.Vectors {
	p.t.Helper()
	v, err := p.batch(p.t.Context(), &proto.EmbedRequest{Rows: sdk.RowsToProto(Texts(words...)), Words: true})
	if err != nil {
		p.t.Fatal(err)
	}
	return v
}

func (p *Program) batch(ctx context.Context, r *proto.EmbedRequest) (sdk.Vectors, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := p.Client.Embed(ctx)
	if err != nil {
		return sdk.Vectors{}, err
	}
	if err := stream.Send(r); err != nil && err != io.EOF {
		return sdk.Vectors{}, err
	}
	if err := stream.CloseSend(); err != nil {
		return sdk.Vectors{}, err
	}
	for {
		a, err := stream.Recv()
		if err == io.EOF {
			return sdk.Vectors{}, fmt.Errorf("embed: the stream ended without an answer")
		}
		if err != nil {
			return sdk.Vectors{}, err
		}
		if a.GetProgress() != nil {
			continue
		}
		v, err := sdk.VectorsFromProto(a.GetVectors())
		if err != nil {
			return v, err
		}
		return v, v.Check(len(r.GetRows()), p.Info)
	}
}
