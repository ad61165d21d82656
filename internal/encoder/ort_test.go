package encoder

import (
	"compress/gzip"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/bertopic-go/bertopic/internal/ortlib"
	ort "github.com/yalue/onnxruntime_go"
)

var startRuntime = sync.OnceValue(func() error {
	path, err := ortlib.Path()
	if err != nil {
		return err
	}
	ort.SetSharedLibraryPath(path)
	return ort.InitializeEnvironment()
})

// needRuntime skips a test where ONNX Runtime is not installed.
func needRuntime(t testing.TB) {
	t.Helper()
	installed, err := ortlib.Installed()
	if os.Getenv(ortlib.EnvVar) == "" && (err != nil || !exists(installed)) {
		t.Skip("ONNX Runtime is not installed: make setup installs it")
	}
	if err := startRuntime(); err != nil {
		t.Fatal(err)
	}
}

// session runs a model.
type session struct {
	m *Model
	s *ort.DynamicAdvancedSession
}

func open(t testing.TB, m *Model, threads int) *session {
	t.Helper()
	b, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	opt, err := ort.NewSessionOptions()
	if err != nil {
		t.Fatal(err)
	}
	defer opt.Destroy()
	opt.SetIntraOpNumThreads(threads)
	opt.SetInterOpNumThreads(1)
	opt.SetLogSeverityLevel(ort.LoggingLevelError)
	if m.ExternalDir != "" {
		opt.AddSessionConfigEntry("session.model_external_initializers_file_folder_path", m.ExternalDir)
	}
	s, err := ort.NewDynamicAdvancedSessionWithONNXData(b, m.InputNames, []string{m.OutputName}, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Destroy() })
	return &session{m, s}
}

// run gives the outputs of rows of ids, padded to the longest or to pad.
func (s *session) run(t testing.TB, rows [][]int64, pad int) []float32 {
	t.Helper()
	long := pad
	for _, r := range rows {
		long = max(long, len(r))
	}
	var ids, mask, types []int64
	for _, r := range rows {
		for i := range long {
			if i < len(r) {
				ids, mask = append(ids, r[i]), append(mask, 1)
			} else {
				ids, mask = append(ids, s.m.PadID), append(mask, 0)
			}
			types = append(types, 0)
		}
	}
	var in []ort.Value
	for _, name := range s.m.InputNames {
		data := map[string][]int64{InputIDs: ids, AttentionMask: mask, "token_type_ids": types}[name]
		v, err := ort.NewTensor(ort.NewShape(int64(len(rows)), int64(long)), data)
		if err != nil {
			t.Fatal(err)
		}
		defer v.Destroy()
		in = append(in, v)
	}
	out := []ort.Value{nil}
	if err := s.s.Run(in, out); err != nil {
		t.Fatal(err)
	}
	defer out[0].Destroy()
	return append([]float32(nil), out[0].(*ort.Tensor[float32]).GetData()...)
}

// golden is the folder of golden values, beside the repository.
func golden(t testing.TB, elems ...string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for !exists(filepath.Join(dir, "go.mod")) {
		dir = filepath.Dir(dir)
	}
	path := filepath.Join(append([]string{dir, "..", "shared", "golden"}, elems...)...)
	if !exists(path) {
		t.Skip("the folder of golden values is not beside the repository")
	}
	return path
}

func readGolden(t testing.TB, path string, v any) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(z).Decode(v); err != nil {
		t.Fatal(err)
	}
}

// farthest is the greatest absolute difference.
func farthest(a, b []float32) float64 {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	var d float64
	for i := range a {
		x := math.Abs(float64(a[i]) - float64(b[i]))
		if !(x <= d) {
			d = x
		}
	}
	return d
}
