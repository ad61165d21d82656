package run

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/bertopic-go/bertopic/corpus"
	"github.com/bertopic-go/bertopic/host"
	"github.com/bertopic-go/bertopic/internal/config"
)

// The exit codes of the command.
const (
	ExitDone        = 0
	ExitOther       = 1 // a fault of the program
	ExitUsage       = 2
	ExitInput       = 3
	ExitEmbedder    = 4
	ExitResources   = 5
	ExitInterrupted = 130
)

// InputError is bad input that no reader found: an empty corpus, vectors that
// don't fit it, rows that on_bad_row = "error" refuses.
type InputError struct{ Msg string }

func (e *InputError) Error() string { return e.Msg }

func inputErrorf(format string, args ...any) error {
	return &InputError{fmt.Sprintf(format, args...)}
}

// UsageError is a call that can't be right.
type UsageError struct{ Msg string }

func (e *UsageError) Error() string { return e.Msg }

func usageErrorf(format string, args ...any) error {
	return &UsageError{fmt.Sprintf(format, args...)}
}

// ExitCode returns the exit code that tells of err.
func ExitCode(err error) int {
	var (
		configErr *config.Error
		usageErr  *UsageError
		inputErr  *InputError
		corpusErr *corpus.Error
		hostErr   *host.Error
		memoryErr *MemoryError
	)
	switch {
	case err == nil:
		return ExitDone
	case errors.Is(err, context.Canceled):
		return ExitInterrupted
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.ENOMEM), errors.As(err, &memoryErr):
		return ExitResources
	case errors.As(err, &configErr), errors.As(err, &usageErr):
		return ExitUsage
	case errors.As(err, &corpusErr), errors.As(err, &inputErr):
		return ExitInput
	case errors.As(err, &hostErr):
		if hostErr.Kind == host.KindOptions || hostErr.Kind == host.KindNotFound {
			return ExitUsage
		}
		return ExitEmbedder
	}
	return ExitOther
}

// some lists names for a message, at most limit of them.
func some(names []string, limit int) string {
	if len(names) <= limit {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:limit], ", "), len(names)-limit)
}
