package encoder

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bertopic-go/bertopic/internal/onnx"
)

// TokenTypeIDs is an input that a given ONNX file can have: 0 everywhere for
// single texts.
const TokenTypeIDs = "token_type_ids"

// oldest is the first version of ONNX's operators in which a head can be
// written.
const oldest = 11

// tokenOutputs are the names that exporters give the token embeddings.
var tokenOutputs = []string{"last_hidden_state", TokenEmbeddings}

// Attach puts the layers of head behind the token embeddings of an ONNX file,
// which is otherwise used as it is: Model has the inputs of the file. Without
// layers the output is the token embeddings.
//
// MaxTokens and PadID come from the config.json beside the file or in the
// folder above. Values in further files stay where they are: see
// Model.ExternalDir. Whether a row's bits depend on its batch mates is up to
// the file; one that is quantised with a range over the whole batch does.
//
// It fails where the file is not an ONNX model, where it wants other inputs
// than input_ids, attention_mask and token_type_ids in int64, or where its
// token embeddings cannot be told.
func Attach(ctx context.Context, path string, head []Layer) (*Model, error) {
	m, err := attach(ctx, path, head)
	if err != nil {
		return nil, fmt.Errorf("ONNX file %s: %w", path, err)
	}
	return m, nil
}

func attach(ctx context.Context, path string, head []Layer) (*Model, error) {
	if err := checkHead(head); err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	given, err := onnx.Parse(raw)
	if err != nil {
		return nil, err
	}
	m := &Model{Arch: "onnx", Given: true}
	if m.InputNames, err = givenInputs(given); err != nil {
		return nil, err
	}
	out, err := tokenOutput(given)
	if err != nil {
		return nil, err
	}
	c := configBeside(path)
	if c != nil {
		m.Arch = c.str("model_type")
		m.MaxTokens, m.PadID = givenLimits(c)
	}
	if m.Dimension = width(out, c); m.Dimension == 0 {
		return nil, fmt.Errorf("the length of a vector of output %q is not fixed in the file, and no config.json says it", out.Name)
	}
	if given.External {
		if m.ExternalDir, err = filepath.Abs(filepath.Dir(path)); err != nil {
			return nil, err
		}
	}
	g := givenGraph(given, m.InputNames, out)
	if len(head) == 0 {
		m.OutputName = out.Name
		m.graph = given.Extend(nil, nil, []onnx.Value{out})
		return m, nil
	}
	x, dim := g.head(out.Name, m.Dimension, g.poolMask(AttentionMask), head)
	m.Dimension = dim
	m.OutputName = g.finish(x, dim, true)
	if g.err != nil {
		return nil, g.err
	}
	m.graph = given.Extend(g.nodes, g.consts, g.outputs)
	return m, nil
}

// givenGraph begins the nodes that go behind a file's own. Their names have a
// prefix that no exporter uses.
func givenGraph(given *onnx.Given, inputs []string, out onnx.Value) *graph {
	g := &graph{
		precision: FP32, float: onnx.Float, version: given.Opset(""),
		prefix:   "bertopic/",
		unpadded: !slices.Contains(inputs, AttentionMask),
		memo:     map[string]string{},
	}
	if g.version < oldest {
		g.fail("it is written for version %d of the operators; %d is the oldest to which layers can be added: export it again with a newer opset", g.version, oldest)
	}
	if out.Type == onnx.Float16 {
		g.float = onnx.Float16 // head casts
	}
	return g
}

func givenInputs(given *onnx.Given) ([]string, error) {
	known := []string{InputIDs, AttentionMask, TokenTypeIDs}
	var names, other []string
	for _, v := range given.Inputs {
		names = append(names, v.Name)
		if !slices.Contains(known, v.Name) || v.Type != onnx.Int64 {
			other = append(other, v.Name)
		}
	}
	if len(other) > 0 || !slices.Contains(names, InputIDs) {
		return nil, fmt.Errorf("its inputs are %s; used can be int64 %s: export the encoder for feature extraction", list(names), list(known))
	}
	return names, nil
}

func tokenOutput(given *onnx.Given) (onnx.Value, error) {
	var names []string
	var deep []onnx.Value
	for _, v := range given.Outputs {
		names = append(names, v.Name)
		if slices.Contains(tokenOutputs, v.Name) {
			return checkOutput(v)
		}
		if len(v.Dims) == 3 {
			deep = append(deep, v)
		}
	}
	if len(deep) == 1 {
		return checkOutput(deep[0])
	}
	return onnx.Value{}, fmt.Errorf("its outputs are %s; none is called %s: export the encoder for feature extraction", list(names), strings.Join(tokenOutputs, " or "))
}

func checkOutput(v onnx.Value) (onnx.Value, error) {
	if v.Dims != nil && len(v.Dims) != 3 {
		return v, fmt.Errorf("output %q has %d dimensions, not batch x tokens x width", v.Name, len(v.Dims))
	}
	if v.Type != onnx.Float && v.Type != onnx.Float16 {
		return v, fmt.Errorf("output %q is neither float32 nor float16", v.Name)
	}
	return v, nil
}

func width(out onnx.Value, c *config) int {
	if len(out.Dims) == 3 && out.Dims[2].Param == "" && out.Dims[2].Value > 0 {
		return int(out.Dims[2].Value)
	}
	if c == nil {
		return 0
	}
	return max(0, c.intOr(c.first("hidden_size", "dim", "n_embd", "d_model"), 0))
}

// configBeside reads config.json from the folder of a file or the one above,
// nil where neither has one that can be read: the file is used without.
func configBeside(path string) *config {
	dir := filepath.Dir(path)
	for _, p := range []string{filepath.Join(dir, "config.json"), filepath.Join(filepath.Dir(dir), "config.json")} {
		if c, err := readConfig(p); err == nil {
			return c
		}
	}
	return nil
}

// givenLimits reads how many tokens a row can have and the id of padding.
func givenLimits(c *config) (tokens int, pad int64) {
	tokens = max(0, c.intOr(c.first("max_position_embeddings", "n_positions"), 0))
	p := c.intOr("pad_token_id", 0)
	if slices.Contains([]string{"roberta", "xlm-roberta", "camembert", "mpnet"}, c.str("model_type")) && tokens > p+1 {
		tokens -= p + 1 // positions are counted behind the padding's
	}
	return tokens, int64(p)
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
