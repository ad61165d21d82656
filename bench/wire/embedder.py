"""The embedder of bench/wire/ready in Python: vectors that are at hand."""

import numpy as np
from bertopic_sdk import Description, Embedder, Info, serve

DIMENSION = 384


class Wire(Embedder):
    info = Info(dimension=DIMENSION, metric="cosine")
    vectors = (np.arange(4096 * DIMENSION) % 7 - 3).astype(np.float32).reshape(4096, DIMENSION)

    def describe(self) -> Description:
        return Description(name="wire", version="0.1.0", summary="vectors that are at hand, to measure the wire")

    def embed(self, texts, images):
        return self.vectors[: len(texts)]


if __name__ == "__main__":
    serve(Wire())
