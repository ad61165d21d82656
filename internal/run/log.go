package run

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
)

// TextHandler writes log records for a person: no time, no level below a
// warning, attributes behind the message.
type TextHandler struct {
	mu    *sync.Mutex
	w     io.Writer
	level slog.Level
	attrs []slog.Attr
}

var _ slog.Handler = (*TextHandler)(nil)

// NewTextHandler writes records of level and above to w.
func NewTextHandler(w io.Writer, level slog.Level) *TextHandler {
	return &TextHandler{mu: &sync.Mutex{}, w: w, level: level}
}

// Enabled reports whether records of the level are written.
func (h *TextHandler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level }

// Handle writes one record as one line.
func (h *TextHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	switch {
	case r.Level >= slog.LevelError:
		b.WriteString("error: ")
	case r.Level >= slog.LevelWarn:
		b.WriteString("warning: ")
	case r.Level < slog.LevelInfo:
		b.WriteString("debug: ")
	}
	attrs := append([]slog.Attr{}, h.attrs...)
	r.Attrs(func(a slog.Attr) bool { attrs = append(attrs, a); return true })
	if r.Message == "step" { // the name is what a person wants to see
		for _, a := range attrs {
			if a.Key == "name" {
				fmt.Fprintf(&b, "%-16s", a.Value)
			}
		}
		for _, a := range attrs {
			switch a.Key {
			case "seconds":
				fmt.Fprintf(&b, " %7.2f s", a.Value.Float64())
			case "peak_mib":
				fmt.Fprintf(&b, "  %6.0f MiB", a.Value.Float64())
			}
		}
	} else {
		b.WriteString(r.Message)
		for _, a := range attrs {
			if a.Key != "code" {
				fmt.Fprintf(&b, " %s=%v", a.Key, a.Value)
			}
		}
	}
	b.WriteByte('\n')
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := io.WriteString(h.w, b.String())
	return err
}

// WithAttrs returns a handler that adds attrs to every record.
func (h *TextHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	c.attrs = append(append([]slog.Attr{}, h.attrs...), attrs...)
	return &c
}

// WithGroup is not needed by a line for people: groups are flat.
func (h *TextHandler) WithGroup(string) slog.Handler { return h }
