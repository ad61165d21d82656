package sdktest_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/bertopic-go/bertopic/sdk"
	"github.com/bertopic-go/bertopic/sdk/sdktest"
)

// mean embeds a text as its length less the corpus's mean length.
type mean struct {
	mean   float32
	closed bool
}

var (
	_ sdk.Fitter       = (*mean)(nil)
	_ sdk.WordEmbedder = (*mean)(nil)
	_ sdk.Closer       = (*mean)(nil)
)

func (*mean) Describe() sdk.Description {
	return sdk.Description{
		Name: "mean", Version: "0.1.0", Summary: "centred lengths", Modalities: []sdk.Modality{sdk.Text},
		Options: []sdk.Option{{Name: "refuse", Type: sdk.Boolean, Default: false, Help: "refuse"}},
	}
}

func (m *mean) Configure(_ context.Context, s sdk.Settings) (sdk.Info, sdk.Diagnostics, error) {
	if string(s.Options["refuse"]) == "true" {
		return sdk.Info{}, sdk.Diagnostics{{Error: true, Summary: "as asked"}}, nil
	}
	return m.info(0), nil, nil
}

func (*mean) info(dimension int) sdk.Info {
	return sdk.Info{Dimension: dimension, Metric: sdk.Euclidean, NeedsFit: true, Words: true}
}

func (m *mean) Fit(_ context.Context, rows iter.Seq2[sdk.Row, error]) (sdk.Info, sdk.Diagnostics, error) {
	n := float32(0)
	for r, err := range rows {
		if err != nil {
			return sdk.Info{}, nil, err
		}
		n++
		m.mean += (float32(len(r.Text)) - m.mean) / n
	}
	return m.info(1), nil, nil
}

func (m *mean) SaveState(context.Context) ([]byte, error) { return fmt.Append(nil, m.mean), nil }

func (m *mean) LoadState(_ context.Context, state []byte) (sdk.Info, error) {
	_, err := fmt.Sscan(string(state), &m.mean)
	return m.info(1), err
}

func (m *mean) Embed(_ context.Context, rows []sdk.Row) (sdk.Vectors, error) {
	v := sdk.Vectors{Dense: &sdk.Dense{Rows: len(rows), Columns: 1}}
	for _, r := range rows {
		if r.Text == "fail" {
			return sdk.Vectors{}, errors.New("as asked")
		}
		v.Dense.Data = append(v.Dense.Data, float32(len(r.Text))-m.mean)
	}
	return v, nil
}

func (m *mean) EmbedWords(ctx context.Context, words []string) (sdk.Vectors, error) {
	return m.Embed(ctx, sdktest.Texts(words...))
}

func (m *mean) Close() error { m.closed = true; return nil }

func TestProgram(t *testing.T) {
	defer goleak.VerifyNone(t)
	m := &mean{}
	t.Run("", func(t *testing.T) {
		e := sdktest.Start(t, m)
		if _, err := e.TryConfigure(map[string]any{"refuse": true}); err == nil || !strings.Contains(err.Error(), "as asked") {
			t.Errorf("refused: got error %v", err)
		}
		e.Configure(nil)
		var corpus []sdk.Row
		for i := range 301 {
			corpus = append(corpus, sdktest.Texts(strings.Repeat("x", i))...)
		}
		e.Fit(corpus...)
		if e.Info.Dimension != 1 {
			t.Errorf("after Fit: got %+v", e.Info)
		}
		if v := e.Embed(sdktest.Texts("abc", "")...); !slices.Equal(v.Dense.Data, []float32{-147, -150}) {
			t.Errorf("got %v", v.Dense.Data)
		}
		if v := e.EmbedWords("ab"); !slices.Equal(v.Dense.Data, []float32{-148}) {
			t.Errorf("words: got %v", v.Dense.Data)
		}
		if _, err := e.TryEmbed(t.Context(), sdktest.Texts("fail")...); err == nil || !strings.Contains(err.Error(), "as asked") {
			t.Errorf("got error %v", err)
		}

		other := sdktest.Start(t, &mean{})
		other.Configure(nil)
		other.LoadState(e.State())
		if v := other.Embed(sdktest.Texts("abc")...); !slices.Equal(v.Dense.Data, []float32{-147}) {
			t.Errorf("after LoadState: got %v", v.Dense.Data)
		}
	})
	if !m.closed {
		t.Error("not closed")
	}
}
