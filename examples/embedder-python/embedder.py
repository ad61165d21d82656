"""A whole embedder for bertopic: character n-grams, hashed into a fixed number
of dimensions, with a sign, unit length. The vectors are those of
examples/embedder-go."""

import numpy as np
from bertopic_sdk import EMPTY, Description, Embedder, Info, Option, Refused, Settings, Vectors, serve


class Hashing(Embedder):
    def describe(self) -> Description:
        return Description(
            name="hashing",
            version="0.1.0",
            summary="hashed character n-grams",
            options=[
                Option("dimension", "integer", 256, "length of a vector"),
                Option("n", "integer", 3, "characters in an n-gram"),
            ],
        )

    def configure(self, settings: Settings) -> Info:
        self.dimension, self.n = settings["dimension"], settings["n"]
        if self.dimension < 1 or self.n < 1:
            raise Refused("dimension and n must be at least 1")
        return Info(dimension=self.dimension, metric="cosine", unit_length=True, batch_invariant=True)

    def embed(self, texts, images) -> Vectors:
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        statuses = {}
        for i, text in enumerate(texts):
            lower = "".join(c.lower()[0] for c in text)  # a letter for a letter, as Go has it
            for j in range(len(lower) - self.n + 1):
                h = fnv1a(lower[j : j + self.n].encode())
                vectors[i, (h >> 1) % self.dimension] += 1 - 2 * (h & 1)
            norm = np.sqrt(np.sum(vectors[i].astype(np.float64) ** 2))
            if norm == 0:  # shorter than an n-gram
                statuses[i] = EMPTY
            vectors[i] /= np.float32(max(norm, 1))
        return Vectors(vectors, statuses)


def fnv1a(text: bytes) -> int:
    """The 64-bit FNV-1a hash."""
    h = 0xCBF29CE484222325
    for byte in text:
        h = (h ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return h


if __name__ == "__main__":
    serve(Hashing())
