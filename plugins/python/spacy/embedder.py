"""spaCy pipelines, by BERTopic's rule.

A pipeline with a table of vectors gives the mean of the vectors of a text's
tokens, unknown ones counted as zeros. One without gives the last tensor of its
transformer for the first span of the text (spacy-transformers), or what the
pipeline itself calls the text's vector, the mean of its tensor (the small ones).

BERTopic fails at a text of unknown words, and at pipelines on
spacy-curated-transformers, as en_core_web_trf is one. Here such a text has the
status oov, and such a pipeline gives the mean over its last layer's pieces.
"""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
from bertopic_sdk import OOV, Description, Embedder, Info, Option, Refused, Settings, by_row, sha256_of, truncated

_EXCLUDE = ["tagger", "parser", "ner", "attribute_ruler", "lemmatizer", "senter"]


class Spacy(Embedder):
    def describe(self) -> Description:
        return Description(
            name="python-spacy",
            version="0.1.0",
            summary="spaCy pipelines: tables of vectors and transformers",
            options=[
                Option("model", "string", help="a pipeline's folder, or the name of one that is installed as a package", required=True),
                Option("device", "string", "cpu", "gpu: the first one, which must be there; auto: a GPU where there is one", choices=["cpu", "gpu", "auto"]),
                Option("exclude", "string list", _EXCLUDE, "components that are not loaded, since they don't change vectors"),
                Option("metric", "string", "cosine", "distance that suits the vectors", choices=["cosine", "euclidean"]),
            ],
        )

    def configure(self, settings: Settings) -> Info:
        import spacy

        one_thread()
        device = self.choose(spacy, settings["device"])
        name, folder = self.find(spacy, settings)
        try:
            self.nlp = spacy.load(name, exclude=settings["exclude"])
        except Exception as e:  # of whatever library reads a part of it
            raise Refused(f"{settings['model']} can't be loaded as a spaCy pipeline: {type(e).__name__}: {e}", option="model") from e
        self.nlp.max_length = 1 << 30  # the limit is for parsers; the host has one of its own
        vector = self.row("river")
        # A table's own width counts: "river" may be none of its words.
        self.dimension = self.nlp.vocab.vectors_length if vector is OOV else len(vector)
        if not self.dimension:
            raise Refused(f"{settings['model']} gives no vectors: it has neither a table of them nor a component that makes a tensor", option="model")
        meta = self.nlp.meta
        return Info(
            dimension=self.dimension,
            metric=settings["metric"],
            words=True,
            model=f"{meta.get('lang', '')}_{meta.get('name', '')} {meta.get('version', '')}".strip(),
            model_sha256=sha256_of(folder),
            device=device,
            batch_invariant=True,
        )

    def choose(self, spacy: Any, device: str) -> str:
        if device == "cpu":
            spacy.require_cpu()
            return "cpu"
        if device == "auto":
            return "cuda:0" if spacy.prefer_gpu() else "cpu"
        try:
            spacy.require_gpu()
        except Exception as e:
            raise Refused(f"spaCy finds no GPU that it can use: {e}", "it needs cupy: `bertopic plugins install 'python:spacy[transformers]' --with cupy-cuda13x`", "device") from e
        return "cuda:0"

    def find(self, spacy: Any, settings: Settings) -> tuple[Any, pathlib.Path]:
        """What spacy.load takes, and the folder of the pipeline's files."""
        name = settings["model"]
        if not settings.path("model").exists() and spacy.util.is_package(name):
            return name, spacy.util.get_package_path(name)
        try:
            folder = settings.model("model")
        except Refused as e:
            raise Refused(e.summary, f"a pipeline that is a package: `bertopic plugins install python:spacy --with {name}`", "model") from e
        return folder, folder

    def row(self, text: str) -> Any:
        doc = self.nlp(text)
        lost = 0
        if doc.has_vector:
            vector = doc.vector
        elif doc.has_extension("trf_data") and doc._.trf_data is not None:
            vector, lost = of_transformer(doc)
        else:
            return OOV
        vector = vector.get() if hasattr(vector, "get") else vector  # from a GPU
        return (vector, truncated(lost)) if lost else vector

    def embed(self, texts, images) -> Any:
        zeros = None if self.settings["metric"] == "euclidean" else OOV
        return by_row(texts, self.dimension, self.row, zeros)

    def embed_words(self, words) -> Any:
        return self.embed(words, ())


def of_transformer(doc: Any) -> tuple[Any, int]:
    """The text's vector, and how many of its tokens have no part in it."""
    data = doc._.trf_data
    if not hasattr(data, "tensors"):  # spacy-curated-transformers
        pieces = data.last_hidden_layer_state.dataXd
        return (pieces.mean(axis=0), 0) if len(pieces) else (OOV, 0)
    # A long text is several spans, the first of which counts. The pieces of all
    # spans are numbered through: those from a span's length on are in later ones.
    # A token that the model's limit cuts off has no piece.
    first = data.tensors[0].shape[1]
    pieces, at, lost = data.align.dataXd.ravel(), 0, 0
    for token, n in zip(doc, data.align.lengths):
        lost += not token.is_space and not any(piece < first for piece in pieces[at : at + n])
        at += n
    return data.tensors[-1][0], lost


def one_thread() -> None:
    """How many threads share a product can change its last bits: one, always."""
    try:
        import torch
    except ImportError:
        return
    torch.set_num_threads(1)
