"""Flair's embeddings of documents, by BERTopic's rule.

kind = "document" is TransformerDocumentEmbeddings: the first token of the last
layer, or what pooling and layers say. kind = "words" is DocumentPoolEmbeddings
over a file of word vectors: the mean over a text's words, unknown ones counted as
zeros. Without a kind, a folder holds a transformer and a file holds words.

Where BERTopic embeds the words "an empty document" in the place of an empty text,
or of one that fails, the row has the status empty, or fails. Texts are embedded
one by one, in one thread, so that a row's bits depend on nothing else.
"""

from __future__ import annotations

import os
from typing import Any

from bertopic_sdk import EMPTY, OOV, Description, Embedder, Info, Option, Refused, Settings, by_row, sha256_of, truncated


class Flair(Embedder):
    def describe(self) -> Description:
        return Description(
            name="python-flair",
            version="0.1.0",
            summary="Flair: transformers of documents, pooled vectors of words",
            options=[
                Option("model", "string", help="a transformer's folder or name as in `bertopic models list`, or a file of word vectors", required=True),
                Option("kind", "string", "auto", "document: a transformer; words: a file that gensim reads", choices=["auto", "document", "words"]),
                Option("pooling", "string", "", "of a document: cls (default), mean, max; of words: mean (default), max, min", choices=["", "cls", "mean", "max", "min"]),
                Option("layers", "string", "-1", "of a transformer: -1 is the last, several are put side by side, as in -1,-2"),
                Option("device", "string", "cpu", "as torch names it: cpu, cuda, cuda:1"),
                Option("metric", "string", "cosine", "distance that suits the vectors", choices=["cosine", "euclidean"]),
            ],
        )

    def configure(self, settings: Settings) -> Info:
        path = settings.model("model")
        kind = settings["kind"] if settings["kind"] != "auto" else "document" if path.is_dir() else "words"
        pooling = settings["pooling"] or ("cls" if kind == "document" else "mean")
        if pooling not in ({"cls", "mean", "max"} if kind == "document" else {"mean", "max", "min"}):
            raise Refused(f"pooling {pooling} does not go with kind {kind}", option="pooling")
        os.environ["HF_HUB_OFFLINE"] = "1"
        import flair
        import torch
        from flair.data import Sentence
        from flair.embeddings import DocumentPoolEmbeddings, TransformerDocumentEmbeddings, WordEmbeddings

        torch.set_num_threads(1)
        self.Sentence = Sentence
        try:
            flair.device = torch.device(settings["device"])
            if kind == "document":
                self.flair = TransformerDocumentEmbeddings(str(path), layers=settings["layers"], cls_pooling=pooling, fine_tune=False)
            else:
                self.flair = DocumentPoolEmbeddings([WordEmbeddings(str(path))], pooling=pooling)
        except Exception as e:
            raise Refused(f"{path} can't be loaded as {kind}: {type(e).__name__}: {e}", option="model") from e
        self.flair.to(flair.device)
        self.limit = getattr(self.flair, "tokenizer", None) and self.flair.tokenizer.model_max_length
        if not self.limit or self.limit > 1 << 24 or getattr(self.flair, "allow_long_sentences", False):
            self.limit = 0  # a long text is embedded part by part, or there is no limit
        return Info(
            dimension=self.flair.embedding_length,
            metric=settings["metric"],
            words=True,
            max_tokens=self.limit,
            model=path.name,
            model_sha256=sha256_of(path),
            device=str(flair.device),
            batch_invariant=True,
        )

    def row(self, text: str) -> Any:
        sentence = self.Sentence(text)
        if not len(sentence):
            return EMPTY
        self.flair.embed(sentence)
        return sentence.embedding.detach().cpu().numpy(), truncated(self.lost(sentence))

    def lost(self, sentence: Any) -> int:
        if not self.limit:
            return 0
        words = [[token.text for token in sentence]]
        ids = self.flair.tokenizer(words, is_split_into_words=True, truncation=False, verbose=False)["input_ids"][0]
        return max(0, len(ids) - self.limit)

    def embed(self, texts, images) -> Any:
        zeros = None if self.settings["metric"] == "euclidean" else OOV
        return by_row(texts, self.flair.embedding_length, self.row, zeros)

    def embed_words(self, words) -> Any:
        return self.embed(words, ())
