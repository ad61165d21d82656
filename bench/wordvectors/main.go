// Command wordvectors measures how long a large file of word vectors takes to
// open and what memory its users hold, alone and side by side.
//
//	go run ./bench/wordvectors                       1,000,000 words of 300 values: 1.2 GB
//	go run ./bench/wordvectors -words 100000 -text   smaller, and as text too
//	go run ./bench/wordvectors -from FILE -export X  any file in word2vec's binary form
//
// The files are made of random numbers in a temporary folder (-dir names another
// place, with room for three times the size). Each worker is a process of its
// own that opens the file, looks words up and then waits, so that all of them
// hold it at once while memory is read (Linux).
package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/bertopic-go/bertopic/internal/wordvectors"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "wordvectors:", err)
		os.Exit(1)
	}
}

type settings struct {
	words, dim, workers, lookups int
	text                         bool
	dir                          string
}

func run(args []string, in io.Reader, out io.Writer) error {
	var s settings
	var work, cache, from, export string
	f := flag.NewFlagSet("wordvectors", flag.ContinueOnError)
	f.IntVar(&s.words, "words", 1_000_000, "words of the file")
	f.IntVar(&s.dim, "dim", 300, "values of a vector")
	f.IntVar(&s.workers, "workers", 4, "processes side by side")
	f.IntVar(&s.lookups, "lookups", 20_000, "words that each process looks up")
	f.BoolVar(&s.text, "text", false, "measure the same vectors as text, too")
	f.StringVar(&s.dir, "dir", "", "folder for the files (default: a temporary one)")
	f.StringVar(&work, "worker", "", "be a worker on this file")
	f.StringVar(&cache, "cache", "", "cache folder of a worker")
	f.StringVar(&from, "from", "", "file of vectors that is written to the file of -export")
	f.StringVar(&export, "export", "", "see -from")
	if err := f.Parse(args); err != nil {
		return err
	}
	if s.words < 1 || s.dim < 1 || s.workers < 1 {
		return errors.New("words, dim and workers start at 1")
	}
	if from != "" {
		return convert(from, export)
	}
	if work != "" {
		return worker(work, cache, s, in, out)
	}
	return measure(s, out)
}

// figures are what a worker tells.
type figures struct {
	Open    float64 // seconds
	Lookups float64 // words and vectors a second
	Rss     int64   // KiB
	Pss     int64   // with shared pages divided among those who share
	Private int64   // not shared with anybody
	Anon    int64   // not of a file
}

// worker opens a file, tells so, and tells of its memory when a line comes in.
func worker(path, cache string, s settings, in io.Reader, out io.Writer) error {
	start := time.Now()
	t, err := wordvectors.Open(context.Background(), path, wordvectors.Options{CacheDir: cache})
	if err != nil {
		return err
	}
	defer t.Close()
	r := figures{Open: time.Since(start).Seconds()}
	random := rand.New(rand.NewPCG(1, 2))
	sum := make([]float64, t.Info.Dim)
	start = time.Now()
	for range s.lookups {
		row, ok := t.Lookup(word(random.IntN(s.words)))
		if !ok {
			return errors.New("a word of the file is not found")
		}
		t.Add(sum, row, 1)
	}
	r.Lookups = float64(s.lookups) / time.Since(start).Seconds()
	if math.IsNaN(sum[0]) {
		return errors.New("a vector is not finite")
	}
	fmt.Fprintln(out, "ready")
	if _, err := bufio.NewReader(in).ReadString('\n'); err != nil {
		return err
	}
	if err := r.memory(); err != nil {
		return err
	}
	if err := json.NewEncoder(out).Encode(r); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, in) // until all have been measured
	return err
}

// memory reads the kernel's sums over all mappings of this process.
func (r *figures) memory() error {
	b, err := os.ReadFile("/proc/self/smaps_rollup")
	if errors.Is(err, os.ErrNotExist) {
		return nil // not Linux: times alone
	}
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		n, _ := strconv.ParseInt(f[1], 10, 64) // not a number: not a line that is wanted
		switch f[0] {
		case "Rss:":
			r.Rss = n
		case "Pss:":
			r.Pss = n
		case "Private_Clean:", "Private_Dirty:":
			r.Private += n
		case "Anonymous:":
			r.Anon = n
		}
	}
	return nil
}

func word(i int) string { return "word" + strconv.Itoa(i) }

// measure makes the files, starts workers and prints a table.
func measure(s settings, out io.Writer) error {
	dir, err := os.MkdirTemp(s.dir, "wordvectors-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	files := []string{"binary"}
	if s.text {
		files = append(files, "text")
	}
	fmt.Fprintf(out, "%d words of %d values, %d lookups, %s, %s/%s, %d cores\n", s.words, s.dim, s.lookups, runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "file\topening\tworkers\topen, s\tresident MiB\tshared out MiB\tprivate MiB\tanonymous MiB\twords/s")
	for _, form := range files {
		path := filepath.Join(dir, "vectors."+form)
		size, err := generate(path, s, form == "text")
		if err != nil {
			return err
		}
		name := fmt.Sprintf("%s, %.2f GB", form, float64(size)/1e9)
		cache := filepath.Join(dir, "cache-"+form)
		for _, c := range []struct {
			what    string
			workers int
			cache   string
		}{
			{"first", 1, cache}, {"again", 1, cache}, {"again", s.workers, cache}, {"first", s.workers, cache + "-2"},
		} {
			all, err := together(path, c.cache, s, c.workers)
			if err != nil {
				return err
			}
			fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\n", name, c.what, c.workers,
				span(all, "%.3f", func(r figures) float64 { return r.Open }),
				span(all, "%.0f", func(r figures) float64 { return float64(r.Rss) / 1024 }),
				span(all, "%.0f", func(r figures) float64 { return float64(r.Pss) / 1024 }),
				span(all, "%.0f", func(r figures) float64 { return float64(r.Private) / 1024 }),
				span(all, "%.0f", func(r figures) float64 { return float64(r.Anon) / 1024 }),
				span(all, "%.0f", func(r figures) float64 { return r.Lookups }))
		}
		if err := errors.Join(os.Remove(path), os.RemoveAll(cache), os.RemoveAll(cache+"-2")); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, "first: nothing is in the cache folder; all files are in the page cache. Resident memory counts shared pages in each process; shared out divides them.")
	return err
}

// span is one figure, or the lowest and the highest.
func span(all []figures, format string, of func(figures) float64) string {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, r := range all {
		lo, hi = min(lo, of(r)), max(hi, of(r))
	}
	a, b := fmt.Sprintf(format, lo), fmt.Sprintf(format, hi)
	if a == b {
		return a
	}
	return a + "-" + b
}

// together runs so many workers at once.
func together(path, cache string, s settings, n int) ([]figures, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	type process struct {
		cmd *exec.Cmd
		in  io.WriteCloser
		out *bufio.Reader
	}
	var ps []process
	defer func() {
		for _, p := range ps {
			p.in.Close() // a worker that waits ends
		}
	}()
	for range n {
		cmd := exec.Command(self, "-worker", path, "-cache", cache, "-words", strconv.Itoa(s.words), "-lookups", strconv.Itoa(s.lookups))
		cmd.Stderr = os.Stderr
		in, err := cmd.StdinPipe()
		if err != nil {
			return nil, err
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			return nil, err
		}
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		ps = append(ps, process{cmd, in, bufio.NewReader(out)})
	}
	for _, p := range ps {
		if line, err := p.out.ReadString('\n'); err != nil || line != "ready\n" {
			return nil, fmt.Errorf("a worker said %q: %w", line, err)
		}
	}
	all := make([]figures, n)
	for i, p := range ps { // one after the other, all of them there
		fmt.Fprintln(p.in, "measure") // a worker that is gone does not answer
		line, err := p.out.ReadString('\n')
		if err == nil {
			err = json.Unmarshal([]byte(line), &all[i])
		}
		if err != nil {
			return nil, err
		}
	}
	for _, p := range ps {
		p.in.Close()
		if err := p.cmd.Wait(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// convert writes a file of vectors in word2vec's binary form.
func convert(from, to string) error {
	t, err := wordvectors.Open(context.Background(), from, wordvectors.Options{})
	if err != nil {
		return err
	}
	defer t.Close()
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	fmt.Fprintf(w, "%d %d\n", t.Info.Rows, t.Info.Dim)
	var b []byte
	var v []float32
	for i := range t.Info.Rows {
		b, v = append(append(b[:0], t.Word(i)...), ' '), t.AppendTo(v[:0], i)
		for _, x := range v {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// generate writes a file of random vectors.
func generate(path string, s settings, text bool) (size int64, err error) {
	f, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	fmt.Fprintf(w, "%d %d\n", s.words, s.dim)
	random := rand.New(rand.NewPCG(3, 4))
	var b []byte
	for i := range s.words {
		b = append(append(b[:0], word(i)...), ' ')
		for j := range s.dim {
			v := float32(random.Float64() - 0.5)
			switch {
			case !text:
				b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
			case j > 0:
				b = append(b, ' ')
				fallthrough
			default:
				b = strconv.AppendFloat(b, float64(v), 'f', 5, 32)
			}
		}
		if text {
			b = append(b, '\n')
		}
		if _, err := w.Write(b); err != nil {
			return 0, err
		}
	}
	if err := w.Flush(); err != nil {
		return 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
