package main

import (
	"context"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/bertopic-go/bertopic/sdk"
)

// load configures an embedder in this goroutine.
func load(t testing.TB, options map[string]any) *model {
	t.Helper()
	needRuntime(t)
	e := &embedder{}
	checked, faults := sdk.CheckOptions(e.Describe(), options)
	if faults != nil {
		t.Fatal(faults)
	}
	if _, remarks, err := e.Configure(t.Context(), sdk.Settings{Options: checked}); err != nil || remarks.Refused() {
		t.Fatal(remarks, err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	m, err := e.loaded()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The way of a GPU, a runner beside the decoders and texts filled up to the
// longest, gives what the way of the CPU gives; here it leads to the CPU.
func TestWayOfTheGPU(t *testing.T) {
	rows := mixed(90)
	m := load(t, map[string]any{"model": emojiClip, "batch_size": 7})
	want, err := m.embed(t.Context(), rows)
	if err != nil {
		t.Fatal(err)
	}
	m.pictures.gpu, m.pictures.decoders, m.texts.padded = true, 3, true
	got, err := m.embed(t.Context(), rows)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Statuses, want.Statuses) {
		t.Errorf("%v, want %v", got.Statuses, want.Statuses)
	}
	for i := range rows {
		if s := status(want, i).Status; s != sdk.Failed && cosine(row(got, i), row(want, i)) < 0.999999 {
			t.Errorf("row %d: cosine %v", i, cosine(row(got, i), row(want, i)))
		}
	}
}

// Neither way leaves a goroutine behind, whether it ends well, is given up or
// fails.
func TestEnds(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for _, gpu := range []bool{false, true} {
		m := load(t, map[string]any{"model": emojiClip, "batch_size": 3})
		m.pictures.gpu, m.pictures.decoders = gpu, 4
		var sources []sdk.ImageSource
		for range 200 {
			sources = append(sources, source(filepath.Join(drawn, "rgb.png")))
		}
		done := func(int) {}
		if _, err := m.pictures.read(t.Context(), nil, m.dimension, done); err != nil {
			t.Error(err)
		}
		for _, after := range []time.Duration{0, time.Millisecond, 5 * time.Millisecond} {
			ctx, cancel := context.WithTimeout(t.Context(), after)
			if _, err := m.pictures.read(ctx, sources, m.dimension, done); err == nil && after == 0 {
				t.Error("a batch that was given up ended well")
			}
			cancel()
		}
		sides, err := m.pictures.read(t.Context(), sources, m.dimension, done)
		if err != nil || len(sides) != len(sources) || sides[199].vector == nil {
			t.Errorf("after that: %v", err)
		}
		if err := m.pictures.pool.Close(); err != nil {
			t.Error(err)
		}
		if _, err := m.pictures.read(t.Context(), sources, m.dimension, done); err == nil {
			t.Error("a closed tower gives vectors")
		}
	}
}

// A picture that wants more memory than there is for all goes alone, and the
// bytes come back.
func TestMemory(t *testing.T) {
	m := newMemory(2)
	n, err := m.take(t.Context(), 3*m.most)
	if err != nil || n != m.most || n != 640<<20 {
		t.Fatal(n, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := m.take(ctx, 1); err == nil {
		t.Error("more than all was given")
	}
	m.give(n)
	if n, err := m.take(t.Context(), 5); err != nil || n != 5 {
		t.Error(n, err)
	}
}
