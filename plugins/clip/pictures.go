package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/bertopic-go/bertopic/internal/picture"
	"github.com/bertopic-go/bertopic/internal/session"
	"github.com/bertopic-go/bertopic/sdk"
)

// Pictures of a run of the vision tower.
const (
	pictureBatch    = 8
	pictureBatchGPU = 64
)

// pictureReader makes vectors of pictures.
type pictureReader struct {
	preprocessor *picture.Preprocessor
	pool         *session.Pool
	limits       picture.Limits
	decoders     int // goroutines that decode
	gpu          bool
	batch        int
	memory       *memory
	workers      sync.Pool // of *pictureWorker
	runs         sync.Pool // of *run
}

// pictureWorker is what a goroutine decodes with.
type pictureWorker struct {
	decoder picture.Decoder
	pixels  picture.Worker
	held    int64 // bytes of memory
}

// pictureSide is what became of a picture.
type pictureSide struct {
	vector []float32 // as the tower gives it
	err    error
}

// run is a batch on its way. The last of its pictures to be decoded sends it on.
type run struct {
	first   int       // number of its first picture
	pixels  []float32 // of all, in order
	waiting atomic.Int64
	failed  []bool
}

// read decodes and embeds pictures. Those that can't be read have an error; that
// of read itself is about all. done is told, from any goroutine, how many more
// are finished.
//
// Each decoder takes the next picture, whatever its batch, and with it goes on.
// On the CPU the one that finishes a batch runs the tower on it, so that all
// cores are at work to the end; on a GPU one more goroutine does, while the
// next batches are decoded. Batches on their way, and the bytes that pictures
// take while they are decoded, are bounded.
func (r *pictureReader) read(ctx context.Context, sources []sdk.ImageSource, dimension int, done func(n int)) ([]pictureSide, error) {
	sides := make([]pictureSide, len(sources))
	if len(sources) == 0 {
		return sides, nil
	}
	group, ctx := errgroup.WithContext(ctx)
	decoders := min(r.decoders, len(sources))
	window := decoders/r.batch + 2 // runs that are filled or full
	if !r.gpu {
		window = decoders/r.batch + 1 + decoders // and those that decoders run
	}
	free := make(chan *run, window)
	for range min(window, (len(sources)+r.batch-1)/r.batch) {
		b, ok := r.runs.Get().(*run)
		if !ok {
			b = &run{}
		}
		free <- b
	}
	defer func() {
		for len(free) > 0 { // all, unless something failed
			r.runs.Put(<-free)
		}
	}()
	finish := func(b *run) error {
		n, err := r.run(ctx, b, sides[b.first:min(b.first+r.batch, len(sides))], dimension)
		done(n)
		free <- b
		return err
	}
	var full chan *run // to the GPU
	if r.gpu {
		full = make(chan *run, window)
		group.Go(func() error {
			for b := range full {
				if err := finish(b); err != nil {
					return err
				}
			}
			return nil
		})
	}

	type task struct {
		run *run
		at  int // of the picture
	}
	tasks := make(chan task)
	group.Go(func() error {
		defer close(tasks)
		for first := 0; first < len(sources); first += r.batch {
			var b *run
			select {
			case b = <-free:
			case <-ctx.Done():
				return ctx.Err()
			}
			b.begin(first, min(r.batch, len(sources)-first), r.preprocessor.Len())
			for at := first; at < min(first+r.batch, len(sources)); at++ {
				select {
				case tasks <- task{b, at}:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		}
		return nil
	})
	var left atomic.Int64
	left.Store(int64(decoders))
	for range decoders {
		group.Go(func() error {
			defer func() {
				if left.Add(-1) == 0 && full != nil {
					close(full)
				}
			}()
			w := r.worker()
			defer r.workers.Put(w)
			for t := range tasks {
				if err := ctx.Err(); err != nil {
					return err
				}
				k := t.at - t.run.first
				err := r.decode(ctx, w, sources[t.at], t.run.pixels[k*r.preprocessor.Len():(k+1)*r.preprocessor.Len()])
				if ctx.Err() != nil {
					return ctx.Err()
				}
				sides[t.at].err, t.run.failed[k] = err, err != nil
				if t.run.waiting.Add(-1) > 0 {
					continue
				}
				if full != nil {
					full <- t.run // there is room for every run that exists
				} else if err := finish(t.run); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return sides, group.Wait()
}

// begin makes b the run of n pictures from first on.
func (b *run) begin(first, n, size int) {
	b.first = first
	if cap(b.pixels) < n*size {
		b.pixels, b.failed = make([]float32, n*size), make([]bool, n)
	}
	b.pixels, b.failed = b.pixels[:n*size], b.failed[:n]
	b.waiting.Store(int64(n))
}

func (r *pictureReader) worker() *pictureWorker {
	if w, ok := r.workers.Get().(*pictureWorker); ok {
		return w
	}
	return &pictureWorker{decoder: picture.Decoder{Limits: r.limits, Lying: true}}
}

// decode writes the pixel values of a picture.
func (r *pictureReader) decode(ctx context.Context, w *pictureWorker, s sdk.ImageSource, dst []float32) error {
	w.decoder.Reserve = func(bytes int64) error {
		n, err := r.memory.take(ctx, bytes)
		w.held = n
		return err
	}
	defer func() {
		w.decoder.Trim()
		r.memory.give(w.held)
		w.held = 0
	}()
	var m *picture.Image
	var err error
	if s.Path != "" {
		m, err = w.decoder.Open(s.Path)
	} else {
		m, err = w.decoder.Decode(s.Data)
	}
	if err != nil {
		return err
	}
	r.preprocessor.Pixels(dst, m, &w.pixels)
	return nil
}

// run computes the vectors of a batch, but for pictures that failed. It returns
// how many pictures it settled.
func (r *pictureReader) run(ctx context.Context, b *run, sides []pictureSide, dimension int) (int, error) {
	size := r.preprocessor.Len()
	var good []int
	for k, failed := range b.failed {
		if failed {
			continue
		}
		if to := len(good); to < k { // close the gaps
			copy(b.pixels[to*size:(to+1)*size], b.pixels[k*size:(k+1)*size])
		}
		good = append(good, k)
	}
	if len(good) == 0 {
		return len(b.failed), nil
	}
	out := make([]float32, len(good)*dimension)
	pixels := session.Floats(b.pixels[:len(good)*size], len(good), 3, r.preprocessor.Height, r.preprocessor.Width)
	if err := r.pool.Run(ctx, []session.Tensor{pixels}, out); err != nil {
		return 0, classify(fmt.Errorf("run the vision tower on %d pictures: %w", len(good), err))
	}
	for i, k := range good {
		sides[k].vector = out[i*dimension : (i+1)*dimension : (i+1)*dimension]
	}
	return len(b.failed), nil
}

// memory bounds the bytes that pictures take while they are decoded. A picture
// that wants more than all of it goes alone.
type memory struct {
	most int64
	left *semaphore.Weighted
}

// What all decoders may take: something, and more where there are many.
const (
	baseMemory    = 512 << 20
	decoderMemory = 64 << 20
)

func newMemory(decoders int) *memory {
	most := int64(baseMemory + decoders*decoderMemory)
	return &memory{most, semaphore.NewWeighted(most)}
}

func (m *memory) take(ctx context.Context, bytes int64) (int64, error) {
	bytes = min(bytes, m.most)
	if err := m.left.Acquire(ctx, bytes); err != nil {
		return 0, err
	}
	return bytes, nil
}

func (m *memory) give(bytes int64) {
	if bytes > 0 {
		m.left.Release(bytes)
	}
}
