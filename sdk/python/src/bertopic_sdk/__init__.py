"""Write an embedder program for bertopic: one class, then serve().

    import numpy as np
    from bertopic_sdk import Description, Embedder, Info, serve

    class Lengths(Embedder):
        info = Info(dimension=1, metric="euclidean")

        def describe(self):
            return Description("lengths", "0.1.0", "the length of a text")

        def embed(self, texts, images):
            return np.array([[len(t)] for t in texts])

    if __name__ == "__main__":
        serve(Lengths())

docs/python-sdk.md leads from nothing to a program that bertopic runs.
"""

from ._errors import Cancelled, OptionError, OutOfMemory, Refused, Unavailable
from ._options import check_options
from ._types import (
    EMPTY,
    OOV,
    Answer,
    Description,
    Embedder,
    Image,
    Info,
    Option,
    RowStatus,
    Settings,
    Sparse,
    Status,
    Vectors,
    failed,
    truncated,
)
from ._calls import progress, warn
from ._models import sha256_of
from ._rows import by_row
from ._launch import install, launch, load
from ._serve import PROTOCOL_VERSION, serve

__all__ = [
    "EMPTY",
    "OOV",
    "PROTOCOL_VERSION",
    "Answer",
    "Cancelled",
    "Description",
    "Embedder",
    "Image",
    "Info",
    "Option",
    "OptionError",
    "OutOfMemory",
    "Refused",
    "RowStatus",
    "Settings",
    "Sparse",
    "Status",
    "Unavailable",
    "Vectors",
    "by_row",
    "check_options",
    "failed",
    "install",
    "launch",
    "load",
    "progress",
    "serve",
    "sha256_of",
    "truncated",
    "warn",
]
