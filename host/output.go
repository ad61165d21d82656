package host

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	maxLine    = 64 << 10 // a longer line of a program's is cut into several
	tailLines  = 20       // what an error quotes
	tailLength = 2000     // of each
	lineRate   = 1000     // lines a second that reach the log; the rest is counted
)

// output takes the lines that one process writes to its standard error (and to
// its standard output, where it has no business), passes them on to the log and
// remembers the last ones.
type output struct {
	log *slog.Logger

	mu      sync.Mutex
	tail    []string // a ring
	next    int
	second  time.Time
	passed  int
	dropped int
}

func newOutput(log *slog.Logger) *output { return &output{log: log} }

// lines are the last ones written to standard error.
func (o *output) lines() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Concat(o.tail[o.next:], o.tail[:o.next])
}

func (o *output) remember(line string) {
	if len(line) > tailLength {
		line = strings.ToValidUTF8(line[:tailLength], "") + "..."
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.tail) < tailLines {
		o.tail = append(o.tail, line)
		return
	}
	o.tail[o.next] = line
	o.next = (o.next + 1) % tailLines
}

// admit reports whether one more line may go to the log, so that a flood from
// the program does not become one of the host's.
func (o *output) admit() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if now := time.Now(); now.Sub(o.second) >= time.Second {
		o.reportDropped()
		o.second, o.passed = now, 0
	}
	if o.passed >= lineRate {
		o.dropped++
		return false
	}
	o.passed++
	return true
}

// end reports what was left out last.
func (o *output) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.reportDropped()
}

func (o *output) reportDropped() {
	if o.dropped > 0 {
		o.log.Warn("lines of the program were left out of the log", "lines", o.dropped)
		o.dropped = 0
	}
}

// stderr reads a process's standard error to its end.
func (o *output) stderr(r io.Reader) {
	panicking := false // what follows the first line of a Go panic belongs to it
	eachLine(r, func(line []byte) {
		record, structured := parseRecord(line)
		if structured {
			o.remember(record.String())
		} else {
			o.remember(string(line))
		}
		if !o.admit() {
			return
		}
		if structured {
			o.log.LogAttrs(context.Background(), record.level, record.message, record.attrs...)
			return
		}
		text := string(line)
		panicking = panicking || strings.HasPrefix(text, "panic: ") || strings.HasPrefix(text, "fatal error: ")
		level := slog.LevelDebug
		if panicking {
			level = slog.LevelError
		}
		o.log.Log(context.Background(), level, "stderr", "line", text)
	})
}

// stray logs a line of standard output.
func (o *output) stray(line []byte) {
	if o.admit() {
		o.log.Debug("stdout", "line", string(line))
	}
}

// Write takes what go-plugin brings of a program's os.Stdout and os.Stderr.
func (o *output) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		o.stray(bytes.TrimRight(line, "\r\n"))
	}
	return len(p), nil
}

// eachLine calls f with each line of r, without its end. A line of more than
// maxLine bytes comes in pieces. The slice is f's until it returns.
func eachLine(r io.Reader, f func(line []byte)) {
	b := bufio.NewReaderSize(r, maxLine)
	for {
		line, err := b.ReadSlice('\n')
		if len(line) > 0 {
			f(bytes.TrimRight(line, "\r\n"))
		}
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
	}
}

// record is a line in hclog's JSON form, which the SDK's programs write.
type record struct {
	level   slog.Level
	message string
	attrs   []slog.Attr
}

var levels = map[string]slog.Level{
	"trace": slog.LevelDebug, "debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
}

func parseRecord(line []byte) (record, bool) {
	if len(line) == 0 || line[0] != '{' {
		return record{}, false
	}
	var fields map[string]any
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber() // 1000000, not 1e+06
	if err := d.Decode(&fields); err != nil || d.More() {
		return record{}, false
	}
	message, hasMessage := fields["@message"].(string)
	name, _ := fields["@level"].(string)
	level, hasLevel := levels[strings.ToLower(name)]
	if !hasMessage || !hasLevel {
		return record{}, false
	}
	r := record{level: level, message: message}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		if !strings.HasPrefix(key, "@") {
			r.attrs = append(r.attrs, slog.Any(key, fields[key]))
		}
	}
	return r, true
}

// String is the record as a person reads it in an error.
func (r record) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", r.level, r.message)
	for _, a := range r.attrs {
		fmt.Fprintf(&b, " %s=%v", a.Key, a.Value)
	}
	return b.String()
}
