//go:build linux

// Program pictures measures the reading of pictures for an embedder: files to
// pixels, and pixels to the values that a vision model takes. bench/pictures.py
// prepares and calls it.
package main

import (
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bertopic-go/bertopic/internal/picture"
)

// figures are seconds of one core for all pictures.
type figures struct {
	Pictures   int     `json:"pictures"`
	Decode     float64 `json:"decode"`     // of the thread that decodes
	Preprocess float64 `json:"preprocess"` // of the same
	Process    float64 `json:"process"`    // of the whole process, reclaiming of memory included
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

func run() error {
	dir := flag.String("pictures", "", "folder of pictures")
	settings := flag.String("settings", "", "preprocessor_config.json")
	values := flag.String("values", "", "file for the pixel values of the first picture")
	flag.Parse()
	runtime.GOMAXPROCS(1)
	runtime.LockOSThread()
	p, err := picture.ReadPreprocessor(*settings)
	if err != nil {
		return err
	}
	paths, err := filepath.Glob(filepath.Join(*dir, "*"))
	if err != nil {
		return err
	}
	slices.Sort(paths)
	d, w := &picture.Decoder{Lying: true}, &picture.Worker{}
	pixels := make([]float32, p.Len())
	f := figures{Pictures: len(paths)}
	begin, err := seconds(unix.CLOCK_PROCESS_CPUTIME_ID)
	if err != nil {
		return err
	}
	for i, path := range paths {
		times := [3]float64{}
		if times[0], err = seconds(unix.CLOCK_THREAD_CPUTIME_ID); err != nil {
			return err
		}
		m, err := d.Open(path)
		if err != nil {
			return err
		}
		if times[1], err = seconds(unix.CLOCK_THREAD_CPUTIME_ID); err != nil {
			return err
		}
		p.Pixels(pixels, m, w)
		if times[2], err = seconds(unix.CLOCK_THREAD_CPUTIME_ID); err != nil {
			return err
		}
		f.Decode += times[1] - times[0]
		f.Preprocess += times[2] - times[1]
		if i == 0 {
			if err := keep(*values, pixels); err != nil {
				return err
			}
		}
	}
	end, err := seconds(unix.CLOCK_PROCESS_CPUTIME_ID)
	if err != nil {
		return err
	}
	f.Process = end - begin
	return json.NewEncoder(os.Stdout).Encode(f)
}

// seconds reads a clock of CPU time.
func seconds(clock int32) (float64, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(clock, &t); err != nil {
		return 0, err
	}
	return time.Duration(t.Nano()).Seconds(), nil
}

// keep writes values as little-endian float32.
func keep(path string, values []float32) error {
	out := make([]byte, 0, 4*len(values))
	for _, v := range values {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
	}
	return os.WriteFile(path, out, 0o666)
}
