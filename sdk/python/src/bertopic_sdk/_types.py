"""What passes between an embedder and the SDK."""

from __future__ import annotations

import enum
import os
import pathlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, Union

import numpy.typing as npt

from ._models import find_model

Modality = Literal["text", "image"]
Metric = Literal["cosine", "euclidean", "hellinger"]
OptionType = Literal["string", "integer", "number", "boolean", "string list", "integer list", "any"]

# The numbers of the protocol's enumerations are indices here.
MODALITIES: tuple[str, ...] = ("", "text", "image")
METRICS: tuple[str, ...] = ("", "cosine", "euclidean", "hellinger")
OPTION_TYPES: tuple[str, ...] = ("", "string", "integer", "number", "boolean", "string list", "integer list", "any")


@dataclass(frozen=True)
class Option:
    """One key of [embedder.options]."""

    name: str  # lower case letters, digits and underscores
    type: OptionType
    default: Any = None  # of the type; None with required
    help: str = ""  # one line
    choices: Sequence[str] = ()  # allowed values of a string or of a list's strings; empty: any
    required: bool = False
    tuning: bool = False  # never changes a vector, only how fast or patiently the work is done


@dataclass(frozen=True)
class Description:
    """What a program says of itself, before it has been configured."""

    name: str  # NAME of bertopic-embedder-NAME: lower case letters, digits and hyphens
    version: str  # as in 1.2.3
    summary: str  # one line
    modalities: Sequence[Modality] = ("text",)
    options: Sequence[Option] = ()
    network: bool = False  # the program opens connections of its own
    environment: Sequence[str] = ()  # names of variables that it asks for, API keys say


@dataclass(frozen=True)
class Info:
    """What a configured embedder promises. Every answer is held to it."""

    dimension: int = 0  # 0: known after fit only
    metric: Metric = "cosine"  # no negative values with hellinger
    sparse: bool = False
    unit_length: bool = False  # every vector has the L2 norm 1
    needs_fit: bool = False
    words: bool = False  # embeds single words into the space of the documents
    max_tokens: int = 0  # 0: no limit
    model: str = ""
    model_sha256: str = ""  # of the model's files; empty where there are none
    device: str = "cpu"  # "cuda:0", "remote"
    batch_invariant: bool = False  # a row's bits don't depend on the rows beside it


@dataclass(frozen=True)
class Settings:
    """What configure() gets. settings["n"] is the value of option n."""

    options: Mapping[str, Any]  # every option of the description: the user's value or the default
    seed: int = 0
    threads: int = 0  # 0: all cores; must never change a result
    cache_dir: str = ""  # for files that can be made anew; may be empty
    models_dir: str = ""  # where models are looked for by name; may be empty
    base_dir: str = ""  # relative paths in options are relative to it

    def __getitem__(self, option: str) -> Any:
        return self.options[option]

    def path(self, option: str) -> pathlib.Path:
        """The value of an option that is a file's or folder's path, absolute."""
        return pathlib.Path(os.path.abspath(os.path.join(self.base_dir, os.path.expanduser(self.options[option]))))

    def model(self, option: str) -> pathlib.Path:
        """The folder or file of the model that an option names: a path, or a name that `bertopic models list` shows.

        Raises Refused where it is not there. Nothing is fetched.
        """
        return find_model(self.options[option], self.base_dir, self.models_dir, option)


@dataclass(frozen=True)
class Image:
    """One picture: a file that both sides see, or its bytes."""

    path: str = ""
    data: bytes = b""

    def read(self) -> bytes:
        """The file's bytes."""
        return self.data or pathlib.Path(self.path).read_bytes()


class Status(enum.IntEnum):
    """How a row fared. Rows that are EMPTY, OOV or FAILED have no vector: zeros."""

    OK = 0
    EMPTY = 1  # nothing in it to embed
    OOV = 2  # no word of it is known
    TRUNCATED = 3  # a vector of the row's beginning
    FAILED = 4


@dataclass(frozen=True)
class RowStatus:
    status: Status
    tokens_lost: int = 0  # with TRUNCATED
    reason: str = ""  # with FAILED


EMPTY = RowStatus(Status.EMPTY)
OOV = RowStatus(Status.OOV)


def truncated(tokens_lost: int) -> RowStatus:
    """The row was too long; this many tokens did not fit."""
    return RowStatus(Status.TRUNCATED, tokens_lost=tokens_lost)


def failed(reason: str) -> RowStatus:
    """The row can't be embedded, and why."""
    return RowStatus(Status.FAILED, reason=reason)


class CSR(Protocol):
    """Compressed rows: scipy.sparse.csr_array and csr_matrix are of this shape."""

    @property
    def shape(self) -> Any: ...
    @property
    def indptr(self) -> Any: ...
    @property
    def indices(self) -> Any: ...
    @property
    def data(self) -> Any: ...


@dataclass(frozen=True)
class Sparse:
    """Compressed rows without scipy."""

    shape: tuple[int, int]
    indptr: npt.NDArray[Any]
    indices: npt.NDArray[Any]
    data: npt.NDArray[Any]


@dataclass(frozen=True)
class Vectors:
    """The answer to a batch: a matrix, and a status for each row that is not simply ok."""

    matrix: Union[npt.NDArray[Any], CSR]
    statuses: Mapping[int, RowStatus] = field(default_factory=dict)


Answer = Union[npt.NDArray[Any], CSR, Vectors]


class Embedder:
    """Turns rows into vectors. Write describe() and embed(); the rest where it is needed.

    Methods are called one at a time, all in the program's main thread. Whatever
    one raises becomes an error of that call; the program goes on.
    """

    #: What is promised, for an embedder that needs no configure() of its own.
    info: Info
    #: Set before configure(), so that embed() can reach the options.
    settings: Settings

    def describe(self) -> Description:
        """Tell what the program is. Always the same, and quick: it loads no model."""
        raise NotImplementedError(f"{type(self).__name__} has no describe()")

    def configure(self, settings: Settings) -> Info:
        """Load what is needed and tell what the embedder promises.

        The options have been checked against describe(). Raise Refused for
        values that can't be used. It may be called again, which starts anew.
        """
        return self.info

    def embed(self, texts: Sequence[str | None], images: Sequence[Sequence[Image]]) -> Answer:
        """Return one vector a row, in order: an array of n x dimension.

        Row i is texts[i], None where it has no text, and images[i], empty where
        it has no pictures; a program that takes text alone never sees None. A
        row that can't be embedded has zeros and a status (see Vectors). A batch
        that may take longer than some seconds calls progress() in its loop.
        """
        raise NotImplementedError(f"{type(self).__name__} has no embed()")

    def fit(self, texts: Sequence[str | None], images: Sequence[Sequence[Image]]) -> Info:
        """Learn from the whole corpus. The Info returned has the dimension.

        Only where Info.needs_fit; then save_state and load_state are needed too.
        """
        raise NotImplementedError

    def save_state(self) -> bytes:
        """Return what fit() learned, in a format of your own."""
        raise NotImplementedError

    def load_state(self, state: bytes) -> Info:
        """Become what save_state() saw, in a process configured with the same options."""
        raise NotImplementedError

    def embed_words(self, words: Sequence[str]) -> Answer:
        """Embed words and short phrases. Only where Info.words."""
        raise NotImplementedError

    def close(self) -> None:
        """Put away a device, a temporary folder, a child process: within a second."""


def has(embedder: Embedder, method: str) -> bool:
    """Whether an embedder has a method of its own in the place of Embedder's."""
    return getattr(type(embedder), method) is not getattr(Embedder, method)
