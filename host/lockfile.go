package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/BurntSushi/toml"
)

// lockVersion is the version of the format of bertopic.lock.
const lockVersion = 1

// lockFile is bertopic.lock: the embedder programs that a project trusts.
type lockFile struct {
	Version  int                      `toml:"version"`
	Programs map[string]lockedProgram `toml:"programs"` // by name
}

type lockedProgram struct {
	Version string            `toml:"version"`
	SHA256  map[string]string `toml:"sha256"`           // by platform, linux_amd64 say
	Covers  map[string]string `toml:"covers,omitempty"` // likewise: what the checksum is of, for people
}

func platform() string { return runtime.GOOS + "_" + runtime.GOARCH }

// readLock returns nil where there is no such file.
func readLock(path string) (*lockFile, error) {
	text, err := os.ReadFile(path)
	if path == "" || errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the lock file: %w", err)
	}
	var l lockFile
	meta, err := toml.Decode(string(text), &l)
	if err != nil {
		return nil, fmt.Errorf("read the lock file %s: %w", path, err)
	}
	if l.Version != lockVersion {
		return nil, fmt.Errorf("read the lock file %s: it has version %d, this program reads %d", path, l.Version, lockVersion)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return nil, fmt.Errorf("read the lock file %s: unknown key %s", path, unknown[0])
	}
	return &l, nil
}

// allows says why the program at path, whose checksum is sum, is not one of the
// lock file's. A file that is called bertopic-embedder-NAME must be what the lock
// has for NAME; any other must be one of those it has.
func (l *lockFile) allows(path, sum string) error {
	if name, ok := programName(path); ok {
		locked, ok := l.Programs[name]
		if !ok {
			return fmt.Errorf("the lock file has no program %q: run `bertopic plugins lock` if %s is to be trusted", name, path)
		}
		want, ok := locked.SHA256[platform()]
		if !ok {
			return fmt.Errorf("the lock file has no checksum of %q for %s: run `bertopic plugins lock` if %s is to be trusted", name, platform(), path)
		}
		if want != sum {
			return fmt.Errorf("%s has the SHA-256 %s, but the lock file says %s: restore the program, or run `bertopic plugins lock` if it was changed on purpose",
				path, sum, want)
		}
		return nil
	}
	for _, locked := range l.Programs {
		if locked.SHA256[platform()] == sum {
			return nil
		}
	}
	return fmt.Errorf("%s has the SHA-256 %s, which the lock file does not have", path, sum)
}

// Locked is a program that WriteLock has put into a lock file.
type Locked struct {
	Name, Version string
	Checksum
}

// WriteLock puts the programs at the given paths into the lock file at path,
// which need not exist. Entries for other programs and other platforms stay as
// they are, but for platforms whose program had another version. The file is
// written whole or not at all.
func WriteLock(ctx context.Context, path string, programs []string) ([]Locked, error) {
	l, err := readLock(path)
	if err != nil {
		return nil, err
	}
	if l == nil {
		l = &lockFile{Version: lockVersion}
	}
	if l.Programs == nil {
		l.Programs = make(map[string]lockedProgram)
	}
	var all []Locked
	for _, program := range programs {
		d, err := Describe(ctx, program)
		if err != nil {
			return nil, err
		}
		sum, err := Sum(program)
		if err != nil {
			return nil, fmt.Errorf("checksum of %s: %w", program, err)
		}
		all = append(all, Locked{d.Name, d.Version, sum})
		locked := l.Programs[d.Name]
		if locked.SHA256 == nil || locked.Version != d.Version {
			locked = lockedProgram{Version: d.Version, SHA256: make(map[string]string)}
		}
		if locked.Covers == nil {
			locked.Covers = make(map[string]string)
		}
		locked.SHA256[platform()], locked.Covers[platform()] = sum.SHA256, sum.Covers
		l.Programs[d.Name] = locked
	}
	var b bytes.Buffer
	b.WriteString("# The embedder programs that this project trusts. Written by `bertopic plugins lock`.\n")
	e := toml.NewEncoder(&b)
	e.Indent = ""
	if err := e.Encode(l); err != nil { // sorts the keys
		return nil, fmt.Errorf("write the lock file: %w", err)
	}
	return all, writeWhole(path, b.Bytes())
}

func writeWhole(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".bertopic.lock-*")
	if err != nil {
		return fmt.Errorf("write the lock file: %w", err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
			err = fmt.Errorf("write the lock file: %w", err)
		}
	}()
	if _, err = f.Write(data); err != nil {
		return err
	}
	if err = f.Chmod(0o644); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
