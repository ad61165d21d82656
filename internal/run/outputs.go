package run

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/bertopic-go/bertopic/internal/atomicfile"
	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/report"
	"github.com/bertopic-go/bertopic/internal/vectorfile"
	"github.com/bertopic-go/bertopic/pipeline"
)

// writeOutputs makes every file of a run in a folder beside their places, then
// moves them there, run.json last: a run.json says that all the rest belongs
// to it. Files of others in the folder are not touched.
func writeOutputs(out string, docs *documents, v *vectors, model *pipeline.Model, result *pipeline.Result, record *Record, env *Env, start time.Time, stepDone func()) (err error) {
	defer func() {
		if full := errors.Is(err, syscall.ENOSPC); full {
			err = fmt.Errorf("write the results to %s: %w", out, syscall.ENOSPC) // not the path of each file that is only on its way there
		} else if err != nil {
			err = fmt.Errorf("write the results: %w", err)
		}
	}()
	dir, err := os.MkdirTemp(out, ".writing-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	s := &stage{dir: dir, sums: map[string]string{}}
	var files errgroup.Group
	for _, write := range []func() error{ // the longest first
		func() error { return s.model(model) },
		func() error { return s.vectors(v) },
		func() error {
			return s.csv("documents.csv", documentLines(docs, model, result.Rows, result.Representative))
		},
		func() error { return s.csv("topics.csv", topicLines(model.Topics)) },
		func() error { return s.json("topics.json", model.Topics) },
		func() error {
			return s.file("reduced.npy", func(w io.Writer) error { return vectorfile.EncodeDense(w, result.Reduced) })
		},
	} {
		files.Go(write)
	}
	if over := result.OverTime; over != nil {
		files.Go(func() error { return s.csv("topics_over_time.csv", overTimeLines(model.Topics, over)) })
	}
	if per := result.PerClass; per != nil {
		files.Go(func() error { return s.csv("topics_per_class.csv", perClassLines(model.Topics, per)) })
	}
	tell := func() { // what the run took, so far
		record.Started = start.UTC().Truncate(time.Second)
		record.Seconds = time.Since(start).Seconds()
		record.PeakMiB = peakMiB()
		record.Steps = slices.Clone(env.Meter.Steps)
	}
	tell()
	page := reportOf(docs, v, model, result, record) // of the run but for its writing
	files.Go(func() error {
		return s.file("report.html", func(w io.Writer) error { return report.Write(w, page) })
	})
	if err := files.Wait(); err != nil {
		return err
	}
	record.Outputs = maps.Clone(s.sums)
	stepDone()
	tell()
	if err := s.json("run.json", record); err != nil {
		return err
	}
	return publish(dir, out)
}

// stage is a folder of files that are on their way to their places. Its methods
// may be called from several goroutines at once.
type stage struct {
	dir  string
	mu   sync.Mutex
	sums map[string]string // SHA-256, by path
}

func (s *stage) add(name, sum string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sums[name] = sum
}

func (s *stage) file(name string, write func(io.Writer) error) error {
	sum, err := atomicfile.Part(filepath.Join(s.dir, name), write)
	s.add(name, sum)
	return err
}

func (s *stage) csv(name string, lines func(yield func(...string))) error {
	return s.file(name, func(w io.Writer) error { return csvTo(w, lines) })
}

func (s *stage) json(name string, v any) error {
	return s.file(name, func(w io.Writer) error { return WriteJSON(w, v) })
}

func (s *stage) model(m *pipeline.Model) error {
	sums, err := m.SaveSums(filepath.Join(s.dir, "model"))
	for name, sum := range sums {
		s.add("model/"+name, sum)
	}
	return err
}

func (s *stage) vectors(v *vectors) error {
	if m, ok := v.matrix.(*matrix.CSR); ok {
		return s.file("embeddings.npz", func(w io.Writer) error { return vectorfile.EncodeCSR(w, m) })
	}
	write := func(w io.Writer) error { return vectorfile.EncodeDense(w, v.matrix.(*matrix.Dense)) }
	if v.asIs {
		s.add("embeddings.npy", v.sha256)
		return atomicfile.KnownPart(filepath.Join(s.dir, "embeddings.npy"), write)
	}
	return s.file("embeddings.npy", write)
}

// outputs are the names that a run may leave, run.json apart.
var outputs = []string{"documents.csv", "topics.csv", "topics.json", "topics_over_time.csv", "topics_per_class.csv", "embeddings.npy", "embeddings.npz", "reduced.npy", "model", "report.html"}

// publish moves what is in stage to out, over what an earlier run left there.
func publish(stage, out string) error {
	if err := os.RemoveAll(filepath.Join(out, "run.json")); err != nil {
		return err
	}
	for _, name := range append(outputs, "run.json") {
		target := filepath.Join(out, name)
		if err := os.RemoveAll(target); err != nil {
			return err
		}
		err := os.Rename(filepath.Join(stage, name), target)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// WriteJSON writes v for people and programs to read.
func WriteJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// writeWhole writes the lines that yield makes to a file, which is whole or as
// it was.
func writeWhole(path string, lines func(yield func(...string))) error {
	return atomicfile.WriteFile(path, func(w io.Writer) error { return csvTo(w, lines) })
}

func csvTo(w io.Writer, lines func(yield func(...string))) error {
	cw := csv.NewWriter(w)
	lines(func(fields ...string) { cw.Write(fields) })
	cw.Flush()
	return cw.Error()
}

// documentLines is documents.csv: a line a row, in the corpus's order.
// representative is nil where it makes no sense.
func documentLines(docs *documents, model *pipeline.Model, rows []pipeline.Assignment, representative []bool) func(func(...string)) {
	return func(yield func(...string)) {
		names := namesOf(model.Topics)
		yield("id", "topic", "name", "probability", "status", "cosine_to_topic", "representative")
		for i, a := range rows {
			yield(docs.rows[i].ID, strconv.Itoa(a.Topic), names[a.Topic], number(a.Probability), a.Status.String(), number(a.Cosine),
				strconv.FormatBool(representative != nil && representative[i]))
		}
	}
}

// number writes v so that it reads back as the same float32; a NaN is nothing.
func number(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, 32)
}

// topicLines is topics.csv. The columns behind the aspects are there for a
// corpus with pictures.
func topicLines(topics []pipeline.Topic) func(func(...string)) {
	return func(yield func(...string)) {
		aspects := pipeline.AspectNames(topics)
		pictures := slices.ContainsFunc(topics, func(t pipeline.Topic) bool { return t.Kinds != nil })
		head := append([]string{"topic", "count", "name", "words", "representative"}, aspects...)
		if pictures {
			head = append(head, "text_only", "picture_only", "both", "pictures")
		}
		yield(head...)
		for _, t := range topics {
			line := []string{strconv.Itoa(t.ID), strconv.Itoa(t.Count), t.Name, joined(t.Words), strings.Join(t.Representative, "; ")}
			for _, name := range aspects {
				line = append(line, joined(t.Aspects[name]))
			}
			if pictures {
				kinds := pipeline.KindCounts{}
				if t.Kinds != nil {
					kinds = *t.Kinds
				}
				ids := make([]string, len(t.Pictures))
				for i, p := range t.Pictures {
					ids[i] = p.ID
				}
				line = append(line, strconv.Itoa(kinds.Text), strconv.Itoa(kinds.Picture), strconv.Itoa(kinds.Both), strings.Join(ids, "; "))
			}
			yield(line...)
		}
	}
}

// overTimeLines is topics_over_time.csv: a line for each topic and each bin that
// has rows of it.
func overTimeLines(topics []pipeline.Topic, s *pipeline.Spread) func(func(...string)) {
	return func(yield func(...string)) {
		yield("topic", "name", "from", "to", "count", "share", "words")
		names := namesOf(topics)
		for _, t := range s.Topics {
			p := s.Parts[t.Part]
			yield(strconv.Itoa(t.Topic), names[t.Topic], p.From.Format(time.RFC3339Nano), p.To.Format(time.RFC3339Nano),
				strconv.Itoa(t.Count), number(float64(t.Count)/float64(p.Rows)), joined(t.Words))
		}
	}
}

// perClassLines is topics_per_class.csv, likewise.
func perClassLines(topics []pipeline.Topic, s *pipeline.Spread) func(func(...string)) {
	return func(yield func(...string)) {
		yield("topic", "name", "class", "count", "share", "words")
		names := namesOf(topics)
		for _, t := range s.Topics {
			p := s.Parts[t.Part]
			yield(strconv.Itoa(t.Topic), names[t.Topic], p.Name, strconv.Itoa(t.Count), number(float64(t.Count)/float64(p.Rows)), joined(t.Words))
		}
	}
}

// namesOf are the names of topics by their ids.
func namesOf(topics []pipeline.Topic) map[int]string {
	names := map[int]string{pipeline.Outlier: "-1"}
	for _, t := range topics {
		names[t.ID] = t.Name
	}
	return names
}

func joined(words []pipeline.Word) string {
	list := make([]string, len(words))
	for i, w := range words {
		list[i] = w.Word
	}
	return strings.Join(list, ", ")
}

// hashFile returns the SHA-256 of a file, in hexadecimal digits.
func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
