package run

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/bertopic-go/bertopic/corpus"
	"github.com/bertopic-go/bertopic/internal/config"
	"github.com/bertopic-go/bertopic/internal/vectorfile"
	"github.com/bertopic-go/bertopic/pipeline"
	"github.com/bertopic-go/bertopic/pipeline/knn"
	"github.com/bertopic-go/bertopic/sdk"
)

// SearchOptions say what Search looks for and where.
type SearchOptions struct {
	Model   string // the folder of a run, or of its model
	Query   string // a text, or the path of a picture
	AsText  bool   // Query is a text even where it names a picture
	Image   string // path of a picture; with Query, both together are looked for
	N       int    // topics and rows
	Plugin  string // the embedder's program, where its name does not find it
	Threads int
}

// Found is what a search has found.
type Found struct {
	Query   FoundQuery   `json:"query"`
	Measure string       `json:"measure"` // what score is
	Topics  []FoundTopic `json:"topics"`
	Rows    []FoundRow   `json:"rows"`
	NoRows  string       `json:"no_rows,omitempty"`  // why there are none
	NoTexts string       `json:"no_texts,omitempty"` // why rows have neither text nor pictures
}

// FoundQuery is the query and the topic that it would have as a row.
type FoundQuery struct {
	Text        string  `json:"text,omitempty"`
	Image       string  `json:"image,omitempty"`
	Status      string  `json:"status"`
	Topic       int     `json:"topic"`
	Name        string  `json:"name"`
	Probability float64 `json:"probability"`
}

// FoundTopic is a topic near the query.
type FoundTopic struct {
	Topic int      `json:"topic"`
	Name  string   `json:"name"`
	Score float64  `json:"score"`
	Count int      `json:"count"`
	Words []string `json:"words"`
}

// FoundRow is a row of the run's corpus near the query.
type FoundRow struct {
	ID     string   `json:"id"`
	Topic  int      `json:"topic"`
	Score  float64  `json:"score"`
	Text   string   `json:"text,omitempty"`
	Images []string `json:"images,omitempty"`
}

// measures says what the score of a hit is.
var measures = map[knn.Metric]string{knn.Cosine: "cosine", knn.Hellinger: "affinity", knn.Euclidean: "distance"}

// Search embeds a query as a row of the model's corpus and finds the topics
// and rows that are nearest to it.
func Search(ctx context.Context, opt SearchOptions, env *Env) (*Found, error) {
	if opt.N < 1 {
		return nil, usageErrorf("-n %d: ask for one hit at least", opt.N)
	}
	model, err := LoadModel(opt.Model)
	if err != nil {
		return nil, err
	}
	model.Threads = opt.Threads
	if model.Source.Embedder == nil {
		return nil, usageErrorf("the model was fitted on vectors from a file, so that there is no embedder for a query")
	}
	row, err := queryRow(opt, env)
	if err != nil {
		return nil, err
	}
	v, err := embedQuery(ctx, model, row, opt, env)
	if err != nil {
		return nil, err
	}
	defer v.Close()
	here, err := model.Transform(ctx, v.matrix, v.statuses)
	if err != nil {
		return nil, inputErrorf("%v", err)
	}
	a := here[0]
	if !a.Status.HasVector() && a.Status.Status != pipeline.Disconnected {
		return nil, inputErrorf("the query can't be looked for: its status is %s", a.Status)
	}
	found := &Found{Measure: measures[model.Metric], Topics: []FoundTopic{}, Rows: []FoundRow{}}
	found.Query = FoundQuery{Text: row.Text, Status: a.Status.String(), Topic: a.Topic, Name: "-1", Probability: a.Probability}
	if len(row.Images) > 0 {
		found.Query.Image = row.Images[0]
	}
	if a.Topic != pipeline.Outlier {
		found.Query.Name = model.Topics[a.Topic].Name
	}
	hits, err := model.NearestTopics(v.matrix, 0, opt.N)
	if err != nil {
		return nil, inputErrorf("%v", err)
	}
	for _, h := range hits {
		t := model.Topics[h.Row]
		words := make([]string, len(t.Words))
		for i, w := range t.Words {
			words[i] = w.Word
		}
		found.Topics = append(found.Topics, FoundTopic{t.ID, t.Name, h.Score, t.Count, words})
	}
	return found, searchRows(ctx, found, model, v, opt)
}

// pictureEnds are the ends of names that a query is taken for a picture by.
var pictureEnds = []string{".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff"}

// queryRow makes a row of the query. What a query is taken for where it could
// be two things is told.
func queryRow(opt SearchOptions, env *Env) (corpus.Row, error) {
	row := corpus.Row{ID: "query"}
	image := opt.Image
	if opt.Query != "" && !opt.AsText && slices.Contains(pictureEnds, strings.ToLower(filepath.Ext(opt.Query))) {
		info, err := os.Stat(opt.Query)
		switch isFile := err == nil && info.Mode().IsRegular(); {
		case isFile && image != "":
			return row, usageErrorf("%s and --image %s are both pictures: give one (--text takes the query for a text)", opt.Query, image)
		case isFile:
			image, opt.Query = opt.Query, ""
			env.Log.Warn("the query is taken for the picture of that name (--text looks for the words)", "file", image)
		default:
			env.Log.Warn("the query is taken for a text: there is no picture of that name", "query", opt.Query)
		}
	}
	if image != "" {
		if info, err := os.Stat(image); err != nil || info.IsDir() {
			return row, inputErrorf("--image %s: there is no such file", image)
		}
		abs, err := filepath.Abs(image)
		if err != nil {
			return row, err
		}
		row.Images = []string{abs}
	}
	row.Text, row.HasText = opt.Query, opt.Query != ""
	if !row.HasText && image == "" {
		return row, usageErrorf("there is nothing to look for: give a text, or --image FILE")
	}
	return row, nil
}

// embedQuery embeds the row as the model's corpus was.
func embedQuery(ctx context.Context, model *pipeline.Model, row corpus.Row, opt SearchOptions, env *Env) (*vectors, error) {
	c, want, err := transformConfig(model, TransformOptions{Plugin: opt.Plugin, Threads: opt.Threads})
	if err != nil {
		return nil, err
	}
	source, err := newSource(ctx, c, "")
	if err != nil {
		return nil, err
	}
	v, err := source.vectors(ctx, &documents{rows: []corpus.Row{row}}, env, want)
	if err != nil {
		return nil, err
	}
	d := v.embedder.Description()
	for _, side := range []struct {
		has      bool
		modality sdk.Modality
		what     string
	}{{len(row.Images) > 0, sdk.Image, "pictures"}, {row.HasText, sdk.Text, "texts"}} {
		if side.has && !slices.Contains(d.Modalities, side.modality) {
			v.Close()
			return nil, usageErrorf("the embedder %s, which the model was fitted with, takes no %s", d.Name, side.what)
		}
	}
	sameEmbedder(model, v, env)
	return v, nil
}

// searchRows finds the rows of the run that the model is of, if its vectors
// are still there.
func searchRows(ctx context.Context, found *Found, model *pipeline.Model, v *vectors, opt SearchOptions) error {
	r, why := resultsOf(opt.Model)
	if why != "" {
		found.NoRows = why
		return nil
	}
	lines, err := readDocuments(filepath.Join(r.dir, "documents.csv"))
	if err != nil {
		return inputErrorf("read the rows of the run: %v", err)
	}
	file, err := vectorfile.Read(ctx, r.vectors, vectorfile.Options{})
	if err != nil {
		return inputErrorf("read the vectors of the run: %v", err)
	}
	if n, _ := file.Matrix.Dims(); n != len(lines) {
		return inputErrorf("%s has %d vectors, and documents.csv beside it %d rows: they are not of one run", r.vectors, n, len(lines))
	}
	hits, err := pipeline.Nearest(v.matrix, 0, file.Matrix, model.Metric, opt.N, func(i int) bool { return lines[i].usable }, opt.Threads)
	if err != nil {
		return inputErrorf("%s: %v", r.vectors, err)
	}
	for _, h := range hits {
		found.Rows = append(found.Rows, FoundRow{ID: lines[h.Row].id, Topic: lines[h.Row].topic, Score: h.Score})
	}
	if found.NoTexts, err = r.contents(ctx, hits, found.Rows); err != nil {
		return err
	}
	return nil
}

// results are what a run has left, as far as a search needs it.
type results struct {
	dir     string
	vectors string
	corpus  CorpusRecord
	columns config.Corpus
}

// resultsOf finds the results of the run that a model is of, or says why not.
func resultsOf(dir string) (r results, why string) {
	modelDir := dir
	if _, err := os.Stat(filepath.Join(dir, "model", pipeline.ModelFile)); err == nil {
		modelDir = filepath.Join(dir, "model")
	} else if abs, err := filepath.Abs(dir); err == nil {
		dir = filepath.Dir(abs) // where the run has put it
	}
	var record struct {
		Corpus  CorpusRecord
		Outputs map[string]string
		Config  struct{ Corpus corpusJSON }
	}
	b, err := os.ReadFile(filepath.Join(dir, "run.json"))
	if err == nil {
		err = json.Unmarshal(b, &record)
	}
	if err != nil {
		return r, fmt.Sprintf("the results of the run are not beside the model %s: rows are looked for in embeddings.npy or .npz and documents.csv in its folder", modelDir)
	}
	if sum, err := hashFile(filepath.Join(modelDir, pipeline.ModelFile)); err != nil || sum != record.Outputs["model/"+pipeline.ModelFile] {
		return r, fmt.Sprintf("%s is not the model of the run whose results are in %s", modelDir, dir)
	}
	r = results{dir: dir, corpus: record.Corpus, columns: config.Corpus(record.Config.Corpus)}
	for _, name := range []string{"embeddings.npy", "embeddings.npz"} {
		path := filepath.Join(dir, name)
		if _, ofRun := record.Outputs[name]; ofRun {
			if _, err := os.Stat(path); err != nil {
				return r, fmt.Sprintf("the vectors of the run are gone: there is no %s", path)
			}
			r.vectors = path
		}
	}
	if r.vectors == "" {
		return r, fmt.Sprintf("run.json in %s tells of no vectors", dir)
	}
	return r, ""
}

// corpusJSON is [corpus] as run.json has it.
type corpusJSON struct {
	Path        string `json:"path"`
	Format      string `json:"format"`
	Text        string `json:"text"`
	Image       string `json:"image"`
	ID          string `json:"id"`
	Timestamp   string `json:"timestamp"`
	Class       string `json:"class"`
	InvalidUTF8 string `json:"invalid_utf8"`
}

// line is what a search needs of a line of documents.csv.
type line struct {
	id     string
	topic  int
	usable bool // it has a vector
}

func readDocuments(path string) ([]line, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	head, err := r.Read()
	if err != nil {
		return nil, err
	}
	at := map[string]int{}
	for _, name := range []string{"id", "topic", "status"} {
		if at[name] = slices.Index(head, name); at[name] < 0 {
			return nil, fmt.Errorf("%s has no column %q", path, name)
		}
	}
	var lines []line
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return nil, err
		}
		topic, err := strconv.Atoi(fields[at["topic"]])
		if err != nil {
			return nil, fmt.Errorf("%s: %q is no topic", path, fields[at["topic"]])
		}
		status, _, _ := strings.Cut(fields[at["status"]], "(")
		s := pipeline.RowStatus{Status: pipeline.Status(status)}
		lines = append(lines, line{fields[at["id"]], topic, s.HasVector() || s.Status == pipeline.Disconnected})
	}
}

// contents gives the rows their texts and pictures from the corpus of the run,
// if it is still there as it was, or says why not.
func (r *results) contents(ctx context.Context, hits []pipeline.Hit, rows []FoundRow) (why string, err error) {
	if r.columns.Path == "-" || r.columns.Path == "" {
		return "the corpus of the run came from the standard input", nil
	}
	wanted := map[int]int{}
	for k, h := range hits {
		wanted[h.Row] = k
	}
	reader, err := corpus.Open(ctx, corpusOptions(r.columns, nil))
	if err != nil {
		return fmt.Sprintf("the corpus of the run can't be read: %v", err), ctx.Err()
	}
	defer reader.Close()
	contents := make([]corpus.Row, len(rows))
	for {
		row, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Sprintf("the corpus of the run can't be read: %v", err), ctx.Err()
		}
		if k, ok := wanted[row.Index]; ok {
			contents[k] = row
		}
	}
	if sum, err := reader.SHA256(); err != nil || sum != r.corpus.SHA256 {
		return fmt.Sprintf("the corpus %s is no longer what it was at the run", r.columns.Path), nil
	}
	for k, row := range contents {
		rows[k].Text, rows[k].Images = row.Text, row.Images
	}
	return "", nil
}

// PrintFound writes what a search has found as tables for a person.
func PrintFound(w io.Writer, f *Found, width int, path func(string) string) {
	var query []string
	if f.Query.Text != "" {
		query = append(query, strconv.Quote(oneLine(f.Query.Text, width/2)))
	}
	if f.Query.Image != "" {
		query = append(query, "the picture "+path(f.Query.Image))
	}
	place := "as a row it would have no topic"
	if f.Query.Topic != pipeline.Outlier {
		place = fmt.Sprintf("as a row it would be in topic %s (probability %.2f)", f.Query.Name, f.Query.Probability)
	}
	fmt.Fprintf(w, "%s: %s\n\n", strings.Join(query, " with "), place)
	fmt.Fprintf(w, "%8s %5s %7s  %s\n", f.Measure, "topic", "rows", "words")
	for _, t := range f.Topics {
		words := make([]pipeline.Word, len(t.Words))
		for i, word := range t.Words {
			words[i].Word = word
		}
		fmt.Fprintf(w, "%8.4f %5d %7d  %s\n", t.Score, t.Topic, t.Count, fit(words, max(20, width-26)))
	}
	fmt.Fprintln(w)
	if f.NoRows != "" {
		fmt.Fprintf(w, "no rows: %s\n", f.NoRows)
		return
	}
	long := len("id")
	for _, r := range f.Rows {
		long = max(long, len([]rune(r.ID)))
	}
	long = min(long, max(20, width/3))
	fmt.Fprintf(w, "%8s %5s  %-*s  %s\n", f.Measure, "topic", long, "id", "row")
	for _, r := range f.Rows {
		var parts []string
		for _, m := range r.Images {
			parts = append(parts, path(m))
		}
		if r.Text != "" {
			parts = append(parts, r.Text)
		}
		fmt.Fprintf(w, "%8.4f %5d  %-*s  %s\n", r.Score, r.Topic, long, oneLine(r.ID, long), oneLine(strings.Join(parts, "  "), max(20, width-19-long)))
	}
	if f.NoTexts != "" {
		fmt.Fprintf(w, "\nno texts: %s\n", f.NoTexts)
	}
}

// oneLine is the beginning of a text on one line of n letters at most.
func oneLine(text string, n int) string {
	r := []rune(strings.Join(strings.Fields(text), " "))
	if len(r) <= n {
		return string(r)
	}
	return strings.TrimRight(string(r[:max(0, n-1)]), " ") + "…"
}
