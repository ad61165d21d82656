//go:build linux

package host

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/bertopic-go/bertopic/internal/isolate"
	"github.com/bertopic-go/bertopic/internal/size"
	"github.com/bertopic-go/bertopic/sdk"
)

func row(text string) sdk.Row { return sdk.Row{Text: text, HasText: true} }

// A program that declares no network does not get through, and that is told.
func TestNetwork(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var reached atomic.Int32
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			reached.Add(1)
			c.Close()
		}
	}()
	dial := options{"fault": "dial", "poison": "dial "}
	rows := append(texts(5), row("dial "+l.Addr().String()+" now"))
	for _, c := range []struct {
		isolate   string
		strongest isolate.Kind
		reached   bool
		reason    string
		warning   string
	}{
		{"", isolate.Namespace, false, "network is unreachable", "tried to reach the network"},
		{"require", isolate.Namespace, false, "network is unreachable", "tried to reach the network"},
		{"auto", isolate.Filter, false, "permission denied", ""},
		{"auto", isolate.None, true, "reached", "has no means to keep it from it"},
		{"off", isolate.Namespace, true, "reached", ""},
	} {
		t.Run(fmt.Sprint(c.isolate, c.strongest), func(t *testing.T) {
			isolate.Strongest = c.strongest
			defer func() { isolate.Strongest = isolate.Namespace }()
			before := reached.Load()
			e := open(t, "specimen", dial, func(s *Spec) { s.Isolate = c.isolate })
			if w := e.workers[0].proc.child.wall.Load(); c.isolate != "off" && w.Kind != c.strongest {
				t.Skip("the system does not allow it:", w.Why)
			}
			r, err := e.Embed(t.Context(), rows, nil)
			if err != nil {
				t.Fatal(err)
			}
			if s := r.Statuses[5]; s.Status != sdk.Failed || !strings.Contains(s.Reason, c.reason) {
				t.Errorf("%+v does not speak of %q", s, c.reason)
			}
			if got := reached.Load() > before; got != c.reached {
				t.Errorf("reached: %v", got)
			}
			warnings := strings.Join(r.Warnings, "\n")
			if c.warning == "" && warnings != "" || !strings.Contains(warnings, c.warning) {
				t.Errorf("the warnings are %q, not %q", warnings, c.warning)
			}
		})
	}
	isolate.Strongest = isolate.None
	defer func() { isolate.Strongest = isolate.Namespace }()
	_, err = Open(t.Context(), spec("specimen", nil, func(s *Spec) { s.Isolate = "require" }))
	if err == nil {
		t.Fatal("it is started without what is required")
	}
}

// An error of a program that has tried the network says so.
func TestNetworkInErrors(t *testing.T) {
	e := open(t, "specimen", options{"fault": "dial", "poison": "dial "})
	if _, err := e.Embed(t.Context(), []sdk.Row{row("dial 192.0.2.1:80")}, nil); err != nil {
		t.Fatal(err)
	}
	if w := e.workers[0].proc.child.wall.Load(); w.Kind != isolate.Namespace {
		t.Skip("it can't be known here")
	}
	if err := e.errorf(KindFailed, "embed", e.workers[0].proc, os.ErrInvalid); !strings.Contains(err.Error(), "tried to reach the network") {
		t.Error(err)
	}
}

// What a program is not given it can't find at the host's either.
func TestSecrets(t *testing.T) {
	t.Setenv("BERTOPIC_TEST_SECRET", "hush-hush")
	e := open(t, "specimen", options{"fault": "snoop", "poison": "pry"})
	r, err := e.Embed(t.Context(), []sdk.Row{row("pry")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	reason := r.Statuses[0].Reason
	if r.Statuses[0].Status != sdk.Failed || !strings.Contains(reason, "PATH=") {
		t.Fatalf("it did not pry: %+v", r.Statuses[0])
	}
	if strings.Contains(reason, "hush-hush") {
		t.Errorf("the secret is out: %s", reason)
	}
	if w := e.workers[0].proc.child.wall.Load(); w.Kind == isolate.Namespace && !strings.Contains(reason, "permission denied") {
		t.Errorf("it reads the host's environment: %s", reason)
	}
}

// A row that fills the memory is found; a program that always does ends the run,
// and what was finished is kept.
func TestMemory(t *testing.T) {
	t.Parallel()
	little := func(s *Spec) { s.Memory, s.BatchSize = 64<<20, 8 }
	e := open(t, "specimen", options{"fault": "fill", "poison": "greedy"}, little)
	rows := texts(40)
	rows[21] = row("a greedy row")
	r, err := e.Embed(t.Context(), rows, nil)
	if err != nil {
		t.Fatal(err)
	}
	checkSpecimen(t, rows, r, map[int]sdk.Status{21: sdk.Failed})
	if reason := r.Statuses[21].Reason; !strings.Contains(reason, "MiB, over [embedder] memory = 64MiB") {
		t.Error(reason)
	}
	if w := strings.Join(r.Warnings, "\n"); !strings.Contains(w, "more than [embedder] memory allows") {
		t.Errorf("no word of it: %q", w)
	}

	store, err := OpenStore(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	// The 13th row that a process sees, whichever it is.
	e = open(t, "specimen", options{"fault": "fill", "at": 12}, little, func(s *Spec) { s.MaxRestarts = 1 })
	_, err = e.Embed(t.Context(), texts(400), store)
	checkError(t, err, KindMemory, "it used ", "MiB, over [embedder] memory = 64MiB")
	if store.Len() < 8 {
		t.Errorf("%d rows are kept", store.Len())
	}
}

// What a program has started counts as well, and so does what left its parent.
func TestMemoryOfAll(t *testing.T) {
	t.Parallel()
	m := memory{pid: os.Getpid()}
	if n := m.used(); n < 1<<20 || n > 64<<30 {
		t.Errorf("this process uses %s", size.Rough(n))
	}
	child := exec.Command("sleep", "60")
	child.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = child.Process.Kill(); _ = child.Wait() }()
	if all := childrenOf(os.Getpid()); !slices.Contains(all, child.Process.Pid) {
		t.Errorf("%d is not among the children %v", child.Process.Pid, all)
	}
	group := processGroup(syscall.Getpgrp())
	if !slices.Contains(group, child.Process.Pid) {
		t.Errorf("%d is not in the group %v", child.Process.Pid, group)
	}
	found := false
	for _, pid := range group {
		found = found || pid == os.Getpid()
	}
	if !found {
		t.Errorf("%d is not in its group %v", os.Getpid(), group)
	}
}

// place copies the specimen into a folder.
func place(t *testing.T) (dir, path string) {
	t.Helper()
	dir = t.TempDir()
	path = filepath.Join(dir, fileName("specimen"))
	copyFile(t, filepath.Join(programs, fileName("specimen")), path)
	return dir, path
}

// A program that everybody may change is not run.
func TestOpenToAll(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(dir, path string) (string, os.FileMode){
		"program": func(_, path string) (string, os.FileMode) { return path, 0o757 },
		"folder":  func(dir, _ string) (string, os.FileMode) { return dir, 0o777 },
		"belongings": func(_, path string) (string, os.FileMode) {
			_ = os.Mkdir(path+".d", 0o755)
			return path + ".d", 0o777 | os.ModeSticky
		},
		"module": func(_, path string) (string, os.FileMode) {
			_ = os.MkdirAll(path+".d/lib", 0o755)
			_ = os.WriteFile(path+".d/lib/a.py", nil, 0o644)
			return path + ".d/lib/a.py", 0o646
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, path := place(t)
			if err := os.Chmod(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			bad, mode := spoil(dir, path)
			if err := os.Chmod(bad, mode); err != nil {
				t.Fatal(err)
			}
			_, err := Open(t.Context(), spec(path, nil))
			checkError(t, err, KindUnsafe, "every user of this machine may change "+bad, "chmod o-w")
			_, err = Describe(t.Context(), path)
			checkError(t, err, KindUnsafe, "chmod o-w")
			if _, err := WriteLock(t.Context(), filepath.Join(t.TempDir(), "bertopic.lock"), []string{path}); err == nil {
				t.Error("it can be locked")
			}
			if err := os.Chmod(bad, mode&^0o002); err != nil {
				t.Fatal(err)
			}
			if _, err := Describe(t.Context(), path); err != nil {
				t.Error(err)
			}
		})
	}
	// In a folder like /tmp it must be one's own.
	dir, path := place(t)
	if err := os.Chmod(dir, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	if _, err := Describe(t.Context(), path); err != nil {
		t.Error(err)
	}
	if os.Getuid() == 0 {
		if err := os.Chown(path, 4711, 4711); err != nil {
			t.Skip("a file can't be given away here:", err)
		}
		_, err := Describe(t.Context(), path)
		checkError(t, err, KindUnsafe, "another user's")
	}
}

// The checksum is of the program and of all that is in its folder.
func TestSum(t *testing.T) {
	t.Parallel()
	dir, path := place(t)
	sum := func() Checksum {
		t.Helper()
		s, err := Sum(path)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	write := func(name, text string) {
		t.Helper()
		at := filepath.Join(path+".d", name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	alone := sum()
	if alone.Covers != "the program's file" || alone.Script {
		t.Errorf("%+v", alone)
	}
	write("embedder.py", "print(1)")
	write("lib/a.py", "a")
	if err := os.Symlink("/usr/bin/python3", filepath.Join(path+".d", "python")); err != nil {
		t.Fatal(err)
	}
	first := sum()
	if first.SHA256 == alone.SHA256 || first.Covers != "the program's file and the 3 files of bertopic-embedder-specimen.d" || first.Files != 3 {
		t.Errorf("%+v", first)
	}
	// As docs/format/lock.md has it.
	of := func(text string) []byte { s := sha256.Sum256([]byte(text)); return s[:] }
	own, err := hex.DecodeString(alone.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	byHand := slices.Concat(own, []byte("fembedder.py\x00"), of("print(1)"), []byte("flib/a.py\x00"), of("a"), []byte("lpython\x00"), of("/usr/bin/python3"))
	if want := hex.EncodeToString(of(string(byHand))); first.SHA256 != want {
		t.Errorf("%s, by hand %s", first.SHA256, want)
	}
	for name, change := range map[string]func(){
		"content":        func() { write("lib/a.py", "b") },
		"another file":   func() { write("lib/b.py", "") },
		"bytecode":       func() { write("lib/__pycache__/a.cpython-311.pyc", "what Python runs in a.py's place") },
		"bytecode alone": func() { write("lib/c.pyc", "") },
		"a link": func() {
			_ = os.Remove(filepath.Join(path+".d", "python"))
			_ = os.Symlink("/usr/bin/python4", filepath.Join(path+".d", "python"))
		},
		"a link to a file": func() {
			_ = os.Remove(filepath.Join(path+".d", "python"))
			write("python", "/usr/bin/python4")
		},
		"a name": func() { _ = os.Rename(filepath.Join(path+".d", "lib"), filepath.Join(path+".d", "bil")) },
		"the program": func() {
			_ = os.Remove(path)
			copyFile(t, filepath.Join(programs, fileName("plain")), path)
		},
	} {
		before := sum()
		change()
		if sum() == before {
			t.Errorf("%s does not count", name)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(path+".d", "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Sum(path); err == nil || !strings.Contains(err.Error(), "neither a file") {
		t.Error(err)
	}
	script := filepath.Join(dir, "s")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if s, err := Sum(script); err != nil || !s.Script || !strings.Contains(s.Covers, "neither its interpreter") {
		t.Errorf("%+v %v", s, err)
	}
}

// A byte changed after the lock, in the folder of what belongs to a program, is
// refused before anything runs, and in the midst of a run before the next start.
func TestLockCoversAll(t *testing.T) {
	t.Parallel()
	dir, path := place(t)
	module := filepath.Join(path+".d", "module.py")
	if err := os.Mkdir(path+".d", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(module, []byte("secure = True\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	lock := filepath.Join(dir, "bertopic.lock")
	locked, err := WriteLock(t.Context(), lock, []string{path})
	if err != nil {
		t.Fatal(err)
	}
	if l := locked[0]; l.Name != "specimen" || l.Files != 1 {
		t.Errorf("%+v", l)
	}
	text, err := os.ReadFile(lock)
	if err != nil || !strings.Contains(string(text), `"the program's file and the one file of bertopic-embedder-specimen.d"`) {
		t.Errorf("%s %v", text, err)
	}
	with := func(s *Spec) { s.LockFile, s.Log = lock, slog.New(slog.DiscardHandler) }
	e := open(t, path, nil, with)
	st, err := os.Stat(module)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(module, []byte("secure = Trve\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(module, time.Time{}, st.ModTime()); err != nil { // as one does who has something to hide
		t.Fatal(err)
	}
	p, _ := os.FindProcess(pidOf(e))
	_ = p.Kill()
	e.workers[0].proc.gone(5 * time.Second)
	_, err = e.Embed(t.Context(), texts(3), nil)
	checkError(t, err, KindChecksum, "replaced while it was in use")
	_, err = Open(t.Context(), spec(path, nil, with))
	checkError(t, err, KindChecksum, "lock file says")
}
