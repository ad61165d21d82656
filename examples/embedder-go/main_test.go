package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/bertopic-go/bertopic/sdk"
	"github.com/bertopic-go/bertopic/sdk/sdktest"
)

var _ sdk.Embedder = (*hashing)(nil)

func TestHashing(t *testing.T) {
	e := sdktest.Start(t, &hashing{})
	e.Configure(map[string]any{"dimension": 64})
	// The answer has been held to what the embedder promises: shape, unit
	// length, finite values, zeros where there is no vector.
	v := e.Embed(sdktest.Texts("the cat sat", "THE CAT SAT", "a dog ran off", "", "ab")...)

	row := func(i int) []float32 { return v.Dense.Data[i*64 : (i+1)*64] }
	if !slices.Equal(row(0), row(1)) {
		t.Error("upper case changes the vector")
	}
	if slices.Equal(row(0), row(2)) {
		t.Error("two texts have the same vector")
	}
	want := []sdk.RowStatus{{Row: 3, Status: sdk.Empty}, {Row: 4, Status: sdk.Empty}}
	if !slices.Equal(v.Statuses, want) {
		t.Errorf("statuses: got %v, want %v", v.Statuses, want)
	}
	alone := e.Embed(sdktest.Texts("a dog ran off")...)
	if !slices.Equal(alone.Dense.Data, row(2)) {
		t.Error("a row's vector depends on its neighbours")
	}
}

func TestOptions(t *testing.T) {
	e := sdktest.Start(t, &hashing{})
	if _, err := e.TryConfigure(map[string]any{"dimensions": 64}); err == nil || !strings.Contains(err.Error(), `did you mean "dimension"?`) {
		t.Errorf("a misspelt option: got error %v", err)
	}
	remarks, err := e.TryConfigure(map[string]any{"n": 0})
	if err == nil || !remarks.Refused() {
		t.Errorf("n = 0: got remarks %v and error %v, want it refused", remarks, err)
	}
}
