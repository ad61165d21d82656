"""Any backend of BERTopic's: one that comes with it, or a BaseEmbedder of your own.

The option backend is an import path, module:attribute, the module looked for in
the folder of bertopic.toml first. The attribute is a backend, or a class or
function that makes one and is called with the option arguments, a table.

Each text is given to the backend alone, unless batch_size says otherwise, so that
its vector depends on nothing else. Pictures are for the embedder python-multimodal.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import numpy as np
from bertopic_sdk import EMPTY, OOV, Description, Embedder, Info, Option, Refused, Settings, Vectors, by_row, progress, warn

_VARIABLES = ["HF_HOME", "HF_ENDPOINT", "HF_TOKEN", "HF_HUB_OFFLINE", "OPENAI_API_KEY", "OPENAI_BASE_URL", "CO_API_KEY"]


class BERTopic(Embedder):
    def describe(self) -> Description:
        return Description(
            name="python-bertopic",
            version="0.1.0",
            summary="any backend of BERTopic, by its import path",
            network=True,  # a backend may call a service or fetch a model
            environment=_VARIABLES,
            options=[
                Option("backend", "string", help="module:attribute of a backend, or of a class or function that makes one", required=True),
                Option("arguments", "any", {}, "a table of arguments for that class or function"),
                Option("batch_size", "integer", 1, "texts that are given to the backend together; above 1 it is not asked one by one"),
                Option("metric", "string", "cosine", "distance that suits the vectors", choices=["cosine", "euclidean", "hellinger"]),
                Option("device", "string", "cpu", "what to report; the backend itself is told by its arguments"),
            ],
        )

    def configure(self, settings: Settings) -> Info:
        if settings["batch_size"] < 1:
            raise Refused("batch_size must be at least 1", option="batch_size")
        if not isinstance(settings["arguments"], dict):
            raise Refused("arguments must be a table", option="arguments")
        self.backend = self.make(settings)
        self.dimension = len(self.ask(self.backend.embed_documents, ["river"])[0])
        words = self.ask(self.backend.embed_words, ["river"])
        if words.shape[1] != self.dimension:
            warn(f"the backend gives words {words.shape[1]} dimensions and documents {self.dimension}: words are not embedded")
        return Info(
            dimension=self.dimension,
            metric=settings["metric"],
            words=words.shape[1] == self.dimension,
            model=f"{settings['backend']} {settings['arguments'] or ''}".strip(),
            device=settings["device"],
            batch_invariant=settings["batch_size"] == 1,
        )

    def make(self, settings: Settings) -> Any:
        from bertopic.backend import BaseEmbedder

        one_thread()
        path = settings["backend"]
        module, colon, attribute = path.partition(":")
        if not (module and colon and attribute):
            raise Refused(f"{path!r} is not of the form module:attribute", option="backend")
        if settings.base_dir and settings.base_dir not in sys.path:
            sys.path.insert(0, settings.base_dir)
        try:
            found: Any = importlib.import_module(module)
            for part in attribute.split("."):
                found = getattr(found, part)
        except (ImportError, AttributeError) as e:
            raise Refused(f"{path} can't be imported: {e}", f"looked for in {settings.base_dir or os.getcwd()} and in {sys.prefix}", "backend") from e
        if isinstance(found, BaseEmbedder):
            if settings["arguments"]:
                raise Refused(f"{path} is a backend already, and takes no arguments", option="arguments")
            return found
        try:
            made = found(**settings["arguments"])
        except Exception as e:
            raise Refused(f"{path} can't be called with the arguments: {type(e).__name__}: {e}", option="arguments") from e
        if not isinstance(made, BaseEmbedder):
            raise Refused(f"{path} makes a {type(made).__name__}, which is no BaseEmbedder of BERTopic", option="backend")
        return made

    def ask(self, method: Any, *rows: Any) -> np.ndarray:
        answer = method(*rows)
        matrix = np.asarray(answer.toarray() if hasattr(answer, "toarray") else answer)
        if matrix.ndim != 2 or len(matrix) != len(rows[0]):
            raise ValueError(f"the backend answered {len(rows[0])} rows with an array of the shape {matrix.shape}")
        return matrix

    def embed(self, texts, images) -> Vectors:
        return self.all(self.backend.embed_documents, texts)

    def embed_words(self, words) -> Vectors:
        return self.all(self.backend.embed_words, words)

    def all(self, method: Any, texts: Any) -> Vectors:
        zeros = None if self.settings["metric"] == "euclidean" else OOV
        size = self.settings["batch_size"]
        if size == 1:
            return by_row(texts, self.dimension, lambda text: self.ask(method, [text])[0], zeros)
        matrix = np.zeros((len(texts), self.dimension), np.float32)
        statuses = {i: EMPTY for i, text in enumerate(texts) if not text.strip()}
        some = [i for i in range(len(texts)) if i not in statuses]
        for at in range(0, len(some), size):
            now = some[at : at + size]
            matrix[now] = self.ask(method, [texts[i] for i in now])
            progress(at + len(now))
        if zeros is not None:
            statuses.update({i: zeros for i in some if not matrix[i].any()})
        return Vectors(matrix, statuses)


def one_thread() -> None:
    """How many threads share a product can change its last bits: one, always."""
    try:
        import torch
    except ImportError:
        return
    torch.set_num_threads(1)
