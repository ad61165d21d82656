package wordvectors

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"github.com/bertopic-go/bertopic/internal/vectorfile"
)

// howToConvert ends the refusal of a pickle.
const howToConvert = `: in Python write its vectors in word2vec's form: kv.save_word2vec_format("vectors.bin", binary=True)`

// keyed is what a pickle of gensim's says: a KeyedVectors, or a model that has
// one.
type keyed struct {
	words    []string
	vectors  ndarray
	subwords ndarray // vectors of n-grams; none: rows 0
	composed bool    // vectors lack their n-grams
	min, max int
	bucket   int
}

// ndarray is an array within the pickle, or in a file beside it.
type ndarray struct {
	file       string
	rows, cols int
	width      int // bytes of a value
	data       []byte
}

// readKeyed understands a pickle that gensim saved at path: gensim puts large
// arrays into files beside it, whose names follow from its own.
func readKeyed(data []byte, path string) (k keyed, err error) {
	v, err := unpickle(data)
	if err != nil {
		return k, err
	}
	o, ok := v.(*pyObject)
	if !ok {
		return k, errors.New("the pickle holds no KeyedVectors of gensim" + howToConvert)
	}
	state, prefix := attributes(o), path
	if wv, ok := state.get("wv").(*pyObject); ok { // a whole model
		state, prefix = attributes(wv), path+".wv"
	}
	if state == nil {
		return k, errors.New("the pickle holds no KeyedVectors of gensim" + howToConvert)
	}
	if k.words = wordsOf(state); k.words == nil {
		return k, errors.New("the pickle holds no list of words (index_to_key)" + howToConvert)
	}
	for _, name := range []string{"vectors", "syn0"} { // syn0: before gensim 3
		if k.vectors, err = arrayOf(state, name, prefix); err != nil {
			return k, err
		}
		if k.vectors.rows > 0 {
			break
		}
	}
	if k.vectors.rows == 0 { // gensim 4 leaves out what it can add up again
		k.composed = true
		if k.vectors, err = arrayOf(state, "vectors_vocab", prefix); err != nil {
			return k, err
		}
	}
	if k.vectors.rows == 0 {
		return k, errors.New("the pickle holds no array of vectors" + howToConvert)
	}
	if k.subwords, err = arrayOf(state, "vectors_ngrams", prefix); err != nil {
		return k, err
	}
	if k.subwords.rows > 0 {
		k.min, k.max, k.bucket = intOf(state.get("min_n")), intOf(state.get("max_n")), intOf(state.get("bucket"))
		// Old versions hashed otherwise, or kept used buckets alone.
		compatible, _ := state.get("compatible_hash").(bool)
		if !compatible || k.bucket != k.subwords.rows || k.min < 0 || k.max < 0 || k.max > maxGram {
			k.subwords, k.bucket = ndarray{}, 0
		}
	}
	if k.composed && k.subwords.rows == 0 {
		return k, errors.New("the pickle holds vectors whose n-grams are not understood" + howToConvert)
	}
	return k, nil
}

// attributes are what an object of Python has by name.
func attributes(o *pyObject) *pyDict {
	switch s := o.state.(type) {
	case *pyDict:
		return s
	case pyTuple: // attributes and slots
		if len(s) == 2 {
			d, _ := s[0].(*pyDict)
			return d
		}
	}
	return nil
}

func intOf(v any) int {
	if n, ok := v.(int64); ok && n >= math.MinInt32 && n <= math.MaxInt32 {
		return int(n)
	}
	return -1
}

// wordsOf returns the words by row: a list in any version since long, the
// counts of a dictionary in those before.
func wordsOf(state *pyDict) []string {
	for _, name := range []string{"index_to_key", "index2word", "index2entity"} {
		list, ok := state.get(name).(*pyList)
		if !ok || len(list.items) == 0 {
			continue
		}
		words := make([]string, len(list.items))
		for i, v := range list.items {
			s, ok := v.(string)
			if !ok {
				return nil
			}
			words[i] = s
		}
		return words
	}
	return nil
}

// arrayOf returns an attribute that is an array. None is no error.
func arrayOf(state *pyDict, name, prefix string) (ndarray, error) {
	v := state.get(name)
	if beside, ok := state.get("__numpys").(*pyList); ok && slices.Contains(beside.items, any(name)) {
		file := prefix + "." + name + ".npy"
		f, err := os.Open(file)
		if err != nil {
			return ndarray{}, fmt.Errorf("gensim has put its array %q into a file beside it: %w: keep the files of a model together", name, err)
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return ndarray{}, err
		}
		a, err := vectorfile.ReadArray(f, info.Size())
		if err != nil {
			return ndarray{}, fmt.Errorf("%s: %w", file, err)
		}
		if len(a.Shape) != 2 {
			return ndarray{}, fmt.Errorf("%s: the array has %d dimensions, not two", file, len(a.Shape))
		}
		return ndarray{file: file, rows: a.Shape[0], cols: a.Shape[1]}, nil
	}
	o, ok := v.(*pyObject)
	if !ok {
		return ndarray{}, nil
	}
	a, err := inlineArray(o)
	if err != nil {
		return a, fmt.Errorf("array %q in the pickle: %w%s", name, err, howToConvert)
	}
	return a, nil
}

// inlineArray understands the two ways in which NumPy pickles an array.
func inlineArray(o *pyObject) (ndarray, error) {
	var shape, dtype, content any
	fortran := false
	switch {
	case o.is("_reconstruct"):
		s, ok := o.state.(pyTuple)
		if !ok || len(s) != 5 {
			return ndarray{}, errors.New("it is not as NumPy writes one")
		}
		shape, dtype, content = s[1], s[2], s[4]
		fortran = s[3] == true || s[3] == int64(1)
	case o.is("_frombuffer") && len(o.args) == 4:
		content, dtype, shape = o.args[0], o.args[1], o.args[2]
		fortran = o.args[3] == "F"
	default:
		return ndarray{}, errors.New("it is no array of NumPy's")
	}
	dims, ok := shape.(pyTuple)
	if !ok || len(dims) != 2 {
		return ndarray{}, errors.New("it does not have two dimensions")
	}
	rows, cols := intOf(dims[0]), intOf(dims[1])
	if fortran || !fits(rows, cols) {
		return ndarray{}, fmt.Errorf("its shape (%d, %d) or order is not read", rows, cols)
	}
	width := floatWidth(dtype)
	if width == 0 {
		return ndarray{}, errors.New("its values are not float32 or float64")
	}
	var data []byte
	switch c := content.(type) {
	case []byte:
		data = c
	case string: // of Python 2
		data = []byte(c)
	}
	if int64(len(data)) != int64(rows)*int64(cols)*int64(width) {
		return ndarray{}, fmt.Errorf("%d bytes are not %d x %d values", len(data), rows, cols)
	}
	return ndarray{rows: rows, cols: cols, width: width, data: data}, nil
}

// floatWidth is the size of a little-endian floating-point type, 0 for others.
func floatWidth(dtype any) int {
	o, ok := dtype.(*pyObject)
	if !ok || !o.is("dtype") || len(o.args) == 0 {
		return 0
	}
	if s, ok := o.state.(pyTuple); !ok || len(s) < 2 || s[1] != "<" {
		return 0
	}
	switch o.args[0] {
	case "f4":
		return 4
	case "f8":
		return 8
	}
	return 0
}

// write passes on the array row by row as little-endian float32.
func (a ndarray) write(w io.Writer, name func(row int) string) error {
	if a.file != "" {
		f, err := os.Open(a.file)
		if err != nil {
			return err
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return err
		}
		h, err := vectorfile.ReadArray(f, info.Size())
		if err == nil {
			if len(h.Shape) != 2 || h.Shape[0] != a.rows || h.Shape[1] != a.cols {
				return fmt.Errorf("%s changed while it was read", a.file)
			}
			err = copyArray(w, h, f, name)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", a.file, err)
		}
		return nil
	}
	const part = 1 << 12
	var buf []byte
	values := make([]float32, 0, part)
	for at, n := 0, a.rows*a.cols; at < n; at += len(values) {
		values = values[:0]
		for i := at; i < min(at+part, n); i++ {
			if a.width == 8 {
				values = append(values, float32(math.Float64frombits(le.Uint64(a.data[8*i:]))))
			} else {
				values = append(values, math.Float32frombits(le.Uint32(a.data[4*i:])))
			}
		}
		var err error
		if buf, err = writeFloats(w, buf, at, a.cols, values, name); err != nil {
			return err
		}
	}
	return nil
}
