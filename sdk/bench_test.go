package sdk

import (
	"context"
	"strings"
	"testing"

	"github.com/hashicorp/go-plugin"

	"github.com/bertopic-go/bertopic/sdk/proto"
)

// wide answers rows of 384 dimensions that it has at hand.
type wide struct{ fake }

var ready = make([]float32, 256*384)

func (*wide) Configure(context.Context, Settings) (Info, Diagnostics, error) {
	return Info{Dimension: 384, Metric: Cosine}, nil, nil
}

func (*wide) Embed(_ context.Context, rows []Row) (Vectors, error) {
	return Vectors{Dense: &Dense{Rows: len(rows), Columns: 384, Data: ready}}, nil
}

// BenchmarkEmbed is the way of a batch of 256 texts of 200 bytes to the program
// and of its 384-dimensional vectors back, two batches in flight.
func BenchmarkEmbed(b *testing.B) {
	for i := range ready {
		ready[i] = float32(i%7) - 3
	}
	s, err := NewServer(&wide{})
	if err != nil {
		b.Fatal(err)
	}
	client, _ := plugin.TestPluginGRPCConn(b, false, serverPlugins(s)[1])
	defer client.Close()
	raw, err := client.Dispense(PluginName)
	if err != nil {
		b.Fatal(err)
	}
	c := raw.(proto.EmbedderClient)
	if _, err := c.Configure(b.Context(), &proto.ConfigureRequest{}); err != nil {
		b.Fatal(err)
	}
	batch := make([]string, 256)
	for i := range batch {
		batch[i] = strings.Repeat("x", 200)
	}
	rows := texts(batch...)
	stream, err := c.Embed(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(256 * 384 * 4)
	sent := 0
	for received := range b.N {
		for ; sent < min(received+2, b.N); sent++ {
			if err := stream.Send(&proto.EmbedRequest{Sequence: uint64(sent), Rows: rows}); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := stream.Recv(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(256*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
