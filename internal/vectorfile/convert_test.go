package vectorfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/safetensors"
)

// halves writes a file of rows of every half-precision number in turn.
func halves(t *testing.T, rows, cols int, order binary.AppendByteOrder, descr string) string {
	t.Helper()
	b := npyHeader(descr, fmt.Sprintf("(%d, %d)", rows, cols))
	for i := range rows * cols {
		b = order.AppendUint16(b, uint16(i))
	}
	path := filepath.Join(t.TempDir(), "half.npy")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func sameBits(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}

// Values of other types are the same in a file as in memory, and the file
// leaves nothing behind.
func TestConvertedValues(t *testing.T) {
	const cols = 48
	rows := MapFrom/4/cols + 21_000 // more than one block
	for name, path := range map[string]string{
		"little": halves(t, rows, cols, binary.LittleEndian, "<f2"),
		"big":    halves(t, rows, cols, binary.BigEndian, ">f2"),
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			v, err := Read(t.Context(), path, Options{Folder: folder})
			if err != nil {
				t.Fatal(err)
			}
			if entries, err := os.ReadDir(folder); err != nil || len(entries) > 0 {
				t.Errorf("left in the folder: %v, %v", entries, err)
			}
			held, err := Read(t.Context(), path, Options{})
			if err != nil {
				t.Fatal(err)
			}
			got, want := v.Matrix.(*matrix.Dense), held.Matrix.(*matrix.Dense)
			if got.Rows != rows || got.Cols != cols || !sameBits(got.Data, want.Data) {
				t.Error("the values differ from those read into memory")
			}
			for i, x := range got.Data[:1<<16] {
				if math.Float32bits(x) != math.Float32bits(safetensors.Half(uint16(i))) {
					t.Fatalf("value %d is %v", i, x)
				}
			}
			if v.Mapped != nil || v.AsWritten() || !v.OffHeap || held.OffHeap {
				t.Error("it is not told where the values lie")
			}
		})
	}
}

func TestConvertedValuesNeedAFolder(t *testing.T) {
	path := halves(t, MapFrom/4, 1, binary.LittleEndian, "<f2")
	if _, err := Read(t.Context(), path, Options{Folder: filepath.Join(t.TempDir(), "none")}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error is %v", err)
	}
}

// The end of the disk is an error while values are converted, and nothing else.
func TestConvertedValuesFillTheDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("there is no device that is always full")
	}
	f, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Skip("it may not be written to: ", err)
	}
	defer f.Close()
	a := &array{kind: 'f', width: 2, shape: []int{1 << 17, 1}, count: 1 << 17}
	if err := a.convert(bytes.NewReader(make([]byte, 1<<18)), f); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("error is %v", err)
	}
	if err := a.convert(bytes.NewReader(make([]byte, 1<<17)), f); err == nil {
		t.Error("half of the values were enough")
	}
}
