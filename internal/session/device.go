package session

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/bertopic-go/bertopic/internal/ortlib"
)

// Device is where graphs run.
type Device struct {
	Kind Kind
	ID   int // of a GPU
}

// Kind is a kind of device.
type Kind string

// The kinds. Auto is the GPU where that works, else the CPU.
const (
	Auto Kind = "auto"
	CPU  Kind = "cpu"
	CUDA Kind = "cuda"
)

var deviceForm = regexp.MustCompile(`^(auto|cpu|cuda|cuda:[0-9]{1,3})$`)

// ParseDevice reads the option device: auto, cpu, cuda or cuda:N.
func ParseDevice(s string) (Device, error) {
	if !deviceForm.MatchString(s) {
		return Device{}, fmt.Errorf("device is %q: it must be auto, cpu, cuda or cuda:N", s)
	}
	kind, number, _ := strings.Cut(s, ":")
	d := Device{Kind: Kind(kind)}
	if number != "" {
		var err error
		if d.ID, err = strconv.Atoi(number); err != nil {
			return Device{}, err
		}
	}
	return d, nil
}

// String is the device as the option device names it, with its number.
func (d Device) String() string {
	if d.Kind == CUDA {
		return fmt.Sprintf("cuda:%d", d.ID)
	}
	return string(d.Kind)
}

// GPU tells whether d is one.
func (d Device) GPU() bool { return d.Kind == CUDA }

// Place opens something on the device that is wanted. With Auto that is the GPU,
// if the machine seems to have one and open succeeds there, else the CPU; noGPU
// is then why the GPU was not used, for the user to be told. A device that is
// wanted by name is used or an error.
func Place[T any](want Device, open func(on Device) (T, error)) (got T, on Device, noGPU, err error) {
	if err := Start(); err != nil {
		return got, want, nil, err
	}
	if want.Kind == CUDA || want.Kind == Auto && gpuIsThere() {
		on = Device{Kind: CUDA, ID: want.ID}
		got, err = open(on)
		if err == nil || want.Kind == CUDA {
			return got, on, nil, err
		}
		noGPU = err
	}
	on = Device{Kind: CPU}
	got, err = open(on)
	return got, on, noGPU, err
}

// driver is there where NVIDIA's driver is loaded.
var driver = "/dev/nvidiactl"

// gpuIsThere tells whether the machine seems to have an NVIDIA GPU.
func gpuIsThere() bool {
	_, err := os.Stat(driver)
	return err == nil && os.Getenv("CUDA_VISIBLE_DEVICES") != "-1"
}

// environment is ONNX Runtime's, of which a process has one.
var environment struct {
	sync.Mutex
	ready bool
}

// Start loads the library of ONNX Runtime, once. After a failure the next call
// tries again.
func Start() error {
	environment.Lock()
	defer environment.Unlock()
	if environment.ready {
		return nil
	}
	path, err := ortlib.Path()
	if err != nil {
		return err
	}
	// Since 1.29 it tells its maker of each session, the model's name and hashes
	// included, unless this is set before it is loaded.
	if err := os.Setenv("ORT_DISABLE_TELEMETRY", "1"); err != nil {
		return err
	}
	ort.SetSharedLibraryPath(path)
	if err := ort.InitializeEnvironment(ort.WithLogLevelError()); err != nil {
		return fmt.Errorf("start ONNX Runtime from %s: %w", path, err)
	}
	environment.ready = true
	return nil
}

func appendCUDA(o *ort.SessionOptions, id int) error {
	c, err := ort.NewCUDAProviderOptions()
	if err == nil {
		defer c.Destroy()
		err = c.Update(map[string]string{"device_id": strconv.Itoa(id), "use_tf32": "0"})
	}
	if err == nil {
		err = o.AppendExecutionProviderCUDA(c)
	}
	if err != nil {
		return fmt.Errorf("use the GPU cuda:%d: %w (it takes an ONNX Runtime with CUDA, named by the variable %s, and the CUDA and cuDNN libraries)", id, err, ortlib.EnvVar)
	}
	return nil
}

// checkCUDA tells, before a graph is made, whether a session could use the GPU.
func checkCUDA(id int) error {
	o, err := ort.NewSessionOptions()
	if err != nil {
		return err
	}
	defer o.Destroy()
	return appendCUDA(o, id)
}
