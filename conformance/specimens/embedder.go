package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/bertopic-go/bertopic/sdk"
)

const dimension = 8

// faults are the choices of the option fault; README.md says what each does.
var faults = []string{
	"none", "noise", "long-line", "flood", "wide", "panic", "crash", "kill", "hang", "freeze", "sleep", "busy", "slow",
	"short", "long", "dimension", "nan", "inf", "norm", "zeros", "vector-without", "negative",
	"sparse", "sparse-order", "sparse-pointer", "sparse-column", "dense", "truncated-bytes", "no-matrix",
	"sequence", "reversed", "twice", "ends", "status-row", "status-unknown",
	"oom", "unavailable", "error", "failed", "refuse", "configure-error", "configure-hang", "no-dimension", "bad-metric",
	"fit", "fit-crash", "state-lost", "drift",
	"lax", "coerce", "once", "early", "state-any", "wordless", "all-fail", "invents", "swapped", "no-pictures", "contagion",
	"restless", "moody", "threads", "one-stream", "stubborn", "leak", "clings", "dial", "snoop", "fill",
	"unturned", "sums", "mixes-up", "brittle",
}

// specimen is right in every way but for the faults that an embedder can have
// behind the SDK. Those on the wire are liar's.
type specimen struct {
	name, version string
	trigger

	batches counter
	rows    counter
	fitted  int // rows that Fit saw
	threads int
	sight   []sdk.Modality // what it takes
	mood    float32        // of this process
	work    sync.WaitGroup // of clings
	device  sync.RWMutex   // held by stubborn
	kept    [][]byte       // by leak
}

// counter numbers what a process has seen.
type counter struct {
	mu sync.Mutex
	n  int
}

// take returns the number of the first of n.
func (c *counter) take(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n += n
	return c.n - n
}

var (
	_ sdk.Fitter       = (*specimen)(nil)
	_ sdk.WordEmbedder = (*specimen)(nil)
)

// trigger tells when a fault shows.
type trigger struct {
	Fault  string
	At     int
	Poison string
	Limit  int
}

// hit reports whether the fault shows in the row with this number and text.
func (t trigger) hit(number int, text string) bool {
	if t.Poison == "" {
		return number == t.At
	}
	return strings.Contains(text, t.Poison) || t.At > 0 && number == t.At
}

func (e *specimen) Describe() sdk.Description {
	return sdk.Description{
		Name: e.name, Version: e.version, Summary: "breaks the promises of an embedder, one at a time",
		Modalities: e.sight,
		Options: []sdk.Option{
			{Name: "fault", Type: sdk.String, Default: "none", Choices: faults, Help: "the promise to break"},
			{Name: "at", Type: sdk.Integer, Default: 0, Help: "number of the row in which the fault shows"},
			{Name: "poison", Type: sdk.String, Default: "", Help: "a row with this text shows the fault"},
			{Name: "limit", Type: sdk.Integer, Default: 4, Help: "rows that fit into memory, for oom"},
		},
	}
}

func (e *specimen) Configure(ctx context.Context, s sdk.Settings) (sdk.Info, sdk.Diagnostics, error) {
	e.trigger, e.fitted, e.threads = trigger{}, 0, s.Threads
	if err := s.Decode(&e.trigger); err != nil {
		return sdk.Info{}, nil, err
	}
	switch e.Fault {
	case "refuse":
		return sdk.Info{}, sdk.Diagnostics{
			{Summary: "this specimen is in a mood", Option: "at"},
			{Error: true, Summary: "this fault is refused", Detail: "choose another one", Option: "fault"},
		}, nil
	case "configure-error":
		return sdk.Info{}, nil, status.Error(codes.InvalidArgument, "the specimen takes no such options")
	case "configure-hang":
		select {}
	}
	return e.info(), nil, nil
}

func (e *specimen) info() sdk.Info {
	i := sdk.Info{Dimension: dimension, Metric: sdk.Cosine, UnitLength: true, Words: slices.Contains(e.sight, sdk.Text), Device: "cpu", BatchInvariant: true}
	switch e.Fault {
	case "wide":
		i.Dimension = 1 << 16
	case "negative":
		i.Metric = sdk.Hellinger
	case "sparse", "sparse-order", "sparse-pointer", "sparse-column", "dense":
		i.Sparse = true
	case "fit", "fit-crash", "state-lost", "state-any", "early":
		i.NeedsFit = true
		if e.fitted == 0 {
			i.Dimension = 0
		}
	}
	return i
}

func (e *specimen) Fit(_ context.Context, rows iter.Seq2[sdk.Row, error]) (sdk.Info, sdk.Diagnostics, error) {
	e.fitted = 0
	for _, err := range rows {
		if err != nil {
			return sdk.Info{}, nil, err
		}
		if e.Fault == "fit-crash" {
			os.Exit(3)
		}
		e.fitted++
	}
	if e.fitted == 0 {
		return sdk.Info{}, nil, errors.New("no rows to fit")
	}
	return e.info(), nil, nil
}

func (e *specimen) SaveState(context.Context) ([]byte, error) {
	return binary.LittleEndian.AppendUint64(nil, uint64(e.fitted)), nil
}

func (e *specimen) LoadState(_ context.Context, state []byte) (sdk.Info, error) {
	if e.Fault == "state-any" && len(state) != 8 {
		state = []byte{1, 0, 0, 0, 0, 0, 0, 0}
	}
	if e.Fault == "state-lost" || len(state) != 8 {
		return sdk.Info{}, fmt.Errorf("a state of %d bytes can't be read", len(state))
	}
	e.fitted = int(binary.LittleEndian.Uint64(state))
	return e.info(), nil
}

func (e *specimen) EmbedWords(ctx context.Context, words []string) (sdk.Vectors, error) {
	rows := make([]sdk.Row, len(words))
	for i, w := range words {
		rows[i] = sdk.Row{Text: w, HasText: true}
	}
	return e.embed(ctx, rows)
}

func (e *specimen) Embed(ctx context.Context, rows []sdk.Row) (sdk.Vectors, error) {
	v, err := e.embed(ctx, rows)
	if err == nil && e.Fault == "all-fail" {
		clear(v.Dense.Data)
		for i, r := range rows {
			if r.Text != "" {
				v.Statuses = append(v.Statuses, sdk.RowStatus{Row: i, Status: sdk.Failed, Reason: "the specimen has no wish to"})
			}
		}
	}
	return v, err
}

func (e *specimen) embed(ctx context.Context, rows []sdk.Row) (sdk.Vectors, error) {
	batch := e.batches.take(1)
	if err := e.misbehave(ctx, batch, rows); err != nil {
		return sdk.Vectors{}, err
	}
	v := e.dense(rows, batch)
	if e.info().Sparse && e.Fault != "dense" {
		v = sparse(v)
	}
	return v, nil
}

// misbehave shows the faults of a batch as a whole and those that end it.
func (e *specimen) misbehave(ctx context.Context, batch int, rows []sdk.Row) error {
	switch e.Fault {
	case "stubborn":
		if slices.ContainsFunc(rows, func(r sdk.Row) bool { return e.hit(-1, r.Text) }) {
			e.device.Lock()
			defer e.device.Unlock()
			time.Sleep(2500 * time.Millisecond)
		} else {
			e.device.RLock()
			defer e.device.RUnlock()
		}
	case "leak":
		e.device.Lock()
		e.kept = append(e.kept, bytes.Repeat([]byte{1}, 4<<20))
		e.device.Unlock()
	case "clings":
		if slices.ContainsFunc(rows, func(r sdk.Row) bool { return e.hit(-1, r.Text) }) {
			e.work.Add(1)
			defer e.work.Done()
			time.Sleep(4 * time.Second)
		}
	case "brittle":
		for i, r := range rows {
			if _, err := look(r.Images, true); err != nil {
				return fmt.Errorf("row %d: %w", i, err)
			}
		}
	case "fill":
		first := e.rows.take(len(rows))
		for i, r := range rows {
			if e.hit(first+i, r.Text) {
				e.fill()
			}
		}
	case "noise":
		fmt.Fprintln(fd1, "a native library says hello")
		fmt.Println("a print that was forgotten")
	case "long-line":
		fmt.Fprintln(fd1, strings.Repeat("x", 100_000))
	case "flood":
		line := []byte(strings.Repeat("all is well, all is well, all is well, all is well, all is well\n", 1024))
		for range 2 << 20 / len(line) {
			os.Stderr.Write(line)
		}
	case "slow":
		for i := range rows {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(50 * time.Millisecond):
			}
			sdk.Progress(ctx, i+1)
		}
	case "oom":
		if len(rows) > e.Limit {
			return fmt.Errorf("%d rows of 1 GiB each: %w", len(rows), sdk.ErrOutOfMemory)
		}
	case "unavailable":
		if batch <= e.At {
			return fmt.Errorf("ask the model server: %w", sdk.ErrUnavailable)
		}
	case "panic", "crash", "kill", "hang", "freeze", "sleep", "error":
		first := e.rows.take(len(rows))
		for i, r := range rows {
			if e.hit(first+i, r.Text) {
				return e.end(ctx)
			}
		}
	}
	return nil
}

// end shows a fault that leaves the batch without an answer.
func (e *specimen) end(ctx context.Context) error {
	switch e.Fault {
	case "panic":
		var row []float32
		row[0]++
	case "crash":
		fmt.Fprintln(os.Stderr, "specimen: a wild pointer was dereferenced")
		os.Exit(3)
	case "kill":
		if p, err := os.FindProcess(os.Getpid()); err == nil {
			p.Kill()
		}
		select {}
	case "freeze":
		freeze()
		select {}
	case "hang":
		select {}
	case "sleep":
		<-ctx.Done()
		return ctx.Err()
	}
	return errors.New("the model and the weights disagree")
}

// fill takes memory until somebody stops it.
func (e *specimen) fill() {
	for range 128 {
		e.kept = append(e.kept, bytes.Repeat([]byte{1}, 32<<20))
		time.Sleep(5 * time.Millisecond)
	}
}

// dense embeds each row by itself.
func (e *specimen) dense(rows []sdk.Row, batch int) sdk.Vectors {
	columns := e.info().Dimension
	d := &sdk.Dense{Rows: len(rows), Columns: columns, Data: make([]float32, len(rows)*columns)}
	v := sdk.Vectors{Dense: d}
	for i, r := range e.order(rows) {
		status := e.row(d.Data[i*columns:(i+1)*columns], r, i, batch)
		if status.Status != sdk.OK {
			status.Row = i
			v.Statuses = append(v.Statuses, status)
		}
	}
	return v
}

// order is the order of the rows, but for the one that forgets it once it has
// sorted them by what they hold.
func (e *specimen) order(rows []sdk.Row) []sdk.Row {
	texts := slices.ContainsFunc(rows, func(r sdk.Row) bool { return r.Text != "" && len(r.Images) == 0 })
	pictures := slices.ContainsFunc(rows, func(r sdk.Row) bool {
		_, err := look(r.Images, true)
		return len(r.Images) > 0 && !r.HasText && err == nil
	})
	if e.Fault != "mixes-up" || !texts || !pictures {
		return rows
	}
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b sdk.Row) int { return len(a.Images) - len(b.Images) })
	return rows
}

// row embeds one row of a batch into dst.
func (e *specimen) row(dst []float32, r sdk.Row, i, batch int) sdk.RowStatus {
	if r.Text == "" && len(r.Images) == 0 && e.Fault == "invents" {
		r.Text = "an empty document"
	}
	if r.Text == "" && len(r.Images) == 0 {
		return sdk.RowStatus{Status: sdk.Empty}
	}
	if reason := e.pry(r.Text); reason != "" {
		return sdk.RowStatus{Status: sdk.Failed, Reason: reason}
	}
	turn := e.fitted
	switch e.Fault {
	case "drift":
		turn += i
	case "restless":
		turn += batch
	case "threads":
		turn += e.threads
	}
	dst = dst[:dimension]
	for j := range len(r.Text) {
		dst[(int(r.Text[j])+turn)%dimension]++
	}
	if e.Fault == "moody" {
		dst[0] += e.mood
	}
	if len(r.Images) == 0 {
		unit(dst)
		return sdk.RowStatus{}
	}
	seen, err := look(r.Images, e.Fault != "unturned")
	if err != nil {
		clear(dst)
		return sdk.RowStatus{Status: sdk.Failed, Reason: err.Error()}
	}
	if r.Text != "" && e.Fault != "sums" { // which forgets that texts are longer
		unit(dst)
	}
	for j := range dst {
		dst[j] += seen[j]
	}
	unit(dst)
	return sdk.RowStatus{}
}

// unit gives a vector the length 1.
func unit(row []float32) {
	sum := 0.0
	for _, x := range row {
		sum += float64(x) * float64(x)
	}
	for j := range row {
		row[j] = float32(float64(row[j]) / math.Sqrt(sum))
	}
}

// pry does what a program has not said that it does, and tells what came of it.
func (e *specimen) pry(text string) (reason string) {
	if !e.hit(-1, text) {
		return ""
	}
	switch e.Fault {
	case "dial":
		address := "192.0.2.1:80" // of a net for documentation
		if _, after, ok := strings.Cut(text, "dial "); ok {
			address, _, _ = strings.Cut(after, " ")
		}
		c, err := net.DialTimeout("tcp", address, 2*time.Second)
		if err != nil {
			return err.Error()
		}
		c.Close()
		return "reached " + address
	case "snoop":
		host, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", os.Getppid()))
		return fmt.Sprintf("its own: %s; the host's: %s %v", strings.Join(os.Environ(), " "), host, err)
	}
	return ""
}

// sparse is v without its zeros.
func sparse(v sdk.Vectors) sdk.Vectors {
	d := v.Dense
	s := &sdk.Sparse{Rows: d.Rows, Columns: d.Columns, Indptr: make([]uint32, 1, d.Rows+1)}
	for row := range slices.Chunk(d.Data, d.Columns) {
		for j, x := range row {
			if x != 0 {
				s.Indices, s.Data = append(s.Indices, uint32(j)), append(s.Data, x)
			}
		}
		s.Indptr = append(s.Indptr, uint32(len(s.Data)))
	}
	return sdk.Vectors{Sparse: s, Statuses: v.Statuses}
}

// fd1 is file descriptor 1 itself, as a native library sees it.
var fd1 = os.NewFile(1, "fd1")
