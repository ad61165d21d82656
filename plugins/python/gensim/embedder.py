"""Word vectors that gensim reads, by BERTopic's rule.

A text's vector is the mean over the words of text.split() that are in the
vocabulary, upper and lower case and punctuation as they are; a word that comes
twice counts twice. Of fastText vectors only the vocabulary counts, as in
BERTopic, not the n-grams within words.

Where BERTopic gives a text without any known word a vector of zeros, the row has
the status oov, or empty where it has no words.
"""

from __future__ import annotations

import hashlib
import pathlib
from typing import Any

import numpy as np
from bertopic_sdk import EMPTY, OOV, Description, Embedder, Info, Option, Refused, Settings, Vectors

_FORMATS = ["auto", "keyedvectors", "word2vec", "word2vec-binary", "glove", "fasttext"]


class Gensim(Embedder):
    def describe(self) -> Description:
        return Description(
            name="python-gensim",
            version="0.1.0",
            summary="means of word vectors, read by gensim",
            options=[
                Option("model", "string", help="a file of vectors, relative to the folder of bertopic.toml", required=True),
                Option("format", "string", "auto", "of the file; auto goes by its name", choices=_FORMATS),
                Option("metric", "string", "cosine", "distance that suits the vectors", choices=["cosine", "euclidean"]),
            ],
        )

    def configure(self, settings: Settings) -> Info:
        path = settings.path("model")
        if not path.is_file():
            raise Refused(f"there is no file {path}", option="model")
        form = settings["format"] if settings["format"] != "auto" else guess(path)
        try:
            self.vectors = read(path, form)
        except Exception as e:
            raise Refused(f"{path} can't be read as {form}: {type(e).__name__}: {e}", "name its format", "format") from e
        with open(path, "rb") as f:
            sha256 = hashlib.file_digest(f, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else hashlib.sha256(f.read()).hexdigest()
        return Info(
            dimension=self.vectors.vector_size,
            metric=settings["metric"],
            words=True,
            model=path.name,
            model_sha256=sha256,
            batch_invariant=True,
        )

    def embed(self, texts, images) -> Vectors:
        out = np.zeros((len(texts), self.vectors.vector_size), np.float32)
        statuses = {}
        for i, text in enumerate(texts):
            words = text.split()
            known = [self.vectors[w] for w in words if w in self.vectors.key_to_index]
            if known:
                out[i] = np.mean(known, axis=0)
            # All zeros may also be the mean of vectors that cancel.
            if not out[i].any() and (not known or self.settings["metric"] != "euclidean"):
                statuses[i] = OOV if words else EMPTY
        return Vectors(out, statuses)

    def embed_words(self, words) -> Vectors:
        return self.embed(words, ())


def guess(path: pathlib.Path) -> str:
    """The format that goes with a file's name."""
    name = path.name.lower().removesuffix(".gz")
    if name.endswith((".kv", ".wordvectors", ".model")):
        return "keyedvectors"
    if "fasttext" in name and name.endswith(".bin"):
        return "fasttext"
    if name.endswith(".bin"):
        return "word2vec-binary"
    return "glove" if "glove" in name else "word2vec"


def read(path: pathlib.Path, form: str) -> Any:
    from gensim.models import KeyedVectors
    from gensim.models.fasttext import load_facebook_vectors

    if form == "keyedvectors":
        loaded = KeyedVectors.load(str(path))
        return getattr(loaded, "wv", loaded)  # a whole model holds its vectors
    if form == "fasttext":
        return load_facebook_vectors(str(path))
    return KeyedVectors.load_word2vec_format(str(path), binary=form == "word2vec-binary", no_header=form == "glove")
