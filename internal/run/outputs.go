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
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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
	stage, err := os.MkdirTemp(out, ".writing-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(stage)) }()

	var files errgroup.Group
	if s := result.OverTime; s != nil {
		files.Go(func() error {
			return writeCSV(filepath.Join(stage, "topics_over_time.csv"), overTimeLines(model.Topics, s))
		})
	}
	if s := result.PerClass; s != nil {
		files.Go(func() error {
			return writeCSV(filepath.Join(stage, "topics_per_class.csv"), perClassLines(model.Topics, s))
		})
	}
	for _, write := range []func() error{
		func() error {
			return writeCSV(filepath.Join(stage, "documents.csv"), documentLines(docs, model, result.Rows, result.Representative))
		},
		func() error { return writeCSV(filepath.Join(stage, "topics.csv"), topicLines(model.Topics)) },
		func() error { return writeJSON(filepath.Join(stage, "topics.json"), model.Topics) },
		func() error { return writeVectors(stage, v.matrix) },
		func() error { return vectorfile.WriteDense(filepath.Join(stage, "reduced.npy"), result.Reduced) },
		func() error { return model.Save(filepath.Join(stage, "model")) },
	} {
		files.Go(write)
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
		return writeFile(filepath.Join(stage, "report.html"), func(w io.Writer) error { return report.Write(w, page) })
	})
	if err := files.Wait(); err != nil {
		return err
	}
	if record.Outputs, err = sums(stage); err != nil {
		return err
	}
	stepDone()
	tell()
	if err := writeJSON(filepath.Join(stage, "run.json"), record); err != nil {
		return err
	}
	return publish(stage, out)
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

func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	err = errors.Join(write(f), f.Sync(), f.Close())
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return nil
}

func writeJSON(path string, v any) error {
	return writeFile(path, func(w io.Writer) error { return WriteJSON(w, v) })
}

// WriteJSON writes v for people and programs to read.
func WriteJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// writeCSV writes the lines that yield makes to a file.
func writeCSV(path string, lines func(yield func(...string))) error {
	return writeFile(path, func(w io.Writer) error { return csvTo(w, lines) })
}

// writeWhole is writeCSV for a place that others may read: the file is whole
// or as it was.
func writeWhole(path string, lines func(yield func(...string))) error {
	return atomicfile.WriteFile(path, func(w io.Writer) error { return csvTo(w, lines) })
}

func csvTo(w io.Writer, lines func(yield func(...string))) error {
	cw := csv.NewWriter(w)
	lines(func(fields ...string) { cw.Write(fields) })
	cw.Flush()
	return cw.Error()
}

func writeVectors(dir string, m matrix.Matrix) error {
	if sparse, ok := m.(*matrix.CSR); ok {
		return vectorfile.WriteCSR(filepath.Join(dir, "embeddings.npz"), sparse)
	}
	return vectorfile.WriteDense(filepath.Join(dir, "embeddings.npy"), m.(*matrix.Dense))
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

// sums hashes the files below dir.
func sums(dir string) (map[string]string, error) {
	var names []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		names = append(names, name)
		return err
	})
	if err != nil {
		return nil, err
	}
	hashes := make([]string, len(names))
	var files errgroup.Group
	for i, name := range names {
		files.Go(func() (err error) {
			hashes[i], err = hashFile(filepath.Join(dir, name))
			return err
		})
	}
	if err := files.Wait(); err != nil {
		return nil, err
	}
	out := map[string]string{}
	for i, name := range names {
		out[filepath.ToSlash(name)] = hashes[i]
	}
	return out, nil
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
