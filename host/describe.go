package host

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
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
func Describe(ctx context.Context, path string) (sdk.Description, error) {
	name, named := programName(path)
	if !named {
		name = filepath.Base(path)
	}
	limited, cancel := context.WithTimeout(ctx, describeTimeout)
	defer cancel()
	out := newOutput(slog.New(slog.DiscardHandler))
	text, err := runDescribe(limited, path, out)
	fail := func(kind ErrorKind, err error) (sdk.Description, error) {
		return sdk.Description{}, &Error{Kind: kind, Plugin: name, Op: "run " + path + " --describe", Err: err, Stderr: out.lines()}
	}
	switch {
	case ctx.Err() != nil:
		return sdk.Description{}, context.Cause(ctx)
	case errors.Is(err, context.DeadlineExceeded):
		return fail(KindTimeout, fmt.Errorf("no answer within %v", describeTimeout))
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
// returns.
func runDescribe(ctx context.Context, path string, out *output) ([]byte, error) {
	cmd := exec.CommandContext(ctx, path, "--describe")
	cmd.Env = Environment(os.Environ(), nil)
	setAttributes(cmd)
	cmd.Cancel = func() error { killGroup(cmd.Process); return cmd.Process.Kill() }
	cmd.WaitDelay = drain // for a grandchild that holds a pipe
	var stdout limited
	var stderr limited
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if cmd.Process != nil {
		killGroup(cmd.Process)
	}
	out.stderr(&stderr.Buffer)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case cmd.ProcessState != nil && !cmd.ProcessState.Success():
		return nil, fmt.Errorf("it ended with %s", describeState(cmd.ProcessState))
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
