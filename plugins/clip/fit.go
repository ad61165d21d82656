package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"

	"github.com/bertopic-go/bertopic/internal/rng"
	"github.com/bertopic-go/bertopic/sdk"
)

// centers are what Fit learns: the mean vectors of texts and of pictures. Its
// JSON is the state, told in docs/format/clip-state.md.
type centers struct {
	Format      string `json:"format"`
	Version     int    `json:"version"`
	Average     string `json:"average"`
	ModelSHA256 string `json:"model_sha256"`
	Dimension   int    `json:"dimension"`
	Texts       center `json:"texts"`
	Pictures    center `json:"pictures"`
}

// center is the mean of the vectors of a kind.
type center struct {
	Rows int       `json:"rows"` // that it was learned from
	Mean []float64 `json:"mean"` // null: there were too few
}

const (
	stateFormat  = "bertopic-embedder-clip"
	stateVersion = 1
)

const (
	// fitSample is how many rows of a kind the mean is learned from. It is then
	// nearer to that of all rows than a twentieth of their spread.
	fitSample = 512
	// fitLeast is how many there must be for a mean to say something.
	fitLeast = 20
)

// Fit learns the mean vectors of texts and pictures from rows drawn by hash.
func (e *embedder) Fit(ctx context.Context, rows iter.Seq2[sdk.Row, error]) (sdk.Info, sdk.Diagnostics, error) {
	m, err := e.loaded()
	if err != nil {
		return sdk.Info{}, nil, err
	}
	texts, pictures := newSample(m.seed, 0), newSample(m.seed, 1)
	for row, err := range rows {
		if err != nil {
			return sdk.Info{}, nil, err
		}
		if row.HasText {
			texts.add(sdk.Row{Text: row.Text, HasText: true})
		}
		if len(row.Images) > 0 {
			pictures.add(sdk.Row{Images: row.Images})
		}
	}
	c := &centers{Format: stateFormat, Version: stateVersion, Average: m.average, ModelSHA256: m.info.ModelSHA256, Dimension: m.dimension}
	var remarks sdk.Diagnostics
	for _, kind := range []struct {
		name string
		from *sample
		to   *center
	}{{"texts", texts, &c.Texts}, {"pictures", pictures, &c.Pictures}} {
		if *kind.to, err = m.mean(ctx, kind.from.rows()); err != nil {
			return sdk.Info{}, nil, err
		}
		if n := kind.to.Rows; kind.to.Mean == nil && kind.from.seen > 0 {
			remarks = append(remarks, sdk.Diagnostic{Option: "center_modalities", Summary: fmt.Sprintf(
				"center_modalities has no effect on %s: %d rows have a vector of one, and it takes %d to learn a mean from", kind.name, n, fitLeast)})
		}
	}
	e.setCenters(c)
	return m.info, remarks, nil
}

func (e *embedder) setCenters(c *centers) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.model != nil {
		fitted := *e.model
		fitted.centers = c
		e.model = &fitted
	}
}

// mean is that of the rows that have a vector.
func (m *model) mean(ctx context.Context, rows []sdk.Row) (center, error) {
	var c center
	s, err := m.read(ctx, rows)
	if err != nil {
		return c, err
	}
	plain := *m
	plain.centers = nil
	sum := make([]float64, m.dimension)
	v := make([]float32, m.dimension)
	for i := range rows {
		clear(v)
		if st := plain.join(v, s, i).Status; st != sdk.OK && st != sdk.Truncated {
			continue
		}
		c.Rows++
		for j, x := range v {
			sum[j] += float64(x)
		}
	}
	if c.Rows < fitLeast {
		return c, nil
	}
	for j := range sum {
		sum[j] /= float64(c.Rows)
	}
	c.Mean = sum
	return c, nil
}

// sample keeps the fitSample rows with the lowest hashes of their numbers.
type sample struct {
	seed, kind uint64
	seen       int
	kept       []sampled
}

type sampled struct {
	hash uint64
	at   int
	row  sdk.Row
}

func newSample(seed, kind uint64) *sample { return &sample{seed: seed, kind: kind} }

func (s *sample) add(row sdk.Row) {
	n := sampled{hash: rng.Hash2(s.seed, s.kind, uint64(s.seen)), at: s.seen, row: row}
	s.seen++
	s.kept = append(s.kept, n)
	if len(s.kept) >= 2*fitSample {
		s.cut()
	}
}

func (s *sample) cut() {
	slices.SortFunc(s.kept, func(a, b sampled) int {
		switch {
		case a.hash < b.hash:
			return -1
		case a.hash > b.hash:
			return 1
		}
		return a.at - b.at
	})
	n := min(len(s.kept), fitSample)
	clear(s.kept[n:])
	s.kept = s.kept[:n]
}

// rows are the kept ones, in the order of the corpus.
func (s *sample) rows() []sdk.Row {
	s.cut()
	slices.SortFunc(s.kept, func(a, b sampled) int { return a.at - b.at })
	out := make([]sdk.Row, len(s.kept))
	for i, k := range s.kept {
		out[i] = k.row
	}
	return out
}

// SaveState returns what Fit learned.
func (e *embedder) SaveState(context.Context) ([]byte, error) {
	m, err := e.loaded()
	if err != nil {
		return nil, err
	}
	if m.centers == nil {
		return nil, errors.New("clip has learned nothing that could be saved: fit it first")
	}
	return json.Marshal(m.centers)
}

// LoadState restores what SaveState saved, for the same model and average.
func (e *embedder) LoadState(_ context.Context, state []byte) (sdk.Info, error) {
	m, err := e.loaded()
	if err != nil {
		return sdk.Info{}, err
	}
	c, err := parseState(state)
	if err != nil {
		return sdk.Info{}, fmt.Errorf("load the state of clip: %w", err)
	}
	switch {
	case c.ModelSHA256 != m.info.ModelSHA256 || c.Dimension != m.dimension:
		return sdk.Info{}, errors.New("load the state of clip: it was saved with another model: use the model that it was fitted with, or fit anew")
	case c.Average != m.average:
		return sdk.Info{}, fmt.Errorf("load the state of clip: it was saved with average = %q, not %q: use the options that it was fitted with, or fit anew", c.Average, m.average)
	}
	e.setCenters(c)
	return m.info, nil
}

// parseState reads a state.
func parseState(state []byte) (*centers, error) {
	d := json.NewDecoder(bytes.NewReader(state))
	d.DisallowUnknownFields()
	c := &centers{}
	if err := d.Decode(c); err != nil || c.Format != stateFormat || d.More() {
		return nil, errors.New("these bytes are no such state")
	}
	if c.Version != stateVersion {
		return nil, fmt.Errorf("it has version %d of its format, and this program reads version %d: use a program of the version that wrote it", c.Version, stateVersion)
	}
	for _, k := range []center{c.Texts, c.Pictures} {
		if k.Mean == nil {
			continue
		}
		if len(k.Mean) != c.Dimension || slices.ContainsFunc(k.Mean, func(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) }) {
			return nil, fmt.Errorf("it is damaged: a mean of %d values where vectors have %d", len(k.Mean), c.Dimension)
		}
	}
	return c, nil
}
