package host

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/bertopic-go/bertopic/sdk"
)

const (
	describeTimeout = 30 * time.Second // a program that imports much takes its time
	maxDescription  = 4 << 20
)

// Describe runs `PROGRAM --describe` and returns what the program says of
// itself. It fails where that is no sound description, where the program speaks
// no protocol that this host speaks, or where its name is not the NAME of its
// file bertopic-embedder-NAME. The error is an *Error.
//
// A program that everybody may change is not run.
func Describe(ctx context.Context, path string) (sdk.Description, error) {
	if _, err := surveyProgram(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return sdk.Description{}, &Error{Kind: KindUnsafe, Plugin: nameOf(path), Op: "check the program", Err: err}
	}
	return describe(ctx, path, describeTimeout, IsolateAuto)
}

func nameOf(path string) string {
	if name, ok := programName(path); ok {
		return name
	}
	return filepath.Base(path)
}

// describe is Describe for a program that has been looked at.
func describe(ctx context.Context, path string, timeout time.Duration, isolation string) (sdk.Description, error) {
	name, named := programName(path)
	if !named {
		name = filepath.Base(path)
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	out := newOutput(slog.New(slog.DiscardHandler))
	text, err := runDescribe(limited, path, out, isolation)
	fail := func(kind ErrorKind, err error) (sdk.Description, error) {
		return sdk.Description{}, &Error{Kind: kind, Plugin: name, Op: "run " + path + " --describe", Err: err, Stderr: out.lines()}
	}
	switch {
	case ctx.Err() != nil:
		return sdk.Description{}, context.Cause(ctx)
	case errors.Is(err, context.DeadlineExceeded):
		return fail(KindTimeout, fmt.Errorf("no answer within %v: raise embedder.start_timeout if it needs longer", timeout))
	case err != nil:
		return fail(KindStart, err)
	}
	d, protocols, err := parseDescription(text)
	if err != nil {
		return fail(KindProtocol, err)
	}
	if len(protocols) > 0 && !slices.Contains(protocols, sdk.ProtocolVersion) {
		return fail(KindProtocol, fmt.Errorf("it speaks the protocols %v, this host speaks %d: the older of the two needs an update", protocols, sdk.ProtocolVersion))
	}
	if err := d.Check(); err != nil {
		return fail(KindProtocol, err)
	}
	if named && d.Name != name {
		return fail(KindLied, fmt.Errorf("it calls itself %q: its file should be called %s", d.Name, fileName(d.Name)))
	}
	return d, nil
}

// runDescribe returns what the program prints. Its process is gone when it
// returns. It may not use the network: there is nothing to ask of it.
func runDescribe(ctx context.Context, path string, out *output, isolation string) ([]byte, error) {
	var stdout, stderr limited
	var state *os.ProcessState
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and ends so: see child.Start
		p, err := confinement{isolate: isolation}.startConfined(func() *exec.Cmd {
			cmd := exec.CommandContext(ctx, path, "--describe")
			cmd.Env = Environment(os.Environ(), sdk.Description{})
			setAttributes(cmd)
			cmd.Cancel = func() error { killGroup(cmd.Process); return cmd.Process.Kill() }
			cmd.WaitDelay = drain // for a grandchild that holds a pipe
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			return cmd
		})
		if err == nil {
			err = p.Cmd.Wait()
			killGroup(p.Cmd.Process)
			state = p.Cmd.ProcessState
			p.Close()
		}
		done <- err
	}()
	err := <-done
	out.stderr(&stderr.Buffer)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case state != nil && !state.Success():
		return nil, fmt.Errorf("it ended with %s", describeState(state))
	case err != nil && !errors.Is(err, exec.ErrWaitDelay):
		return nil, err
	}
	return stdout.Bytes(), nil
}

// limited keeps the first maxDescription bytes that are written to it.
type limited struct{ bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	room := max(0, maxDescription-l.Len())
	l.Buffer.Write(p[:min(room, len(p))])
	return len(p), nil
}

// parseDescription reads the JSON that --describe prints. Lines before it, from
// a native library that greets on standard output, are passed over.
func parseDescription(text []byte) (d sdk.Description, protocols []int, err error) {
	at := bytes.IndexByte(text, '{')
	for at > 0 && text[at-1] != '\n' {
		next := bytes.Index(text[at:], []byte("\n{"))
		if next < 0 {
			at = -1
			break
		}
		at += next + 1
	}
	if at < 0 {
		return d, nil, fmt.Errorf("it printed %s, not a description in JSON", quote(text))
	}
	text = text[at:]
	var head struct {
		Protocols []int `json:"protocols"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return d, nil, fmt.Errorf("its description is not JSON: %w", err)
	}
	if err := json.Unmarshal(text, &d); err != nil {
		return d, nil, fmt.Errorf("its description can't be read: %w", err)
	}
	return d, head.Protocols, nil
}

// quote shows the beginning of what a program printed.
func quote(text []byte) string {
	const most = 80
	s := strings.ToValidUTF8(strings.TrimSpace(string(text)), "\uFFFD")
	if s == "" {
		return "nothing"
	}
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return fmt.Sprintf("%q", s)
}
