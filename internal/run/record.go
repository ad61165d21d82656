package run

import (
	"runtime"
	"time"

	"github.com/bertopic-go/bertopic/host"
	"github.com/bertopic-go/bertopic/internal/config"
	"github.com/bertopic-go/bertopic/pipeline"
)

// Record is run.json: everything another machine needs to check a run.
type Record struct {
	Format    int                `json:"format"` // of this file
	Version   string             `json:"version"`
	Started   time.Time          `json:"started"`
	Seconds   float64            `json:"seconds"`
	PeakMiB   float64            `json:"peak_mib"`
	Platform  string             `json:"platform"`
	Seed      uint64             `json:"seed"`
	Corpus    CorpusRecord       `json:"corpus"`
	Embedder  *EmbedderRecord    `json:"embedder,omitempty"`
	Vectors   VectorsRecord      `json:"vectors"`
	ConfigAt  string             `json:"config_file,omitempty"`
	Config    *config.Config     `json:"config"`
	Steps     []StepRecord       `json:"steps"`
	Rows      map[string]int     `json:"rows"` // by status
	Truncated int                `json:"tokens_truncated,omitempty"`
	Quality   pipeline.Quality   `json:"quality"`
	Gap       *Gap               `json:"modality_gap,omitempty"`
	Warnings  []pipeline.Warning `json:"warnings"`
	Outputs   map[string]string  `json:"outputs"` // file to SHA-256

	Topics []pipeline.Topic `json:"-"`
}

// CorpusRecord identifies the corpus.
type CorpusRecord struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
	Rows   int    `json:"rows"`
}

// EmbedderRecord identifies the program that embedded.
type EmbedderRecord struct {
	Name        string `json:"name"`
	Version     string `json:"version"`
	Program     string `json:"program"`
	SHA256      string `json:"sha256"`
	Fingerprint string `json:"fingerprint"`
	Model       string `json:"model,omitempty"`
	ModelSHA256 string `json:"model_sha256,omitempty"`
	Device      string `json:"device,omitempty"`
	Embedded    int    `json:"embedded"` // rows, this time
	Reused      int    `json:"reused"`   // rows, from an interrupted run
	Restarts    int    `json:"restarts"`
}

// VectorsRecord describes the vectors.
type VectorsRecord struct {
	File      string `json:"file,omitempty"`
	SHA256    string `json:"sha256,omitempty"` // of the file
	Dimension int    `json:"dimension"`
	Sparse    bool   `json:"sparse"`
	Metric    string `json:"metric"`
}

const recordFormat = 1

func newRecord(c *config.Config, env *Env, docs *documents, v *vectors, model *pipeline.Model, result *pipeline.Result) *Record {
	r := &Record{
		Format: recordFormat, Version: env.Version, Platform: runtime.GOOS + "/" + runtime.GOARCH, Seed: c.Run.Seed,
		Corpus:   CorpusRecord{Path: docs.path, SHA256: docs.sha256, Rows: len(docs.rows)},
		ConfigAt: c.Path, Config: c, Rows: map[string]int{}, Quality: result.Quality,
		Warnings: append([]pipeline.Warning{}, append(v.warnings, result.Warnings...)...),
		Topics:   model.Topics,
	}
	_, r.Vectors.Dimension = v.matrix.Dims()
	_, r.Vectors.Sparse = v.matrix.(*pipeline.CSR)
	r.Vectors.Metric = string(v.metric)
	r.Vectors.File, r.Vectors.SHA256 = v.file, v.sha256
	r.Embedder = v.record()
	for _, row := range result.Rows {
		r.Rows[string(row.Status.Status)]++
		r.Truncated += row.Status.TokensLost
	}
	return r
}

func (v *vectors) record() *EmbedderRecord {
	if v.embedder == nil {
		return nil
	}
	d, info := v.embedder.Description(), v.embedder.Info()
	path, sum := v.embedder.Program()
	return &EmbedderRecord{
		Name: d.Name, Version: d.Version, Program: path, SHA256: sum, Fingerprint: v.embedder.Fingerprint(),
		Model: info.Model, ModelSHA256: info.ModelSHA256, Device: info.Device,
		Embedded: v.result.Embedded, Reused: v.result.Reused, Restarts: v.result.Restarts,
	}
}

// modelSource tells a later transform where the vectors came from.
func (v *vectors) modelSource(c *config.Config) pipeline.Source {
	s := pipeline.Source{Corpus: pipeline.CorpusColumns{
		Text: c.Corpus.Text, Image: c.Corpus.Image, ID: c.Corpus.ID, Timestamp: c.Corpus.Timestamp, Class: c.Corpus.Class,
	}}
	if v.embedder == nil {
		return s
	}
	e := v.record()
	s.Embedder = &pipeline.EmbedderSource{
		Plugin: c.Embedder.Plugin, Dir: c.Plugins.Dir, Name: e.Name, Version: e.Version, SHA256: e.SHA256, Fingerprint: e.Fingerprint,
		Model: e.Model, ModelSHA256: e.ModelSHA256, Options: c.Embedder.Options, BaseDir: c.BaseDir,
		Metric: string(v.embedder.Info().Metric), Device: e.Device,
	}
	if v.embedder.Info().NeedsFit {
		s.Embedder.State = v.embedder.State()
	}
	return s
}

// needWords refuses labels and a representation, which need vectors of words,
// where there are none. e is nil where vectors come from a file.
func needWords(c *config.Config, e *host.Embedder) error {
	why := ""
	switch {
	case e == nil:
		why = "vectors from a file have none"
	case !e.Info().Words:
		why = "the embedder " + e.Description().Name + " does not embed single words"
	default:
		return nil
	}
	if len(c.Representation) == 0 {
		return c.Fault("topics.labels", "labels need vectors of words, and %s: leave them out, or choose an embedder that embeds words", why)
	}
	return c.Fault("representation", "%s needs vectors of words, and %s: leave [[representation]] out, or choose an embedder that embeds words", c.Representation[0].Method, why)
}
