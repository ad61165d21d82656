package session

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/bertopic-go/bertopic/internal/encoder"
	"github.com/bertopic-go/bertopic/internal/ortlib"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var cpu = Device{Kind: CPU}

// emoji is the small CLIP of the examples: pictures of 64 x 64, vectors of 64.
var emoji = filepath.Join("..", "..", "examples", "mixed", "emoji-clip")

const edge = 64

func needRuntime(t testing.TB) {
	t.Helper()
	if _, err := ortlib.Path(); err != nil {
		t.Skip(err)
	}
}

// vision is the picture tower, kept in dir; built counts how often it is made.
func vision(dir string, built *int) Source {
	return Source{Dir: dir, Key: "vision", Build: func(ctx context.Context) (*encoder.Model, error) {
		*built++
		c, err := encoder.BuildCLIP(ctx, encoder.CLIPSpec{Dir: emoji, Only: encoder.VisionTower})
		if err != nil {
			return nil, err
		}
		return c.Vision, nil
	}}
}

func load(t testing.TB, from Source, threads int) *Pool {
	t.Helper()
	p, err := Load(t.Context(), from, cpu, threads)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// pictures are n pictures of waves.
func pictures(n int) []float32 {
	v := make([]float32, n*3*edge*edge)
	for i := range v {
		v[i] = float32(math.Sin(float64(i) / 70))
	}
	return v
}

func see(t testing.TB, p *Pool, pixels []float32) []float32 {
	t.Helper()
	n := len(pixels) / (3 * edge * edge)
	out := make([]float32, n*p.Graph().Dimension)
	if err := p.Run(t.Context(), []Tensor{Floats(pixels, n, 3, edge, edge)}, out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestParseDevice(t *testing.T) {
	for s, want := range map[string]Device{"auto": {Auto, 0}, "cpu": {CPU, 0}, "cuda": {CUDA, 0}, "cuda:12": {CUDA, 12}} {
		got, err := ParseDevice(s)
		if err != nil || got != want {
			t.Errorf("%s: %+v %v", s, got, err)
		}
		if name := got.String(); name != s && name != s+":0" {
			t.Errorf("%s is called %s", s, name)
		}
	}
	for _, s := range []string{"", "gpu", "cuda:", "cuda:-1", "cuda:1234", "cpu:0", "CPU", " cpu"} {
		if _, err := ParseDevice(s); err == nil || !strings.Contains(err.Error(), "auto, cpu, cuda or cuda:N") {
			t.Errorf("%q: %v", s, err)
		}
	}
}

// Auto goes on with the CPU where the GPU can't be used, and says why; a GPU
// that is wanted by name does not.
func TestPlace(t *testing.T) {
	needRuntime(t)
	there := filepath.Join(t.TempDir(), "there")
	if err := os.WriteFile(there, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	broken, poor := errors.New("no GPU"), errors.New("no CPU")
	for _, c := range []struct {
		name      string
		want      Device
		driver    string
		gpu, cpu  error // of opening there
		on        Device
		noGPU     error
		err       error
		attempted int
	}{
		{"cpu", cpu, there, nil, nil, cpu, nil, nil, 1},
		{"auto without a GPU", Device{Kind: Auto}, there + "not", nil, nil, cpu, nil, nil, 1},
		{"auto with a GPU", Device{Kind: Auto}, there, nil, nil, Device{CUDA, 0}, nil, nil, 1},
		{"auto with a GPU that fails", Device{Kind: Auto}, there, broken, nil, cpu, broken, nil, 2},
		{"auto where both fail", Device{Kind: Auto}, there, broken, poor, cpu, broken, poor, 2},
		{"GPU by name", Device{CUDA, 3}, there + "not", nil, nil, Device{CUDA, 3}, nil, nil, 1},
		{"GPU by name that fails", Device{CUDA, 3}, there, broken, nil, Device{CUDA, 3}, nil, broken, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := driver
			driver = c.driver
			defer func() { driver = before }()
			t.Setenv("CUDA_VISIBLE_DEVICES", "0")
			n := 0
			got, on, noGPU, err := Place(c.want, func(on Device) (string, error) {
				n++
				if on.GPU() {
					return on.String(), c.gpu
				}
				return on.String(), c.cpu
			})
			if on != c.on || noGPU != c.noGPU || err != c.err || n != c.attempted || err == nil && got != on.String() {
				t.Errorf("%q on %v, %v, %v, after %d attempts", got, on, noGPU, err, n)
			}
		})
	}
}

// A graph is made once, whoever comes later takes it from the folder, and one
// that is damaged there is made again.
func TestKeptGraph(t *testing.T) {
	needRuntime(t)
	dir := filepath.Join(t.TempDir(), "graphs")
	built := 0
	pixels := pictures(2)
	want := see(t, load(t, vision("", &built), 1), pixels)
	spoil := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name  string
		spoil func()
		built int
	}{
		{"new", func() {}, 1},
		{"kept", func() {}, 0},
		{"description is cut", func() { spoil("vision.json", `{"arch":`) }, 1},
		{"description of nothing", func() { spoil("vision.json", `{}`) }, 1},
		{"nodes are none", func() { spoil("vision.onnx", "not ONNX") }, 1},
		{"weights are cut", func() { spoil("vision.weights", "short") }, 1},
		{"weights are gone", func() {
			if err := os.Remove(filepath.Join(dir, "vision.weights")); err != nil {
				t.Fatal(err)
			}
		}, 1},
	} {
		c.spoil()
		built = 0
		p := load(t, vision(dir, &built), 1)
		if built != c.built {
			t.Errorf("%s: made %d times, want %d", c.name, built, c.built)
		}
		if !slices.Equal(see(t, p, pixels), want) {
			t.Errorf("%s: other vectors", c.name)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}

// An error of Build comes back as it is; a graph that ONNX Runtime refuses is
// not made for ever.
func TestLoadFails(t *testing.T) {
	needRuntime(t)
	mine := errors.New("mine")
	_, err := Load(t.Context(), Source{Build: func(context.Context) (*encoder.Model, error) { return nil, mine }}, cpu, 1)
	if err != mine {
		t.Errorf("%v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	built := 0
	if _, err := Load(t.Context(), vision(filepath.Join(file, "graphs"), &built), cpu, 1); err == nil || !strings.Contains(err.Error(), "keep the graph") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat("/dev/nvidiactl"); err != nil {
		built = 0
		_, err := Load(t.Context(), vision("", &built), Device{CUDA, 1}, 1)
		if err == nil || !strings.Contains(err.Error(), "cuda:1") || !strings.Contains(err.Error(), ortlib.EnvVar) || built != 0 {
			t.Errorf("a GPU that is not there: %v, made %d times", err, built)
		}
	}
}

// Runs at once give the bits of a run alone, and leave the caller's pictures as
// they are, to be used again.
func TestRunsAtOnce(t *testing.T) {
	needRuntime(t)
	built := 0
	p := load(t, vision("", &built), 3)
	const n = 24
	pixels, d := pictures(n), p.Graph().Dimension
	want := see(t, p, pixels)
	if p.Threads() != 3 || p.Graph().Inputs[0] != encoder.PixelValues || d != 64 {
		t.Errorf("%d threads, %+v", p.Threads(), p.Graph())
	}
	got := make([]float32, n*d)
	err := p.Each(t.Context(), n/2, func(i int) error {
		part := pixels[i*2*3*edge*edge : (i+1)*2*3*edge*edge]
		return p.Run(t.Context(), []Tensor{Floats(part, 2, 3, edge, edge)}, got[i*2*d:(i+1)*2*d])
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Error("pictures by two have other bits than all at once")
	}
	if !slices.Equal(pixels, pictures(n)) {
		t.Error("the pictures have been changed")
	}
}

func TestEach(t *testing.T) {
	p := &Pool{threads: 4}
	var ran [100]atomic.Int32
	if err := p.Each(t.Context(), len(ran), func(i int) error { ran[i].Add(1); return nil }); err != nil {
		t.Fatal(err)
	}
	for i := range ran {
		if n := ran[i].Load(); n != 1 {
			t.Errorf("%d ran %d times", i, n)
		}
	}
	mine := errors.New("mine")
	var n atomic.Int32
	if err := p.Each(t.Context(), 1000, func(i int) error { n.Add(1); return mine }); err != mine || n.Load() > 4 {
		t.Errorf("%v after %d runs", err, n.Load())
	}
	ctx, cancel := context.WithCancel(t.Context())
	n.Store(0)
	err := p.Each(ctx, 1000, func(i int) error { n.Add(1); cancel(); return nil })
	if !errors.Is(err, context.Canceled) || n.Load() > 4 {
		t.Errorf("cancelled: %v after %d runs", err, n.Load())
	}
	if err := p.Each(t.Context(), 0, nil); err != nil {
		t.Errorf("none: %v", err)
	}
}

func TestRunRefuses(t *testing.T) {
	needRuntime(t)
	built := 0
	p := load(t, vision("", &built), 1)
	one, out := pictures(1), make([]float32, 64)
	good := []Tensor{Floats(one, 1, 3, edge, edge)}
	for name, c := range map[string]struct {
		in  []Tensor
		out []float32
	}{
		"no input":      {nil, out},
		"no room":       {good, nil},
		"half a vector": {good, out[:32]},
		"two rows":      {good, make([]float32, 128)},
		"few pixels":    {[]Tensor{Floats(one[:100], 1, 3, edge, edge)}, out},
		"other size":    {[]Tensor{Floats(one, 1, 3, edge/2, edge*2)}, out},
		"other type":    {[]Tensor{Ints(make([]int64, 3*edge*edge), 1, 3, edge, edge)}, out},
		"no pixels":     {[]Tensor{Floats([]float32{}, 0, 3, edge, edge)}, out},
	} {
		if err := p.Run(t.Context(), c.in, c.out); err == nil {
			t.Errorf("%s is not refused", name)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Run(ctx, good, out); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := p.Run(t.Context(), good, out); err != nil {
		t.Errorf("after the refusals: %v", err)
	}
	if err := errors.Join(p.Close(), p.Close()); err != nil {
		t.Error(err)
	}
	if err := p.Run(t.Context(), good, out); err == nil || !strings.Contains(err.Error(), "put away") {
		t.Errorf("after Close: %v", err)
	}
}

func TestOutOfMemory(t *testing.T) {
	for text, want := range map[string]bool{
		"Failed to allocate memory for requested buffer of size 12": true,
		"CUDA failure 2: out of memory":                             true,
		"Invalid input name":                                        false,
	} {
		if OutOfMemory(errors.New(text)) != want {
			t.Errorf("%s: %t", text, !want)
		}
	}
	if OutOfMemory(nil) {
		t.Error("no error is one")
	}
}
