package ortlib

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// library writes an ELF file that exports one symbol of a version.
func library(t *testing.T, dir, name string, machine elf.Machine, symbol, version string) string {
	t.Helper()
	le := binary.LittleEndian
	strtab := []byte("\x00")
	str := func(s string) uint32 {
		at := len(strtab)
		strtab = append(append(strtab, s...), 0)
		return uint32(at)
	}
	symName, verName := str(symbol), str(version)
	var dynsym, verdef, versym bytes.Buffer
	binary.Write(&dynsym, le, []elf.Sym64{{}, {Name: symName, Info: 0x12, Shndx: 1}})
	// One definition of a version, index 2, with one name.
	binary.Write(&verdef, le, struct {
		Version, Flags, Ndx, Cnt uint16
		Hash, Aux, Next          uint32
		Name, AuxNext            uint32
	}{1, 0, 2, 1, 0, 20, 0, verName, 0})
	binary.Write(&versym, le, []uint16{0, 2})
	if version == "" {
		versym.Reset()
		binary.Write(&versym, le, []uint16{0, 1})
	}
	shstr := []byte("\x00.dynsym\x00.dynstr\x00.gnu.version\x00.gnu.version_d\x00.dynamic\x00.shstrtab\x00")
	at := func(n string) uint32 { return uint32(bytes.Index(shstr, []byte(n+"\x00"))) }
	var dyn bytes.Buffer
	binary.Write(&dyn, le, []elf.Dyn64{{Tag: int64(elf.DT_VERDEFNUM), Val: 1}, {}})
	parts := []struct {
		h    elf.Section64
		data []byte
	}{
		{elf.Section64{}, nil},
		{elf.Section64{Name: at(".dynsym"), Type: uint32(elf.SHT_DYNSYM), Link: 2, Entsize: 24}, dynsym.Bytes()},
		{elf.Section64{Name: at(".dynstr"), Type: uint32(elf.SHT_STRTAB)}, strtab},
		{elf.Section64{Name: at(".gnu.version"), Type: uint32(elf.SHT_GNU_VERSYM), Link: 1, Entsize: 2}, versym.Bytes()},
		{elf.Section64{Name: at(".gnu.version_d"), Type: uint32(elf.SHT_GNU_VERDEF), Link: 2, Info: 1}, verdef.Bytes()},
		{elf.Section64{Name: at(".dynamic"), Type: uint32(elf.SHT_DYNAMIC), Link: 2, Entsize: 16}, dyn.Bytes()},
		{elf.Section64{Name: at(".shstrtab"), Type: uint32(elf.SHT_STRTAB)}, shstr},
	}
	h := elf.Header64{Type: uint16(elf.ET_DYN), Machine: uint16(machine), Version: 1, Ehsize: 64, Shentsize: 64, Shnum: uint16(len(parts)), Shstrndx: uint16(len(parts) - 1)}
	copy(h.Ident[:], "\x7fELF\x02\x01\x01")
	var body, sections bytes.Buffer
	for _, p := range parts {
		p.h.Off, p.h.Size = uint64(64+body.Len()), uint64(len(p.data))
		body.Write(p.data)
		binary.Write(&sections, le, p.h)
	}
	h.Shoff = uint64(64 + body.Len())
	var file bytes.Buffer
	binary.Write(&file, le, h)
	file.Write(body.Bytes())
	file.Write(sections.Bytes())
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, file.Bytes(), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPath(t *testing.T) {
	here, ok := machines[runtime.GOARCH]
	if runtime.GOOS != "linux" || !ok {
		t.Skip("libraries are looked into on Linux only")
	}
	other := elf.EM_S390
	if here == other {
		other = elf.EM_X86_64
	}
	dir := t.TempDir()
	good := library(t, dir, "good", here, "OrtGetApiBase", "VERS_1.31.1")
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(filepath.Join(dir, "cut"), whole[:len(whole)/2], 0o644)
	os.WriteFile(filepath.Join(dir, "text"), []byte("not a library"), 0o644)
	library(t, dir, "oldest", here, "OrtGetApiBase", "VERS_1.24.0")
	library(t, dir, "unversioned", here, "OrtGetApiBase", "")
	library(t, dir, "strange", here, "OrtGetApiBase", "VERS_next")
	library(t, dir, "old", here, "OrtGetApiBase", "VERS_1.23.2")
	library(t, dir, "provider", here, "Provider_GetHost", "VERS_1.0")
	library(t, dir, "foreign", other, "OrtGetApiBase", "VERS_1.30.0")

	for _, name := range []string{"good", "oldest", "unversioned", "strange"} {
		t.Setenv(EnvVar, filepath.Join(dir, name))
		if path, err := Path(); err != nil || path != filepath.Join(dir, name) {
			t.Errorf("%s: %s, %v", name, path, err)
		}
	}
	for name, want := range map[string]string{
		"none": "no such file", "cut": "can't be read as a shared library", "text": "can't be read as a shared library", ".": "it is a folder",
		"old": "it is ONNX Runtime 1.23.2, and 1.24 or newer is needed: run `make setup`", "provider": "it is no ONNX Runtime", "foreign": "for another processor",
	} {
		t.Setenv(EnvVar, filepath.Join(dir, name))
		if path, err := Path(); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "ORT_LIBRARY") {
			t.Errorf("%s: %s, %v; want %q", name, path, err, want)
		}
	}

	t.Setenv(EnvVar, "good") // a relative path
	t.Chdir(dir)
	if path, err := Path(); err != nil || path != good {
		t.Errorf("relative: %s, %v", path, err)
	}

	t.Setenv(EnvVar, "")
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	if _, err := Path(); err == nil || !strings.Contains(err.Error(), "run `make setup`") || !strings.Contains(err.Error(), dir) {
		t.Errorf("nothing installed: %v", err)
	}
	installed, err := Installed()
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(dir, "cache", "bertopic", "onnxruntime", "1.30.0", "libonnxruntime.so.1.30.0"); installed != want {
		t.Errorf("installed at %s, want %s", installed, want)
	}
	os.MkdirAll(filepath.Dir(installed), 0o755)
	os.WriteFile(installed, whole[:100], 0o644)
	if _, err := Path(); err == nil || !strings.Contains(err.Error(), "remove it and run `make setup` again") {
		t.Errorf("a spoilt one: %v", err)
	}
	os.WriteFile(installed, whole, 0o644)
	if path, err := Path(); err != nil || path != installed {
		t.Errorf("installed: %s, %v", path, err)
	}
}

// The library that set-up installs is taken, and states its release.
func TestInstalledLibrary(t *testing.T) {
	path, err := Installed()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil || runtime.GOOS != "linux" {
		t.Skip("`make setup` has not installed the library here")
	}
	if err := Check(path); err != nil {
		t.Fatal(err)
	}
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, err := release(f); err != nil || got != Version {
		t.Errorf("it states the release %q, %v; want %s", got, err, Version)
	}
}
