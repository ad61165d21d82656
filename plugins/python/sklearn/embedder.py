"""Any scikit-learn pipeline that turns texts into vectors, as an embedder.

The option pipeline names an object by its import path (module:attribute, the
module looked for in the folder of bertopic.toml first) or a file that
joblib.dump has written.

BERTopic calls fit_transform with the first documents that it sees and transform
from then on. Here the whole corpus fits the pipeline, once, and every row goes
through transform; a pipeline that was fitted before stays as it is with
fit = false.
"""

from __future__ import annotations

import hashlib
import importlib
import io
import os
import sys
from typing import Any

import numpy as np
from bertopic_sdk import EMPTY, OOV, Description, Embedder, Info, Option, Refused, Settings, Vectors


_STATE = b"python-sklearn 1\n"


class Sklearn(Embedder):
    def describe(self) -> Description:
        return Description(
            name="python-sklearn",
            version="0.1.0",
            summary="a scikit-learn pipeline of the user's",
            options=[
                Option("pipeline", "string", help="module:attribute, or a file written by joblib.dump", required=True),
                Option("fit", "boolean", True, "fit a copy of the pipeline to the corpus; false: it is fitted"),
                Option("metric", "string", "cosine", "distance that suits the vectors", choices=["cosine", "euclidean", "hellinger"]),
            ],
        )

    def configure(self, settings: Settings) -> Info:
        import sklearn.base
        import threadpoolctl

        # How many threads share a product or a sum can change its last bits.
        threadpoolctl.threadpool_limits(1)
        self.given, self.sha256 = self.find(settings)
        if not (hasattr(self.given, "transform") and hasattr(self.given, "fit")):
            raise Refused(f"{settings['pipeline']} is a {type(self.given).__name__}, which has no fit and transform", option="pipeline")
        if settings["fit"]:
            # A copy without what an earlier fit has learned.
            self.pipeline = sklearn.base.clone(self.given)
            self.seed(settings.seed)
            return Info(metric=settings["metric"], needs_fit=True)
        self.pipeline = self.given
        try:
            return self.promise(*self.shape_of(""))
        except Exception as e:
            if type(e).__name__ == "NotFittedError":
                raise Refused(f"{settings['pipeline']} has not been fitted", "fit it before, or set fit = true", "fit") from e
            raise

    def find(self, settings: Settings) -> tuple[Any, str]:
        """The pipeline object and, of a file, its hash."""
        import joblib

        name = settings["pipeline"]
        path = settings.path("pipeline")
        if path.is_file():
            return joblib.load(path), hashlib.sha256(path.read_bytes()).hexdigest()
        module, colon, attribute = name.partition(":")
        if not colon:
            raise Refused(f"there is no file {path}", "an import path has the form module:attribute", "pipeline")
        if settings.base_dir and settings.base_dir not in sys.path:
            sys.path.insert(0, settings.base_dir)
        try:
            found: Any = importlib.import_module(module)
            for part in attribute.split("."):
                found = getattr(found, part)
        except (ImportError, AttributeError) as e:
            raise Refused(f"{name} can't be imported: {e}", f"looked for in {settings.base_dir or os.getcwd()} and in {sys.prefix}", "pipeline") from e
        return found, ""

    def seed(self, seed: int) -> None:
        """Give the run's seed to every step whose random_state is None: else no two runs are alike."""
        parameters = self.pipeline.get_params()
        names = [k for k, v in parameters.items() if k.rpartition("__")[2] == "random_state" and v is None]
        self.pipeline.set_params(**{k: seed % 2**32 for k in names})

    def fit(self, texts, images) -> Info:
        if not texts:
            raise Refused("the corpus has no texts to fit the pipeline to")
        self.pipeline.fit(texts)
        return self.promise(*self.shape_of(texts[0]))

    def shape_of(self, text: str) -> tuple[int, bool]:
        """How many columns the pipeline gives, and whether they are sparse."""
        one = self.transform([text])
        return one.shape[1], hasattr(one, "tocsr")

    def promise(self, dimension: int, sparse: bool) -> Info:
        self.columns = (dimension, sparse)
        return Info(
            dimension=dimension,
            metric=self.settings["metric"],
            sparse=sparse,
            needs_fit=self.settings["fit"],
            words=True,
            model=self.settings["pipeline"],
            model_sha256=self.sha256,
        )

    def transform(self, texts) -> Any:
        m = self.pipeline.transform(texts)
        if hasattr(m, "tocsr"):
            m = m.tocsr()
            m.sum_duplicates()  # and sorts
            return m
        return np.asarray(m)

    def embed(self, texts, images) -> Vectors:
        m = self.transform(texts)
        if self.settings["metric"] == "euclidean":
            return Vectors(m)
        # A stored zero is no value.
        some = np.asarray(abs(m).sum(axis=1)).ravel() > 0
        return Vectors(m, {i: OOV if texts[i].strip() else EMPTY for i in np.flatnonzero(~some)})

    def embed_words(self, words) -> Vectors:
        return self.embed(words, ())

    def save_state(self) -> bytes:
        import joblib

        buffer = io.BytesIO()
        joblib.dump({"pipeline": self.pipeline, "columns": self.columns}, buffer)
        return _STATE + buffer.getvalue()

    def load_state(self, state: bytes) -> Info:
        import joblib

        if not state.startswith(_STATE):
            raise ValueError("this is no state of version 1 of the embedder python-sklearn")
        learned = joblib.load(io.BytesIO(state[len(_STATE) :]))
        self.pipeline = learned["pipeline"]
        return self.promise(*learned["columns"])
