"""The feature-extraction pipeline of transformers, by BERTopic's rule.

A text's vector is the mean of the last layer over all its tokens, those that the
tokenizer adds among them, made unit length. Each text goes through the pipeline
alone, in one thread, so that its bits depend on nothing else.

A tokenizer that names no limit would let a long text fail: then the model's own
limit counts. What is cut off a long text is told by the row's status. A model is
a folder, or one that `bertopic models get` has brought: nothing is fetched.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from bertopic_sdk import Description, Embedder, Info, Option, Refused, Settings, by_row, sha256_of, truncated

_NO_LIMIT = 1 << 24  # a tokenizer without one says 10^30


class Transformers(Embedder):
    def describe(self) -> Description:
        return Description(
            name="python-transformers",
            version="0.1.0",
            summary="the feature-extraction pipeline of transformers, mean over tokens",
            options=[
                Option("model", "string", help="a model's folder, or the name of one that `bertopic models list` shows", required=True),
                Option("device", "string", "cpu", "as torch names it: cpu, cuda, cuda:1, mps"),
                Option("max_seq_length", "integer", 0, "tokens of a text that are read; 0: as the tokenizer says, or else the model"),
            ],
        )

    def configure(self, settings: Settings) -> Info:
        folder = settings.model("model")
        os.environ["HF_HUB_OFFLINE"] = "1"
        import torch
        from transformers import pipeline

        torch.set_num_threads(1)
        try:
            self.pipe = pipeline("feature-extraction", model=str(folder), tokenizer=str(folder), device=settings["device"])
        except Exception as e:
            raise Refused(f"{folder} can't be loaded: {type(e).__name__}: {e}", option="model") from e
        self.tokenizer = self.pipe.tokenizer
        if settings["max_seq_length"] > 0:
            self.tokenizer.model_max_length = settings["max_seq_length"]
        elif self.tokenizer.model_max_length > _NO_LIMIT:
            self.tokenizer.model_max_length = limit_of(self.pipe.model.config) or self.tokenizer.model_max_length
        limit = self.tokenizer.model_max_length
        self.limit = limit if limit < _NO_LIMIT else 0
        self.dimension = len(self.vector("river"))
        return Info(
            dimension=self.dimension,
            unit_length=True,
            words=True,
            max_tokens=self.limit,
            model=folder.name,
            model_sha256=sha256_of(folder),
            device=str(self.pipe.device),
            batch_invariant=True,
        )

    def vector(self, text: str) -> Any:
        from sklearn.preprocessing import normalize

        tokens = np.array(self.pipe(text, truncation=True, padding=True))
        mask = self.tokenizer(text, truncation=True, padding=True, return_tensors="np")["attention_mask"]
        weights = np.broadcast_to(mask[..., None], tokens.shape)
        # Divided by the number of tokens, each value by itself, as BERTopic does: the order decides last bits.
        return normalize((tokens * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-9))[0]

    def row(self, text: str) -> Any:
        vector = self.vector(text)
        if not self.limit:
            return vector
        return vector, truncated(max(0, len(self.tokenizer(text, truncation=False, verbose=False)["input_ids"]) - self.limit))

    def embed(self, texts, images) -> Any:
        return by_row(texts, self.dimension, self.row)

    def embed_words(self, words) -> Any:
        return self.embed(words, ())


def limit_of(config: Any) -> int:
    """How many tokens a model takes, 0 if it does not say."""
    positions = getattr(config, "max_position_embeddings", 0) or 0
    # These count positions from the padding token's on.
    if config.model_type in ("roberta", "xlm-roberta", "camembert", "mpnet", "longformer", "xlm-roberta-xl", "data2vec-text", "roberta-prelayernorm"):
        positions -= (config.pad_token_id or 0) + 1
    return max(positions, 0)
