"""Any backend of BERTopic's: one that comes with it, or a BaseEmbedder of your own.

The option backend is an import path, module:attribute, the module looked for in
the folder of bertopic.toml first. The attribute is a backend, or a class or
function that makes one and is called with the option arguments, a table.

Each row is given to the backend alone, unless batch_size says otherwise, so that
its vector depends on nothing else. Pictures go to a backend that takes them, as
MultiModalBackend does; a row with a text and a picture gets what the backend
makes of the two, the plain mean of MultiModalBackend.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
from typing import Any

import numpy as np
from bertopic_sdk import EMPTY, OOV, Description, Embedder, Info, Option, Refused, RowStatus, Settings, Vectors, failed, progress, warn

_VARIABLES = ["HF_HOME", "HF_ENDPOINT", "HF_TOKEN", "HF_HUB_OFFLINE", "OPENAI_API_KEY", "OPENAI_BASE_URL", "CO_API_KEY"]


class BERTopic(Embedder):
    def describe(self) -> Description:
        return Description(
            name="python-bertopic",
            version="0.1.0",
            summary="any backend of BERTopic, by its import path",
            modalities=["text", "image"],
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
        self.has_images = hasattr(self.backend, "embed_images")
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
        matrix = np.zeros((len(texts), self.dimension), np.float32)
        statuses: dict[int, RowStatus] = {}
        plain = []  # rows that are just text
        for i, text in enumerate(texts):
            blank = text is None or not text.strip()
            if images[i]:
                one = self.with_images(None if blank else text, images[i])
                if isinstance(one, RowStatus):
                    statuses[i] = one
                else:
                    matrix[i] = one
                progress(i + 1)
            elif blank:
                statuses[i] = EMPTY
            else:
                plain.append(i)
        size = self.settings["batch_size"]
        for at in range(0, len(plain), size):
            some = plain[at : at + size]
            matrix[some] = self.ask(self.backend.embed_documents, [texts[i] for i in some])
            progress(len(texts) - len(plain) + at + len(some))
        return Vectors(matrix, self.without(matrix, statuses))

    def with_images(self, text: str | None, images: Any) -> Any:
        """The vector of a row with pictures; several count as their mean."""
        if not self.has_images:
            return failed(f"{type(self.backend).__name__} takes no pictures")
        vectors = []
        for image in images:
            try:
                from PIL import Image

                with Image.open(io.BytesIO(image.read())) as picture:
                    picture.load()
                    vectors.append(self.ask(self.backend.embed, [text], [picture])[0])
            except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as e:
                return failed(f"the picture {image.path or 'of the batch'} can't be embedded: {e}")
        return np.mean(vectors, axis=0)

    def embed_words(self, words) -> Vectors:
        matrix = np.zeros((len(words), self.dimension), np.float32)
        some = [i for i, word in enumerate(words) if word.strip()]
        size = self.settings["batch_size"]
        for at in range(0, len(some), size):
            matrix[some[at : at + size]] = self.ask(self.backend.embed_words, [words[i] for i in some[at : at + size]])
            progress(at + 1)
        return Vectors(matrix, self.without(matrix, {i: EMPTY for i in range(len(words)) if i not in some}))

    def without(self, matrix: np.ndarray, statuses: dict[int, RowStatus]) -> dict[int, RowStatus]:
        """Statuses, and those of rows for which the backend gave zeros."""
        if self.settings["metric"] == "euclidean":
            return statuses
        return {**{int(i): OOV for i in np.flatnonzero(~matrix.any(axis=1))}, **statuses}


def one_thread() -> None:
    """How many threads share a product can change its last bits: one, always."""
    try:
        import torch
    except ImportError:
        return
    torch.set_num_threads(1)
