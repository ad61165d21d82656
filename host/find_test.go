package host

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bertopic-go/bertopic/sdk"
)

// touch makes an empty file that looks like an embedder program.
func touch(t *testing.T, dir, name string, mode os.FileMode) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, fileName(name))
	if err := os.WriteFile(path, nil, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFind(t *testing.T) {
	root := t.TempDir()
	dir := func(name string) string { return filepath.Join(root, name) }
	t.Chdir(root)
	t.Setenv(PathEnv, dir("env1")+string(filepath.ListSeparator)+dir("env2"))
	t.Setenv("XDG_DATA_HOME", dir("data"))
	t.Setenv("PATH", dir("path")+string(filepath.ListSeparator)+os.Getenv("PATH"))
	places := []string{"config", "env1", "env2", ".bertopic/plugins", "data/bertopic/plugins"}
	var want []string
	for i, p := range places {
		want = append(want, touch(t, dir(p), "everywhere", 0o755))
		touch(t, dir(p), "only-"+string(rune('a'+i)), 0o755)
	}
	touch(t, dir("path"), "on-path", 0o755)
	for i, p := range want {
		path, err := Find("everywhere", []string{dir("config")})
		if err != nil || path != p {
			t.Errorf("place %d: found %q, not %q: %v", i, path, p, err)
		}
		if path, err = Find("only-"+string(rune('a'+i)), []string{dir("config")}); err != nil || filepath.Dir(path) != filepath.Dir(p) {
			t.Errorf("place %d: %q %v", i, path, err)
		}
		if err := os.Remove(p); err != nil {
			t.Fatal(err)
		}
	}
	_, err := Find("on-path", nil)
	checkError(t, err, KindNotFound, dir("env1"), dir("env2"), dir(".bertopic/plugins"), dir("data/bertopic/plugins"))
	_, err = Find("onyl-b", nil)
	checkError(t, err, KindNotFound, `did you mean "only-b"?`)
	touch(t, dir("env1"), "idle", 0o644)
	_, err = Find("idle", nil)
	checkError(t, err, KindNotFound, "chmod +x")
	_, err = Find("", nil)
	checkError(t, err, KindNotFound, "embedder.plugin")
	if path, err := Find("bertopic-embedder-only-c", nil); err != nil || filepath.Base(path) != fileName("only-c") {
		t.Errorf("by its whole name: %q %v", path, err)
	}
	if path, err := Find("env1/"+fileName("only-b"), nil); err != nil || path != filepath.Join(dir("env1"), fileName("only-b")) {
		t.Errorf("by its path: %q %v", path, err)
	}

	touch(t, dir("env2"), "only-b", 0o755)
	found, err := List([]string{dir("config")})
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, f := range found {
		if strings.HasPrefix(f.Path, root) {
			shadow := ""
			if f.Shadowed {
				shadow = "!"
			}
			have = append(have, f.Name+shadow)
		}
	}
	if w := []string{"only-a", "only-b", "only-b!", "only-c", "only-d", "only-e"}; !slices.Equal(have, w) {
		t.Errorf("list %q, not %q", have, w)
	}
}

func TestEnvironment(t *testing.T) {
	host := []string{
		"PATH=/bin", "HOME=/h", "TMPDIR=/t", "LANG=C", "LC_ALL=C", "SSL_CERT_FILE=f", "https_proxy=p", "NO_PROXY=n", "ORT_DYLIB=o",
		"CUDA_VISIBLE_DEVICES=0", "LD_LIBRARY_PATH=l", "OPENAI_API_KEY=secret", "COHERE_API_KEY=secret", "LD_PRELOAD=x", "PYTHONPATH=p", "PATHOLOGY=1",
	}
	want := append(slices.Clone(host[:11]), "COHERE_API_KEY=secret", "PYTHONDONTWRITEBYTECODE=1")
	asks := sdk.Description{Env: []string{"COHERE_API_KEY", "UNSET"}, Network: true}
	if have := Environment(host, asks); !slices.Equal(have, want) {
		t.Errorf("%q, not %q", have, want)
	}
	asks.Network = false
	want = slices.DeleteFunc(want, func(s string) bool { return s == "https_proxy=p" || s == "NO_PROXY=n" })
	if have := Environment(host, asks); !slices.Equal(have, want) {
		t.Errorf("without network: %q, not %q", have, want)
	}
}

func TestLockFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lock := filepath.Join(dir, "bertopic.lock")
	path := filepath.Join(dir, fileName("specimen"))
	copyFile(t, filepath.Join(programs, fileName("specimen")), path)
	locked := func(s *Spec) { s.Dirs, s.LockFile = []string{dir}, lock }
	try := func() error {
		e, err := Open(t.Context(), spec("specimen", nil, locked))
		if err == nil {
			err = e.Close()
		}
		return err
	}
	if err := try(); err != nil { // there is no lock file
		t.Fatal(err)
	}
	if _, err := WriteLock(t.Context(), lock, []string{path}); err != nil {
		t.Fatal(err)
	}
	if err := try(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(lock)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := WriteLock(t.Context(), lock, []string{filepath.Join(programs, fileName("plain"))}); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(lock)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(before)) {
		if !strings.Contains(string(after), line) {
			t.Errorf("the lock has lost %q: %s", line, after)
		}
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("\x00"); err != nil {
		t.Fatal(err)
	}
	f.Close()
	checkError(t, try(), KindChecksum, "lock file says", "bertopic plugins lock")
	// Under another name it is one of the programs of the lock, or is not.
	_, err = Open(t.Context(), spec(filepath.Join(programs, fileName("specimen-silent")), nil, locked))
	checkError(t, err, KindChecksum, "no program")
	if err := os.WriteFile(lock, []byte("version = 2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	checkError(t, try(), KindChecksum, "version 2")
	if err := os.WriteFile(lock, []byte("version = \n"), 0o644); err != nil {
		t.Fatal(err)
	}
	checkError(t, try(), KindChecksum, lock)
}

// copyFile has another process do it: a program that this one has open for
// writing, or a child that is just being started, can't be run.
func copyFile(t *testing.T, from, to string) {
	t.Helper()
	if out, err := exec.Command("cp", from, to).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// A program that is replaced in the midst of a run is not started anew.
func TestReplaced(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), fileName("specimen"))
	copyFile(t, filepath.Join(programs, fileName("specimen")), path)
	e := open(t, path, nil)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	copyFile(t, filepath.Join(programs, fileName("plain")), path)
	p, _ := os.FindProcess(pidOf(e))
	_ = p.Kill()
	e.workers[0].proc.gone(5 * time.Second)
	_, err := e.Embed(t.Context(), texts(3), nil)
	checkError(t, err, KindChecksum, "replaced while it was in use")
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	d, err := Describe(t.Context(), filepath.Join(programs, fileName("plain")))
	if err != nil {
		t.Fatal(err)
	}
	if d.Name != "plain" || len(d.Options) != 5 || d.Options[1].Default != int64(0) || d.Env[0] != "BERTOPIC_TEST_KEY" {
		t.Errorf("%+v", d)
	}
	_, err = Describe(t.Context(), filepath.Join(programs, "nothing"))
	checkError(t, err, KindStart, "no such file")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err = Describe(ctx, filepath.Join(programs, fileName("plain"))); err != context.Canceled {
		t.Errorf("error %v", err)
	}
}

func TestParseDescription(t *testing.T) {
	for text, want := range map[string]string{
		"hello {world}\n{\"name\": \"a\", \"protocols\": [1, 2]}\n": "a",
		"{\"name\": \"b\"}": "b",
		"hello {world}":     "",
		"":                  "",
		"{":                 "",
	} {
		d, protocols, err := parseDescription([]byte(text))
		if d.Name != want || (err == nil) != (want != "") || want == "a" && !slices.Equal(protocols, []int{1, 2}) {
			t.Errorf("%q: %+v %v %v", text, d, protocols, err)
		}
	}
}

// A program under a debugger: the host attaches to it and leaves it running.
func TestAttach(t *testing.T) {
	cmd := exec.Command(filepath.Join(programs, fileName("specimen")), "--debug")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	buf := make([]byte, 4096)
	n, err := out.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	name, value, ok := strings.Cut(strings.TrimSpace(string(buf[:n])), "=")
	if !ok || name != sdk.ReattachEnv {
		t.Fatalf("it prints %q", buf[:n])
	}
	t.Setenv(name, strings.Trim(value, "'"))
	rows := texts(40)
	for range 2 {
		e := open(t, "specimen", nil, func(s *Spec) { s.Dirs, s.Workers = nil, 3 })
		r, err := e.Embed(t.Context(), rows, nil)
		if err != nil {
			t.Fatal(err)
		}
		checkSpecimen(t, rows, r, nil)
		e.Close()
	}
	if !alive(cmd.Process.Pid) {
		t.Error("it was ended")
	}
}
