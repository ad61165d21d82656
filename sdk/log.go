package sdk

import (
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/hashicorp/go-hclog"
)

// The host reads a program's log lines in hclog's JSON form; both loggers here
// write it.

// logTime is the one form of a time that go-plugin reads.
const logTime = "2006-01-02T15:04:05.000000Z07:00"

func logLevel(name string) (slog.Level, hclog.Level) {
	env := "BERTOPIC_LOG_PLUGIN_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
	switch strings.ToLower(os.Getenv(env)) {
	case "trace":
		return slog.LevelDebug, hclog.Trace
	case "debug":
		return slog.LevelDebug, hclog.Debug
	case "warn":
		return slog.LevelWarn, hclog.Warn
	case "error":
		return slog.LevelError, hclog.Error
	}
	return slog.LevelInfo, hclog.Info
}

// newLogger is what the embedder's own slog calls reach.
func newLogger(w io.Writer, name string) *slog.Logger {
	level, _ := logLevel(name)
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{
		Level: level,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) > 0 {
				return a
			}
			switch a.Key {
			case slog.TimeKey:
				return slog.String("@timestamp", a.Value.Time().Format(logTime))
			case slog.LevelKey:
				return slog.String("@level", strings.ToLower(a.Value.String()))
			case slog.MessageKey:
				a.Key = "@message"
			}
			return a
		},
	}))
}

// newPluginLogger is go-plugin's own.
func newPluginLogger(w io.Writer, name string) hclog.Logger {
	_, level := logLevel(name)
	return hclog.New(&hclog.LoggerOptions{Name: "go-plugin", Level: level, Output: w, JSONFormat: true, TimeFormat: logTime})
}
