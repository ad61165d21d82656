package pipeline

import (
	"encoding/json"
	"strconv"

	"github.com/bertopic-go/bertopic/internal/jsontext"
	"github.com/bertopic-go/bertopic/internal/safetensors"
	"github.com/bertopic-go/bertopic/internal/vectorize"
)

// saveForPython writes the files that BERTopic.load of the Python library
// reads: topics, words, c-TF-IDF and the topics' vectors, which are what its
// own safetensors models hold. Where the vectors are sparse they are left out
// and the Python library can't load the model.
func (m *Model) saveForPython(f *folder) error {
	vectors, ok := m.TopicVectors.(*Dense)
	if !ok {
		return nil
	}
	// BERTopic has the outliers first, as topic -1.
	order := count(len(m.Topics))
	outliers := 0
	if n := len(m.Topics); n > 0 && m.Topics[n-1].ID == Outlier {
		outliers = 1
		order = append([]int{n - 1}, order[:n-1]...)
	}
	pairs := func(words []Word) [][2]any {
		out := [][2]any{}
		for _, w := range words {
			out = append(out, [2]any{w.Word, w.Weight})
		}
		if len(out) == 0 { // BERTopic's way to say that there is no word; get_topic_info fails on an empty list
			out = append(out, [2]any{"", 1e-05})
		}
		return out
	}
	representations, sizes, labels := map[string]any{}, map[string]int{}, map[string]string{}
	aspects := map[string]map[string]any{}
	mapper := [][2]int{}
	for _, k := range order {
		t := m.Topics[k]
		id := strconv.Itoa(t.ID)
		representations[id], sizes[id], labels[id] = pairs(t.Words), t.Count, t.Name
		mapper = append(mapper, [2]int{t.ID, t.ID})
		for name, words := range t.Aspects {
			if aspects[name] == nil {
				aspects[name] = map[string]any{}
			}
			aspects[name][id] = pairs(words)
		}
	}
	if err := f.compact("topics.json", map[string]any{
		"topic_representations": representations, "topics": m.rowTopic, "topic_sizes": sizes, "topic_mapper": mapper,
		"topic_labels": labels, "custom_labels": nil, "_outliers": outliers, "topic_aspects": aspects,
	}); err != nil {
		return err
	}
	ngrams := [2]int{1, 1}
	if m.Vocabulary != nil {
		ngrams = m.Vocabulary.Options().NgramRange
	}
	minTopicSize, topN := 10, 10
	if h := m.clusterer.hdbscan; h != nil {
		minTopicSize = h.Params.MinClusterSize
	}
	for _, t := range m.Topics {
		topN = max(topN, len(t.Words))
	}
	if err := f.indented("config.json", map[string]any{
		"calculate_probabilities": false, "language": nil, "low_memory": false, "min_topic_size": minTopicSize, "n_gram_range": ngrams,
		"nr_topics": nil, "seed_topic_list": nil, "top_n_words": topN, "verbose": false, "zeroshot_min_similarity": 0.7, "zeroshot_topic_list": nil,
	}); err != nil {
		return err
	}
	if err := f.tensors("topic_embeddings.safetensors", []safetensors.Tensor{
		safetensors.Float32("topic_embeddings", vectors.Select(order).Data, len(order), vectors.Cols),
	}, nil); err != nil {
		return err
	}
	if m.Vocabulary == nil {
		return nil
	}
	if err := f.tensors("ctfidf.safetensors", ctfidfTensors(m.CTFIDF, order, m.IDF), nil); err != nil {
		return err
	}
	o := m.Vocabulary.Options()
	params := map[string]any{
		"analyzer": o.Analyzer, "binary": o.Binary, "decode_error": "strict", "encoding": "utf-8", "input": "content",
		"lowercase": !o.KeepCase, "max_df": 1.0, "max_features": nil, "min_df": 1, "ngram_range": o.NgramRange,
		"stop_words": nil, "strip_accents": nil, "token_pattern": `(?u)\b\w\w+\b`, "vocabulary": nil,
	}
	if len(o.StopWords) > 0 {
		params["stop_words"] = o.StopWords
	}
	if o.StripAccents != "" {
		params["strip_accents"] = o.StripAccents
	}
	if o.TokenPattern != "" {
		params["token_pattern"] = o.TokenPattern
	}
	weighting, err := json.Marshal(map[string]any{"bm25_weighting": m.ctfidfParams.BM25Weighting, "reduce_frequent_words": m.ctfidfParams.ReduceFrequentWords})
	if err != nil {
		return err
	}
	vectorizer, err := json.Marshal(params)
	if err != nil {
		return err
	}
	return f.put("ctfidf_config.json",
		[]byte(`{"ctfidf_model":`), weighting, []byte(`,"vectorizer_model":{"params":`), vectorizer, []byte(`,"vocab":`), placesJSON(m.Vocabulary.Terms), []byte("}}\n"))
}

// ctfidfTensors are the rows of weights in the given order.
func ctfidfTensors(weights *vectorize.Weights, order []int, idf []float64) []safetensors.Tensor {
	indptr := []int64{0}
	indices, data := []safetensors.Tensor{safetensors.Int32("indices", nil)}, []safetensors.Tensor{safetensors.Float64("data", nil)}
	for _, i := range order {
		cols, values := weights.Row(i)
		indptr = append(indptr, indptr[len(indptr)-1]+int64(len(cols)))
		indices, data = append(indices, safetensors.Int32("indices", cols)), append(data, safetensors.Float64("data", values))
	}
	return []safetensors.Tensor{
		safetensors.Int64("indptr", indptr), safetensors.Joined(indices...), safetensors.Joined(data...),
		safetensors.Int64("shape", []int64{int64(len(order)), int64(weights.Cols)}), safetensors.Float64("diag", idf),
	}
}

// termsJSON is a JSON list of terms, one a line.
func termsJSON(terms []string) []byte {
	if len(terms) == 0 {
		return []byte("[]\n")
	}
	b := append(make([]byte, 0, 24*len(terms)), '[')
	for j, term := range terms {
		if j > 0 {
			b = append(b, ',')
		}
		b = jsontext.AppendString(append(b, "\n "...), term)
	}
	return append(b, "\n]\n"...)
}

// placesJSON is a JSON object of each term's place in the list, in their order,
// which is quicker than a map's.
func placesJSON(terms []string) []byte {
	b := append(make([]byte, 0, 24*len(terms)), '{')
	for j, term := range terms {
		if j > 0 {
			b = append(b, ',')
		}
		b = append(jsontext.AppendString(b, term), ':')
		b = strconv.AppendInt(b, int64(j), 10)
	}
	return append(b, '}')
}
