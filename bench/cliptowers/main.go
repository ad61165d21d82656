// Program cliptowers runs the two towers of a CLIP model on pixels and token ids
// that a file holds, for bench/clip_towers.py, and prints what it cost as JSON.
package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/bertopic-go/bertopic/internal/encoder"
	"github.com/bertopic-go/bertopic/internal/session"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

// job is what the command line asks for.
type job struct {
	model, graphs, precision, device string
	pixels, ids                      string
	textOut, imageOut                string
	threads, pictures, tokens        int
	bits                             bool
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var j job
	f := flag.NewFlagSet("cliptowers", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&j.model, "model", "", "folder of the model")
	f.StringVar(&j.graphs, "graphs", "", "folder that graphs are kept in")
	f.StringVar(&j.precision, "precision", "fp32", "fp32, fp16 or int8")
	f.StringVar(&j.device, "device", "cpu", "cpu or cuda:N")
	f.StringVar(&j.pixels, "pixels", "", "file of float32 pixels, one picture after the other")
	f.StringVar(&j.ids, "ids", "", "JSON file of lists of token ids")
	f.StringVar(&j.textOut, "text-out", "", "file for the vectors of texts, float32")
	f.StringVar(&j.imageOut, "image-out", "", "file for the vectors of pictures, float32")
	f.IntVar(&j.threads, "threads", 1, "runs at a time")
	f.IntVar(&j.pictures, "pictures", 8, "pictures of a batch")
	f.IntVar(&j.tokens, "tokens", 512, "tokens of a batch of texts of one length")
	f.BoolVar(&j.bits, "bits", false, "compare each row alone with itself in its batch")
	if err := f.Parse(args); err != nil {
		return 2
	}
	result, err := j.do(ctx)
	if err == nil {
		err = json.NewEncoder(stdout).Encode(result)
	}
	if err != nil {
		fmt.Fprintln(stderr, "cliptowers:", err)
		return 1
	}
	return 0
}

// cost is what a pass over all rows took.
type cost struct {
	Rows     int     `json:"rows"`
	Wall     float64 `json:"wall"`
	CPU      float64 `json:"cpu"`
	SameBits *bool   `json:"same_bits,omitempty"`
}

func (j job) do(ctx context.Context) (map[string]cost, error) {
	about, err := encoder.DescribeCLIP(ctx, j.model)
	if err != nil {
		return nil, err
	}
	out := map[string]cost{}
	if j.pixels != "" {
		if out["image"], err = j.images(ctx, about); err != nil {
			return nil, err
		}
	}
	if j.ids != "" {
		if out["text"], err = j.texts(ctx, about); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// load makes one tower.
func (j job) load(ctx context.Context, only encoder.Tower) (*session.Pool, error) {
	device, err := session.ParseDevice(j.device)
	if err != nil {
		return nil, err
	}
	key := fmt.Sprintf("cliptowers-%s-%s", only, j.precision)
	return session.Load(ctx, session.Source{Dir: j.graphs, Key: key, Build: func(ctx context.Context) (*encoder.Model, error) {
		c, err := encoder.BuildCLIP(ctx, encoder.CLIPSpec{Dir: j.model, Precision: encoder.Precision(j.precision), Only: only})
		if err != nil {
			return nil, err
		}
		if only == encoder.TextTower {
			return c.Text, nil
		}
		return c.Vision, nil
	}}, device, j.threads)
}

// timed runs a pass twice and takes the second.
func timed(rows int, pass func() error) (cost, error) {
	if err := pass(); err != nil {
		return cost{}, err
	}
	before, start := cpu(), time.Now()
	err := pass()
	return cost{Rows: rows, Wall: time.Since(start).Seconds(), CPU: cpu() - before}, err
}

// cpu is the processor time of this process so far.
func cpu() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return math.NaN()
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

func (j job) images(ctx context.Context, about *encoder.CLIP) (cost, error) {
	p, err := j.load(ctx, encoder.VisionTower)
	if err != nil {
		return cost{}, err
	}
	defer p.Close()
	pixels, err := readFloats(j.pixels)
	if err != nil {
		return cost{}, err
	}
	size := about.ImageSize
	each, d := 3*size*size, p.Graph().Dimension
	n := len(pixels) / each
	out := make([]float32, n*d)
	see := func(lo, hi int, out []float32) error {
		return p.Run(ctx, []session.Tensor{session.Floats(pixels[lo*each:hi*each], hi-lo, 3, size, size)}, out)
	}
	c, err := timed(n, func() error {
		return p.Each(ctx, (n+j.pictures-1)/j.pictures, func(i int) error {
			lo, hi := i*j.pictures, min(n, (i+1)*j.pictures)
			return see(lo, hi, out[lo*d:hi*d])
		})
	})
	if err != nil {
		return cost{}, err
	}
	if j.bits {
		if c.SameBits, err = same(n, d, out, func(i int, out []float32) error { return see(i, i+1, out) }); err != nil {
			return cost{}, err
		}
	}
	return c, writeFloats(j.imageOut, out)
}

func (j job) texts(ctx context.Context, about *encoder.CLIP) (cost, error) {
	p, err := j.load(ctx, encoder.TextTower)
	if err != nil {
		return cost{}, err
	}
	defer p.Close()
	var rows [][]int64
	raw, err := os.ReadFile(j.ids)
	if err == nil {
		err = json.Unmarshal(raw, &rows)
	}
	if err != nil {
		return cost{}, err
	}
	d := p.Graph().Dimension
	out := make([]float32, len(rows)*d)
	read := func(members []int, out []float32) error {
		var ids []int64
		for _, m := range members {
			ids = append(ids, rows[m]...)
		}
		return p.Run(ctx, []session.Tensor{session.Ints(ids, len(members), len(ids)/len(members))}, out)
	}
	batches := byLength(rows, j.tokens)
	c, err := timed(len(rows), func() error {
		return p.Each(ctx, len(batches), func(i int) error {
			part := make([]float32, len(batches[i])*d)
			err := read(batches[i], part)
			for k, m := range batches[i] {
				copy(out[m*d:(m+1)*d], part[k*d:])
			}
			return err
		})
	})
	if err != nil {
		return cost{}, err
	}
	if j.bits {
		if c.SameBits, err = same(len(rows), d, out, func(i int, out []float32) error { return read([]int{i}, out) }); err != nil {
			return cost{}, err
		}
	}
	return c, writeFloats(j.textOut, out)
}

// byLength puts texts of one length into batches of so many tokens.
func byLength(rows [][]int64, tokens int) [][]int {
	order := make([]int, len(rows))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return len(rows[b]) - len(rows[a]) })
	var out [][]int
	for lo := 0; lo < len(order); {
		n, hi := len(rows[order[lo]]), lo+1
		for hi < len(order) && len(rows[order[hi]]) == n && (hi-lo+1)*n <= tokens {
			hi++
		}
		out = append(out, order[lo:hi])
		lo = hi
	}
	return out
}

// same runs each row alone and compares its bits.
func same(n, d int, all []float32, one func(i int, out []float32) error) (*bool, error) {
	equal, out := true, make([]float32, d)
	for i := range n {
		if err := one(i, out); err != nil {
			return nil, err
		}
		equal = equal && slices.Equal(out, all[i*d:(i+1)*d])
	}
	return &equal, nil
}

func readFloats(path string) ([]float32, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(raw)%4 != 0 {
		return nil, errors.New("read " + path + ": no whole number of float32")
	}
	v := make([]float32, len(raw)/4)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return v, nil
}

func writeFloats(path string, v []float32) error {
	if path == "" {
		return nil
	}
	raw := make([]byte, 0, 4*len(v))
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
	}
	return os.WriteFile(path, raw, 0o666)
}
