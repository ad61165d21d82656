package wordvectors

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// TestGensimFixtures reads the files that gensim tests itself with. They come
// with its package (LGPL) and are not kept here: sdk/python/test.sh installs it,
// or GENSIM_TEST_DATA names the folder gensim/test/test_data. The sums are those of the vectors that gensim
// 4.4.0 reads, as float32 in the order of the words.
func TestGensimFixtures(t *testing.T) {
	dir := os.Getenv("GENSIM_TEST_DATA")
	if cache, err := os.UserCacheDir(); dir == "" && err == nil {
		found, _ := filepath.Glob(filepath.Join(cache, "bertopic", "tools", "python-sdk-*", "lib", "python*", "site-packages", "gensim", "test", "test_data"))
		if len(found) > 0 {
			dir = found[0]
		}
	}
	if dir == "" {
		t.Skip("gensim 4.4.0 is not here: sdk/python/test.sh installs it")
	}
	for _, c := range []struct {
		name, encoding string
		words, dim     int
		sum            string
	}{
		{"euclidean_vectors.bin", "", 2747, 10, "6c7e2bd93bab6b84"},
		{"high_precision.kv.bin", "", 2, 2, "e5147329d0601e19"},
		{"high_precision.kv.txt", "", 2, 2, "91cbdc099c4ee961"},
		{"poincare_vectors.bin", "", 1182, 10, "5c5431d04c0ad701"},
		{"toy-model.vec", "", 22, 5, "1e3d473ac540df4f"},
		{"lee_fasttext.vec", "", 1762, 10, "2870b96c89ea2d24"},
		{"crime-and-punishment.vec", "", 291, 5, "fe0c65c7e0d6aa7a"},
		{"test_glove.txt", "", 76, 50, "1f3f1da48d935291"},
		{"lee_fasttext.bin", "", 1762, 10, "c217f8ffd5eb25da"},
		{"lee_fasttext_new.bin", "", 1763, 10, "a3c2a817a7be78d9"},
		{"crime-and-punishment.bin", "", 291, 5, "5f0e74f81908817d"},
		{"non_ascii_fasttext.bin", "", 171, 2, "3b0f4cbab99d8bc0"},
		{"cp852_fasttext.bin", "cp852", 171, 2, "a1d6f4a2c23bd6ff"},
		{"toy-model.bin", "", 22, 5, "f18a0b30ae95adbe"},
		{"toy-model-pretrained.bin", "", 24, 5, "df62de190098c071"},
		{"model-from-gensim-3.8.0.w2v", "", 3, 300, "c020942b299b7800"},
		{"old_keyedvectors_320.dat", "", 12, 100, "dddbcab305eb830c"},
		{"word2vec_3.3", "", 4, 100, "396d890de1fe2bca"},
		{"word2vec_old", "", 12, 100, "13f1e344bbcf7030"},
		{"word2vec_old_sep", "", 12, 100, "13f1e344bbcf7030"},
		// Those that gensim 4.4.0 itself can't read any more, or reads in part.
		{"pang_lee_polarity_fasttext.vec", "windows-1252", 1694, 100, ""},
		{"pang_lee_polarity_fasttext.bin", "windows-1252", 1694, 100, ""},
		{"w2v-lee-v0.12.0", "", 806, 100, ""},
		{"word2vec_pre_kv_py2", "", 9, 2, ""},
		{"word2vec_pre_kv_py3", "", 9, 2, ""},
		{"word2vec_pre_kv_sep_py2", "", 9, 2, ""},
		{"word2vec_pre_kv_sep_py3_4", "", 9, 2, ""},
		{"lee_fasttext", "", 1762, 10, ""},
		{"ft_kv_3.6.0.model.gz", "", 12, 3, ""},
		{"old_w2v_models/w2v_0.13.4.mdl", "", 3, 4, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := open(t, filepath.Join(dir, c.name), Options{Encoding: c.encoding})
			if v.Info.Words != c.words || v.Info.Dim != c.dim {
				t.Fatalf("%+v, want %d words of %d values", v.Info, c.words, c.dim)
			}
			h := sha256.New()
			var raw []byte
			for i := range v.Info.Rows {
				raw = raw[:0]
				for _, x := range v.AppendTo(nil, i) {
					raw = le.AppendUint32(raw, math.Float32bits(x))
				}
				h.Write(raw)
			}
			if sum := hex.EncodeToString(h.Sum(nil))[:16]; c.sum != "" && sum != c.sum {
				t.Errorf("the vectors have the sum %s, want %s", sum, c.sum)
			}
		})
	}
	if _, err := Open(t.Context(), filepath.Join(dir, "pretrained.vec"), Options{}); err == nil {
		t.Error("pretrained.vec says 3 words and holds 1")
	} else {
		t.Log(err)
	}
}
