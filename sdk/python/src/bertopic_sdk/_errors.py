"""What an embedder may raise to say more than that something went wrong."""

from __future__ import annotations

from dataclasses import dataclass


class OutOfMemory(Exception):
    """Memory, of the device or of the machine, did not suffice for a batch.

    The host tries a smaller one. MemoryError and torch's OutOfMemoryError mean
    the same.
    """


class Unavailable(Exception):
    """A service that the embedder needs can't be reached now.

    The host tries the same call again later.
    """


class Refused(Exception):
    """The configuration is refused, for a reason of the embedder's own.

    For configure() and fit(): a model that is not there, a value out of range.
    """

    def __init__(self, summary: str, detail: str = "", option: str = "") -> None:
        super().__init__(summary)
        self.summary = summary
        self.detail = detail
        self.option = option  # the option that it is about


class Cancelled(BaseException):
    """The host wants the batch no more. Raised by progress(); let it pass."""


class BrokenPromise(Exception):
    """An embedder did not keep what its Info or the protocol says."""


@dataclass(frozen=True)
class OptionError:
    """One thing wrong with the options of a configuration."""

    option: str  # as the user wrote it
    problem: str  # what is wrong and what is wanted
    nearest: str = ""  # the valid name or choice that was probably meant

    def __str__(self) -> str:
        text = f'option "{self.option}": {self.problem}'
        return text + f'; did you mean "{self.nearest}"?' if self.nearest else text
