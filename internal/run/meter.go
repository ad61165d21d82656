package run

import (
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// StepRecord is one step of a run, as run.json tells it.
type StepRecord struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
	PeakMiB float64 `json:"peak_mib"` // the most memory that this process had held by the end of the step
}

// Meter tells the user where a run is: a bar on a terminal, a line a step
// otherwise, JSON lines when the log is JSON.
type Meter struct {
	log   *slog.Logger
	out   io.Writer
	bars  bool
	mu    sync.Mutex
	bar   *progressbar.ProgressBar
	Steps []StepRecord
}

// NewMeter writes to out, which is the standard error as a rule.
func NewMeter(out io.Writer, log *slog.Logger, quiet bool) *Meter {
	f, ok := out.(*os.File)
	return &Meter{log: log, out: out, bars: ok && !quiet && term.IsTerminal(int(f.Fd()))}
}

// Step starts a step; the function it returns ends it.
func (m *Meter) Step(name string) (done func()) {
	start := time.Now()
	return func() { m.Record(name, time.Since(start)) }
}

// Record notes a step that has ended.
func (m *Meter) Record(name string, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.clear()
	r := StepRecord{Name: name, Seconds: took.Seconds(), PeakMiB: peakMiB()}
	m.Steps = append(m.Steps, r)
	m.log.Info("step", "name", name, "seconds", round(r.Seconds, 3), "peak_mib", round(r.PeakMiB, 1))
}

// Progress shows that done of total items of a step are through.
func (m *Meter) Progress(name string, done, total int) {
	if !m.bars || total <= 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.bar == nil {
		m.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(m.out), progressbar.OptionSetDescription(name),
			progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("rows"),
			progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(30))
	}
	m.bar.Set(done)
	if done >= total {
		m.clear()
	}
}

func (m *Meter) clear() {
	if m.bar != nil {
		m.bar.Clear()
		m.bar = nil
	}
}

// Close takes away what is on the screen.
func (m *Meter) Close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.clear()
}

func round(v float64, digits int) float64 {
	scale := 1.0
	for range digits {
		scale *= 10
	}
	return float64(int64(v*scale+0.5)) / scale
}
