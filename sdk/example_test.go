package sdk_test

import (
	"context"
	"fmt"

	"github.com/bertopic-go/bertopic/sdk"
)

// lengths embeds a text as its number of bytes and its number of runes.
type lengths struct{ Scale float64 }

func (*lengths) Describe() sdk.Description {
	return sdk.Description{
		Name: "lengths", Version: "0.1.0", Summary: "how long a text is", Modalities: []sdk.Modality{sdk.Text},
		Options: []sdk.Option{{Name: "scale", Type: sdk.Number, Default: 1.0, Help: "factor of both numbers"}},
	}
}

func (l *lengths) Configure(_ context.Context, s sdk.Settings) (sdk.Info, sdk.Diagnostics, error) {
	err := s.Decode(l)
	return sdk.Info{Dimension: 2, Metric: sdk.Euclidean, BatchInvariant: true}, nil, err
}

func (l *lengths) Embed(ctx context.Context, rows []sdk.Row) (sdk.Vectors, error) {
	m := &sdk.Dense{Rows: len(rows), Columns: 2}
	for i, r := range rows {
		m.Data = append(m.Data, float32(l.Scale)*float32(len(r.Text)), float32(l.Scale)*float32(len([]rune(r.Text))))
		sdk.Progress(ctx, i+1)
	}
	return sdk.Vectors{Dense: m}, ctx.Err()
}

// A main function that serves an embedder is one line.
func ExampleServe() {
	main := func() { sdk.Serve(&lengths{}) }
	_ = main // a host starts the program
}

func ExampleCheckOptions() {
	d := (&lengths{}).Describe()
	options, _ := sdk.CheckOptions(d, map[string]any{"scale": 2})
	fmt.Println(string(options["scale"]))
	options, _ = sdk.CheckOptions(d, nil)
	fmt.Println(string(options["scale"]))
	_, faults := sdk.CheckOptions(d, map[string]any{"scael": 2, "scale": "two"})
	for _, f := range faults {
		fmt.Println(f)
	}
	// Output:
	// 2
	// 1
	// option "scael": unknown; this embedder takes scale; did you mean "scale"?
	// option "scale": must be a finite number, not "two"
}
