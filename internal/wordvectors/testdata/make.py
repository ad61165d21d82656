"""Makes from the golden files the forms that gensim and NumPy save: python make.py, in this folder.
gensim 4.4.0, numpy 2.4.6, pyarrow 26.0.1."""
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from gensim.models import KeyedVectors
from gensim.models.fasttext import load_facebook_vectors

kv = KeyedVectors.load_word2vec_format("w2v.bin", binary=True)
kv.save("w2v.kv")                      # the array within the pickle
kv.save("w2v-apart.kv", sep_limit=0)   # the array in a file beside it
ft = load_facebook_vectors("fasttext.bin")
ft.save("fasttext.kv")
words = np.array(kv.index_to_key)
np.savez_compressed("w2v.npz", words=words, vectors=kv.vectors)
np.save("apart.npy", kv.vectors)
pq.write_table(pa.table({"index": kv.index_to_key}), "apart.parquet")
np.save("double.npy", np.asfortranarray(kv.vectors.astype(">f8")))
with open("double.words", "w", encoding="utf-8", newline="") as f:
    f.write("\r\n".join(kv.index_to_key) + "\r\n")
