// Package ortlib finds the shared library of ONNX Runtime on this machine and
// tells what is wrong with one that can't be used, before it is loaded.
package ortlib

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// Version is the release that set-up installs and the tests run with.
const Version = "1.30.0"

// minMinor is the oldest 1.x whose C interface has what the binding asks for
// (API version 24).
const minMinor = 24

// EnvVar names a library of the user's choice: one for a GPU, say.
const EnvVar = "ORT_LIBRARY"

// remedy is what to do where there is no library.
const remedy = "run `make setup` in the project's folder with " + EnvVar + " unset, or set it to the file of an ONNX Runtime 1.24 or newer: " +
	"libonnxruntime.so.* from the onnxruntime package of PyPI (folder onnxruntime/capi), on macOS lib/libonnxruntime.dylib of `brew install onnxruntime`"

// Name is the file name of the library of Version on an operating system.
func Name(goos string) string {
	switch goos {
	case "darwin":
		return "libonnxruntime." + Version + ".dylib"
	case "windows":
		return "onnxruntime.dll"
	}
	return "libonnxruntime.so." + Version
}

// Installed is the path at which set-up leaves the library, whether it is
// there or not: <user's cache>/bertopic/onnxruntime/<Version>/<Name>.
func Installed() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache folder: %w (set XDG_CACHE_HOME)", err)
	}
	return filepath.Join(cache, "bertopic", "onnxruntime", Version, Name(runtime.GOOS)), nil
}

// Path returns the library to load: the file that ORT_LIBRARY names, else the
// installed one. The file is looked at, not loaded: one that is missing, for
// another processor, too old or no ONNX Runtime at all is an error that says
// what to do. A file named by ORT_LIBRARY that can't be used is an error too,
// and never replaced by the installed one.
func Path() (string, error) {
	if path := os.Getenv(EnvVar); path != "" {
		// Absolute: a loader takes a bare file name for one to search for.
		path, err := filepath.Abs(path)
		if err != nil {
			return "", err
		}
		info, err := os.Stat(path)
		if err == nil && info.IsDir() {
			err = errors.New("it is a folder, not the library's file")
		}
		if err == nil {
			err = Check(path)
		}
		if err != nil {
			return "", fmt.Errorf("the ONNX Runtime library %s (%s): %w: set %s to the file of an ONNX Runtime 1.24 or newer, or leave it unset for the one of `make setup`", path, EnvVar, err, EnvVar)
		}
		return path, nil
	}
	path, err := Installed()
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("the ONNX Runtime library is not at %s: %s", path, remedy)
	}
	if err := Check(path); err != nil {
		return "", fmt.Errorf("the ONNX Runtime library %s: %w: remove it and run `make setup` again", path, err)
	}
	return path, nil
}

// machines are the processors of the ELF files that Go programs run on.
var machines = map[string]elf.Machine{
	"386": elf.EM_386, "amd64": elf.EM_X86_64, "arm": elf.EM_ARM, "arm64": elf.EM_AARCH64,
	"loong64": elf.EM_LOONGARCH, "ppc64le": elf.EM_PPC64, "riscv64": elf.EM_RISCV, "s390x": elf.EM_S390,
}

// Check tells whether the file is an ONNX Runtime that this program can load.
// Only ELF files (Linux and the BSDs) are looked into; for others the loader
// has the word.
func Check(path string) error {
	if runtime.GOOS == "darwin" || runtime.GOOS == "windows" {
		return nil
	}
	f, err := elf.Open(path)
	if err != nil {
		return fmt.Errorf("it can't be read as a shared library: %w", err)
	}
	defer f.Close()
	if want, ok := machines[runtime.GOARCH]; ok && f.Machine != want {
		return fmt.Errorf("it is for another processor (%v), this program runs on %s: take the library of this machine", f.Machine, runtime.GOARCH)
	}
	version, err := release(f)
	if err != nil {
		return err
	}
	if version != "" && !recent(version) {
		return fmt.Errorf("it is ONNX Runtime %s, and 1.%d or newer is needed: %s", version, minMinor, remedy)
	}
	return nil
}

// release returns the release that a library states in the version of the
// symbol it is entered by, OrtGetApiBase@@VERS_1.30.0; "" if it states none.
func release(f *elf.File) (string, error) {
	symbols, err := f.DynamicSymbols()
	if err != nil {
		return "", fmt.Errorf("it can't be read as a shared library: %w", err)
	}
	for _, s := range symbols {
		if s.Name == "OrtGetApiBase" && s.Section != elf.SHN_UNDEF {
			return strings.TrimPrefix(s.Version, "VERS_"), nil
		}
	}
	return "", errors.New("it is no ONNX Runtime (OrtGetApiBase is not in it): the library is the file libonnxruntime.so.*, not a module for Python or a provider")
}

// recent is true for a version of at least 1.minMinor, and for one that isn't
// understood: the loader has the word then.
func recent(version string) bool {
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	a, errA := strconv.Atoi(major)
	b, errB := strconv.Atoi(minor)
	if errA != nil || errB != nil {
		return true
	}
	return a > 1 || a == 1 && b >= minMinor
}
