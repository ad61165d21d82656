"""The Universal Sentence Encoder, or any SavedModel of TensorFlow that turns texts
into vectors, loaded by tensorflow_hub from a folder.

Each text is given to the model alone, as BERTopic does, and TensorFlow has one
thread, so that a row's bits depend on nothing else. Nothing is fetched: unpack
the model's archive and name its folder, the one with saved_model.pb.
"""

from __future__ import annotations

import os
from typing import Any

from bertopic_sdk import Description, Embedder, Info, Option, Refused, Settings, by_row, sha256_of


class UniversalSentenceEncoder(Embedder):
    def describe(self) -> Description:
        return Description(
            name="python-use",
            version="0.1.0",
            summary="the Universal Sentence Encoder, by tensorflow_hub",
            options=[
                Option("model", "string", help="the folder of the SavedModel, relative to the folder of bertopic.toml", required=True),
                Option("device", "string", "cpu", "cpu; gpu: the first one, which must be there; auto: a GPU where there is one", choices=["cpu", "gpu", "auto"]),
                Option("metric", "string", "cosine", "distance that suits the vectors", choices=["cosine", "euclidean"]),
            ],
        )

    def configure(self, settings: Settings) -> Info:
        folder = settings.path("model")
        if not (folder / "saved_model.pb").is_file():
            raise Refused(f"there is no saved_model.pb in {folder}", option="model")
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        import tensorflow as tf
        import tensorflow_hub as hub

        device = self.choose(tf, settings["device"])
        with tf.device(device):
            try:
                self.model = hub.load(str(folder))
            except Exception as e:
                raise Refused(f"{folder} can't be loaded: {type(e).__name__}: {e}", option="model") from e
            if not callable(self.model):
                raise Refused(f"the SavedModel in {folder} can't be called with a list of texts", option="model")
            self.dimension = len(self.row("river"))
        return Info(
            dimension=self.dimension,
            metric=settings["metric"],
            words=True,
            model=folder.name,
            model_sha256=sha256_of(folder),
            device="cpu" if device == "/CPU:0" else "cuda:0",
            batch_invariant=True,
        )

    def choose(self, tf: Any, device: str) -> str:
        try:
            tf.config.threading.set_intra_op_parallelism_threads(1)
            tf.config.threading.set_inter_op_parallelism_threads(1)
        except RuntimeError:
            pass  # TensorFlow is in use: an earlier configure has set them
        there = tf.config.list_physical_devices("GPU")
        if device == "gpu" and not there:
            raise Refused("TensorFlow finds no GPU", "device = \"auto\" takes the CPU then; the environment's TensorFlow is the one for CPUs, unless it was installed with --requirements", "device")
        return "/GPU:0" if there and device != "cpu" else "/CPU:0"

    def row(self, text: str) -> Any:
        return self.model([text])[0].numpy()

    def embed(self, texts, images) -> Any:
        return by_row(texts, self.dimension, self.row)

    def embed_words(self, words) -> Any:
        return self.embed(words, ())
