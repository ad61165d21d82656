package run

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/bertopic-go/bertopic/corpus"
	"github.com/bertopic-go/bertopic/host"
	"github.com/bertopic-go/bertopic/internal/config"
	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/vectorfile"
	"github.com/bertopic-go/bertopic/pipeline"
	"github.com/bertopic-go/bertopic/pipeline/knn"
	"github.com/bertopic-go/bertopic/sdk"
)

// source is where the vectors of a run come from: an embedder's process, or a
// file.
type source struct {
	spec *host.Spec // nil: a file
	file string
	c    *config.Config
	read func() (*readFile, error) // what is in the file; it is read beside the corpus
}

// readFile is a file of vectors.
type readFile struct {
	*vectorfile.Vectors
	sha256 string
}

// newSource checks what can be checked before the corpus is read: that the
// program is there and takes these options.
func newSource(ctx context.Context, c *config.Config, folder string) (*source, error) {
	if f := c.Corpus.Format; f != "" && !slices.Contains(corpus.Formats(), f) {
		return nil, c.Fault("corpus.format", "%q is not one of %s", f, strings.Join(corpus.Formats(), ", "))
	}
	if c.Embeddings.Path != "" {
		if _, err := os.Stat(c.Embeddings.Path); err != nil {
			return nil, inputErrorf("can't read the vectors: %v", err)
		}
		return &source{file: c.Embeddings.Path, c: c, read: readAhead(ctx, c.Embeddings.Path, folder)}, nil
	}
	if c.Embedder.Plugin == "" {
		return nil, &config.Error{Key: "embedder.plugin", Msg: "names no embedder: give the name of a program (`bertopic plugins list` shows those that are found), or vectors of your own as [embeddings] path"}
	}
	spec := specOf(c)
	var err error
	if spec.Examined, err = host.Examine(ctx, spec); err != nil {
		return nil, err
	}
	if err := checkOptions(c, spec.Examined.Description); err != nil {
		return nil, err
	}
	return &source{spec: &spec, c: c}, nil
}

// readAhead begins to read a file of vectors; what it returns waits for the end.
// Values that must be converted go to a file in folder, if there is one.
func readAhead(ctx context.Context, path, folder string) func() (*readFile, error) {
	var f readFile
	var reading errgroup.Group
	reading.Go(func() (err error) {
		f.Vectors, err = vectorfile.Read(ctx, path, vectorfile.Options{Folder: folder})
		if errors.Is(err, syscall.ENOSPC) {
			return err
		} else if err != nil {
			return &InputError{err.Error()}
		}
		if f.Mapped != nil {
			f.sha256, err = hashMapped(ctx, f.Mapped)
		} else {
			f.sha256, err = hashFile(path)
		}
		return err
	})
	return func() (*readFile, error) {
		if err := reading.Wait(); err != nil {
			return nil, cmp.Or(ctx.Err(), err)
		}
		return &f, nil
	}
}

// hashMapped returns the SHA-256 of a file in memory, which is read for it.
func hashMapped(ctx context.Context, b []byte) (string, error) {
	h := sha256.New()
	for part := range slices.Chunk(b, 16<<20) {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		h.Write(part)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func checkOptions(c *config.Config, d sdk.Description) error {
	_, faults := sdk.CheckOptions(d, c.Embedder.Options)
	var errs []error
	for _, f := range faults {
		key := "embedder.options." + f.Option
		e := &config.Error{Key: key, Line: c.Line(key), Msg: f.Problem}
		if f.Nearest != "" {
			e.Msg += fmt.Sprintf("; did you mean %q?", f.Nearest)
		}
		if e.Line > 0 {
			e.File = c.Path
		}
		errs = append(errs, e)
	}
	return errors.Join(errs...)
}

func specOf(c *config.Config) host.Spec {
	spec := host.Spec{
		Plugin: c.Embedder.Plugin, Options: c.Embedder.Options, BaseDir: c.BaseDir,
		Workers: c.Embedder.Workers, BatchSize: c.Embedder.BatchSize, Threads: c.Run.Threads,
		Timeout: time.Duration(c.Embedder.Timeout), MaxRestarts: c.Embedder.MaxRestarts, Seed: c.Run.Seed,
		StartTimeout: time.Duration(c.Embedder.StartTimeout), Memory: int64(c.Embedder.Memory),
		LockFile: c.Plugins.Lock, Isolate: c.Plugins.Isolate,
	}
	if c.Plugins.Dir != "" {
		spec.Dirs = []string{c.Plugins.Dir}
	}
	if dir, err := os.UserCacheDir(); err == nil {
		spec.CacheDir = dir + "/bertopic"
		spec.ModelsDir = dir + "/bertopic/models"
	}
	return spec
}

// vectors are the vectors of a corpus and what is known of their maker.
type vectors struct {
	matrix   matrix.Matrix
	statuses []pipeline.RowStatus // nil: all ok
	metric   knn.Metric
	warnings []pipeline.Warning

	embedder *host.Embedder // nil where the vectors came from a file
	result   *host.Result
	file     string
	sha256   string // of the file
	asIs     bool   // the file is what writing matrix to a file makes
	offHeap  bool   // matrix is mapped
}

// Close ends the embedder's process.
func (v *vectors) Close() error {
	if v.embedder == nil {
		return nil
	}
	return v.embedder.Close()
}

// vectorsWanted says how the vectors are to be had.
type vectorsWanted struct {
	partial string // folder that keeps finished vectors; "": none
	resume  bool
	words   bool   // vectors of single words will be needed, too
	fit     bool   // fit an embedder that needs it
	room    bool   // topics will be found in them: hold the memory against the limit
	state   []byte // or give it the state of an earlier fit
}

// vectors returns a vector for each document. The caller closes it.
func (s *source) vectors(ctx context.Context, docs *documents, env *Env, want vectorsWanted) (*vectors, error) {
	if s.spec == nil {
		if want.words {
			if err := needWords(s.c, nil); err != nil {
				return nil, err
			}
		}
		v, err := s.fromFile(docs, env)
		if err != nil || !want.room {
			return v, err
		}
		if d, dense := v.matrix.(*matrix.Dense); dense {
			err = makeRoom(docs, d.Cols, v.offHeap, s.c, env)
		}
		return v, err
	}
	spec := *s.spec
	spec.Log = env.Log
	spec.Progress = func(done, total int) { env.Meter.Progress("embed", done, total) }

	start := env.Meter.Step("start embedder")
	e, err := host.Open(ctx, spec)
	if err != nil {
		return nil, err
	}
	start()
	if want.words {
		if err := needWords(s.c, e); err != nil {
			e.Close()
			return nil, err
		}
	}
	if i := e.Info(); want.room && !i.Sparse {
		if err := makeRoom(docs, i.Dimension, false, s.c, env); err != nil {
			e.Close()
			return nil, err
		}
	}
	v, err := embed(ctx, e, docs, env, want)
	if err != nil {
		e.Close()
		return nil, err
	}
	if s.c.Reduce.Metric != "auto" {
		v.metric = knn.Metric(s.c.Reduce.Metric)
	}
	return v, nil
}

func embed(ctx context.Context, e *host.Embedder, docs *documents, env *Env, want vectorsWanted) (*vectors, error) {
	rows := docs.sdkRows()
	switch {
	case !e.Info().NeedsFit:
	case want.fit:
		done := env.Meter.Step("fit embedder")
		if err := e.Fit(ctx, sequence(rows)); err != nil {
			return nil, err
		}
		done()
	default:
		if err := e.LoadState(ctx, want.state); err != nil {
			return nil, err
		}
	}
	store, err := openStore(want, e, env)
	if err != nil {
		return nil, err
	}
	done := env.Meter.Step("embed")
	result, err := e.Embed(ctx, rows, store)
	if store != nil {
		kept := store.Len()
		if closeErr := store.Close(); err == nil {
			err = closeErr
		}
		if err != nil && kept > 0 && ctx.Err() == nil {
			err = fmt.Errorf("%w\n%d of %d rows are finished and kept: the same command with --resume goes on from there", err, kept, len(rows))
		}
	}
	if err != nil {
		return nil, err
	}
	done()
	if result.Reused > 0 {
		env.Log.Info("resumed", "reused", result.Reused, "embedded", result.Embedded)
	}
	v := &vectors{matrix: result.Vectors, metric: knn.Metric(e.Info().Metric), embedder: e, result: result}
	v.statuses = make([]pipeline.RowStatus, len(rows))
	for i, st := range result.Statuses {
		v.statuses[i] = pipeline.RowStatus{Status: statusOf(st.Status), TokensLost: st.TokensLost, Reason: st.Reason}
	}
	for _, w := range result.Warnings {
		v.warnings = append(v.warnings, pipeline.Warning{Code: "embedder", Text: w})
	}
	return v, nil
}

func sequence(rows []sdk.Row) iter.Seq2[sdk.Row, error] {
	return func(yield func(sdk.Row, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func statusOf(s sdk.Status) pipeline.Status {
	switch s {
	case sdk.Empty:
		return pipeline.Empty
	case sdk.OOV:
		return pipeline.OOV
	case sdk.Truncated:
		return pipeline.Truncated
	case sdk.Failed:
		return pipeline.Failed
	}
	return pipeline.OK
}

// openStore opens the folder that keeps finished vectors. A run that is not to
// be resumed starts with an empty one.
func openStore(want vectorsWanted, e *host.Embedder, env *Env) (*host.Store, error) {
	if want.partial == "" {
		return nil, nil
	}
	if !want.resume {
		if err := os.RemoveAll(want.partial); err != nil {
			return nil, err
		}
	}
	store, err := host.OpenStore(want.partial)
	if err != nil {
		return nil, fmt.Errorf("open the store of finished vectors: %w", err)
	}
	if want.resume && store.Len() == 0 {
		env.Log.Warn("nothing to resume: no finished vectors are there", "dir", want.partial)
	}
	return store, nil
}

// fromFile takes the vectors of a file and puts them into the corpus's order.
func (s *source) fromFile(docs *documents, env *Env) (*vectors, error) {
	defer env.Meter.Step("read vectors")()
	file, err := s.read()
	if err != nil {
		return nil, err
	}
	m, ids := file.Matrix, file.IDs
	n, _ := m.Dims()
	if ids != nil {
		if m, err = byID(m, ids, docs, s.file); err != nil {
			return nil, err
		}
	} else if n != len(docs.rows) {
		return nil, inputErrorf("%s has %d vectors, but the corpus %s has %d rows: there must be one a row, in the same order", s.file, n, docs.name(), len(docs.rows))
	}
	v := &vectors{matrix: m, file: s.file, sha256: file.sha256}
	if m == file.Matrix {
		v.asIs, v.offHeap = file.AsWritten(), file.OffHeap
	}
	metric := s.c.Reduce.Metric
	if metric == "auto" {
		metric = s.c.Embeddings.Metric
	}
	if metric == "auto" {
		metric = string(knn.Cosine)
		if _, sparse := m.(*matrix.CSR); sparse {
			metric = string(knn.Hellinger)
		}
	}
	v.metric = knn.Metric(metric)
	return v, nil
}

// byID picks the vectors of the documents by id.
func byID(m matrix.Matrix, ids []string, docs *documents, file string) (matrix.Matrix, error) {
	at := make(map[string]int, len(ids))
	for i, id := range ids {
		if j, ok := at[id]; ok {
			return nil, inputErrorf("%s: rows %d and %d have the same id %q", file, j, i, id)
		}
		at[id] = i
	}
	order := make([]int, len(docs.rows))
	var missing []string
	for i, r := range docs.rows {
		j, ok := at[r.ID]
		if !ok {
			missing = append(missing, r.ID)
			continue
		}
		order[i] = j
	}
	if len(missing) > 0 {
		return nil, inputErrorf("%s has no vector for %d of the corpus's %d rows: %s", file, len(missing), len(docs.rows), some(missing, 10))
	}
	if slices.IsSorted(order) && len(order) == len(ids) {
		return m, nil
	}
	return matrix.SelectRows(m, order), nil
}
