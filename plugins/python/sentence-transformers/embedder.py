"""sentence-transformers, as the library itself encodes.

Each text is encoded alone, so that a row's bits don't depend on the rows beside
it, and in one thread, since the number of threads changes last bits, too. With
batch_size above 1 the texts of a batch are encoded together as encode() does it,
longest first: faster on a GPU, and no longer the same bits in any company.

What is cut off a long text is told by the row's status. A model is a folder, or
one that `bertopic models get` has brought: nothing is fetched.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from bertopic_sdk import EMPTY, OOV, Description, Embedder, Info, Option, Refused, Settings, Vectors, by_row, progress, sha256_of, truncated


class SentenceTransformers(Embedder):
    def describe(self) -> Description:
        return Description(
            name="python-sentence-transformers",
            version="0.1.0",
            summary="sentence-transformers, as the library itself encodes",
            options=[
                Option("model", "string", help="a model's folder, or the name of one that `bertopic models list` shows", required=True),
                Option("device", "string", "auto", "as torch names it: cpu, cuda, cuda:1, mps; auto: the library's choice"),
                Option("batch_size", "integer", 1, "texts that are encoded together; above 1 a row's last bits depend on its neighbours"),
                Option("max_seq_length", "integer", 0, "tokens of a text that are read; 0: as the model says"),
                Option("prompt_name", "string", "", "the model's prompt to put before each text; empty: its default"),
                Option("prompt", "any", None, 'a text to put before each text in the place of a prompt of the model; "" puts none'),
                Option("normalize", "boolean", False, "make every vector unit length, also where the model does not"),
            ],
        )

    def configure(self, settings: Settings) -> Info:
        if settings["batch_size"] < 1:
            raise Refused("batch_size must be at least 1", option="batch_size")
        if not isinstance(settings["prompt"], (str, type(None))):
            raise Refused("prompt must be a text", option="prompt")
        folder = settings.model("model")
        os.environ["HF_HUB_OFFLINE"] = "1"
        import torch
        from sentence_transformers import SentenceTransformer

        torch.set_num_threads(1)
        device = None if settings["device"] == "auto" else settings["device"]
        try:
            self.model = SentenceTransformer(str(folder), device=device, local_files_only=True)
        except Exception as e:
            raise Refused(f"{folder} can't be loaded: {type(e).__name__}: {e}", option="model") from e
        if settings["max_seq_length"] > 0:
            self.model.max_seq_length = settings["max_seq_length"]
        self.arguments: dict[str, Any] = {"show_progress_bar": False, "normalize_embeddings": settings["normalize"]}
        if settings["prompt"] is not None:
            self.arguments["prompt"] = settings["prompt"]
        elif settings["prompt_name"]:
            if settings["prompt_name"] not in self.model.prompts:
                raise Refused(f"the model has no prompt {settings['prompt_name']!r}; it has {', '.join(self.model.prompts) or 'none'}", option="prompt_name")
            self.arguments["prompt_name"] = settings["prompt_name"]
        self.limit = self.model.max_seq_length
        self.dimension = len(self.model.encode("river", **self.arguments))
        return Info(
            dimension=self.dimension,
            metric="euclidean" if self.model.similarity_fn_name in ("euclidean", "manhattan") else "cosine",
            unit_length=settings["normalize"] or type(self.model[-1]).__name__ == "Normalize",
            words=True,
            max_tokens=self.limit if self.has_limit() else 0,
            model=folder.name,
            model_sha256=sha256_of(folder),
            device=str(self.model.device),
            batch_invariant=settings["batch_size"] == 1,
        )

    def has_limit(self) -> bool:
        return isinstance(self.limit, int) and self.limit < 1 << 24 and callable(self.model.tokenizer)

    def prompt(self) -> str:
        if "prompt" in self.arguments:
            return self.arguments["prompt"]
        name = self.arguments.get("prompt_name") or self.model.default_prompt_name
        return self.model.prompts.get(name, "") if name else ""

    def lost(self, text: str) -> int:
        """How many tokens of a text are not read."""
        if not self.has_limit():
            return 0
        ids = self.model.tokenizer(self.prompt() + text, truncation=False, verbose=False)["input_ids"]
        return max(0, len(ids) - self.limit)

    def row(self, text: str) -> Any:
        vector = self.model.encode(text, **self.arguments)
        return vector, truncated(self.lost(text))

    def embed(self, texts, images) -> Vectors:
        size = self.settings["batch_size"]
        if size == 1:
            return by_row(texts, self.dimension, self.row)
        matrix = np.zeros((len(texts), self.dimension), np.float32)
        statuses = {i: EMPTY if not t.strip() else truncated(self.lost(t)) for i, t in enumerate(texts)}
        rows = [i for i, s in statuses.items() if s is not EMPTY]
        # As encode() sorts, ties and all; it would tell of no progress in between.
        rows = [rows[k] for k in np.argsort([-len(texts[i]) for i in rows])]
        for at in range(0, len(rows), size):
            some = rows[at : at + size]
            matrix[some] = self.model.encode([texts[i] for i in some], batch_size=size, **self.arguments)
            progress(at + len(some))
        for i in rows:
            if not matrix[i].any():
                statuses[i] = OOV
        return Vectors(matrix, {i: s for i, s in statuses.items() if s != truncated(0)})

    def embed_words(self, words) -> Vectors:
        return self.embed(words, ())
