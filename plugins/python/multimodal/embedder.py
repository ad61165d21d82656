"""BERTopic's MultiModalBackend: texts, pictures and both, by a model of
sentence-transformers that embeds the two into one space, as CLIP does.

A row's text and its picture are embedded by the backend, each alone and in one
thread. Of both the default is the mean at unit length, as with the embedder clip;
average = "raw" is BERTopic's plain mean. Several pictures of a row count as their
mean. Pictures are turned upright as their EXIF data say, which BERTopic does not
do: upright = false.
"""

from __future__ import annotations

import io
import os
from typing import Any

import numpy as np
from bertopic_sdk import EMPTY, OOV, Description, Embedder, Info, Option, Refused, RowStatus, Settings, Vectors, by_row, failed, progress, sha256_of, truncated

_TOKENS = 77  # what BERTopic cuts a text at, CLIP's own limit


class MultiModal(Embedder):
    def describe(self) -> Description:
        return Description(
            name="python-multimodal",
            version="0.1.0",
            summary="BERTopic's MultiModalBackend: texts, pictures and both",
            modalities=["text", "image"],
            options=[
                Option("model", "string", help="a model's folder, or the name of one that `bertopic models list` shows", required=True),
                Option("image_model", "string", "", "another model for pictures; empty: the same"),
                Option("device", "string", "auto", "as torch names it: cpu, cuda, cuda:1, mps; auto: the library's choice"),
                Option("average", "string", "unit", "of a text and a picture: unit, both at unit length, and their mean; raw: the plain mean", choices=["unit", "raw"]),
                Option("upright", "boolean", True, "turn pictures as their EXIF data say"),
            ],
        )

    def configure(self, settings: Settings) -> Info:
        folder = settings.model("model")
        os.environ["HF_HUB_OFFLINE"] = "1"
        import torch
        from bertopic.backend import MultiModalBackend
        from sentence_transformers import SentenceTransformer

        torch.set_num_threads(1)
        device = None if settings["device"] == "auto" else settings["device"]

        def load(path: Any, option: str) -> Any:
            try:
                return SentenceTransformer(str(path), device=device, local_files_only=True)
            except Exception as e:
                raise Refused(f"{path} can't be loaded: {type(e).__name__}: {e}", option=option) from e

        other = load(settings.model("image_model"), "image_model") if settings["image_model"] else None
        self.backend = MultiModalBackend(load(folder, "model"), other)
        self.dimension = len(self.backend.embed_words(["river"])[0])
        return Info(
            dimension=self.dimension,
            words=True,
            model=folder.name,
            model_sha256=sha256_of(folder),
            device=str(self.backend.embedding_model.device),
            batch_invariant=True,
        )

    def picture(self, images: Any) -> Any:
        """The vector of a row's pictures, or why there is none."""
        from PIL import Image, ImageOps

        vectors = []
        for image in images:
            try:
                with Image.open(io.BytesIO(image.read())) as opened:
                    opened.load()
                    turned = ImageOps.exif_transpose(opened) if self.settings["upright"] else opened
                    vectors.append(self.backend.embed([None], images=[turned])[0])
            except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as e:
                return failed(f"the picture {image.path or 'of the batch'} can't be embedded: {e}")
        return np.mean(vectors, axis=0)

    def said(self, text: str) -> tuple[Any, int]:
        """The vector of a text, and how many of its tokens have no part in it."""
        tokenizer = self.backend.tokenizer
        lost = max(0, len(tokenizer.encode(text)) - _TOKENS) if tokenizer else 0
        try:
            return self.backend.embed_documents([text])[0], lost
        except RecursionError:
            # BERTopic cuts a text at the tokens and reads them as text again, until it is
            # short enough: with some tokenizers it never is. The model cuts by itself.
            return self.backend.embed_words([text])[0], lost

    def row(self, text: str | None, images: Any) -> tuple[Any, RowStatus]:
        said, lost = self.said(text) if text is not None and text.strip() else (None, 0)
        if not images:
            return said, EMPTY if said is None else truncated(lost)
        seen = self.picture(images)
        if isinstance(seen, RowStatus):
            return None, seen
        if said is None:
            return seen, truncated(0)
        both = np.mean([said, seen], axis=0) if self.settings["average"] == "raw" else unit(unit(said) + unit(seen))
        return both, truncated(lost)

    def embed(self, texts, images) -> Vectors:
        matrix = np.zeros((len(texts), self.dimension), np.float32)
        statuses: dict[int, RowStatus] = {}
        for i, (text, pictures) in enumerate(zip(texts, images)):
            vector, status = self.row(text, pictures)
            if vector is not None:
                matrix[i] = vector
            if vector is not None and not matrix[i].any():
                status = OOV
            if status != truncated(0):
                statuses[i] = status
            progress(i + 1)
        return Vectors(matrix, statuses)

    def embed_words(self, words) -> Vectors:
        return by_row(words, self.dimension, lambda word: self.backend.embed_words([word])[0])


def unit(vector: Any) -> Any:
    norm = np.linalg.norm(vector)
    return vector / norm if norm > 0 else vector
