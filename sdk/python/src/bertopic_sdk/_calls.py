"""Runs an embedder's methods one at a time, in one thread, for the threads of the server."""

from __future__ import annotations

import contextvars
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ._errors import Cancelled

_POLL = 0.1  # seconds between looks at whether a call is still wanted
_SIGNALS = 0.3  # seconds within which the handler of a signal runs
_REPORT = 0.1  # seconds between two reports of progress


@dataclass(frozen=True)
class Remark:
    """A remark of configure() or fit() for the user."""

    summary: str
    detail: str = ""
    option: str = ""
    error: bool = False


@dataclass
class Call:
    """One call of an embedder's method, on its way from a thread of the server and back."""

    run: Callable[[], Any]
    wanted: Callable[[], bool] = lambda: True
    remarks: list[Remark] = field(default_factory=list)
    events: queue.SimpleQueue[tuple[str, Any]] = field(default_factory=queue.SimpleQueue)
    done: int = 0
    reported: float = field(default_factory=time.monotonic)


_current: contextvars.ContextVar[Call | None] = contextvars.ContextVar("call", default=None)


def progress(rows_done: int) -> None:
    """Tell the host that so many rows of the current batch are finished.

    The host counts its timeout from the last answer or progress. Call it from
    the loop that does the work, after every row if you like: only a larger
    number is passed on, at most ten times a second. It raises Cancelled where
    the host wants the batch no more. Outside of a batch it does nothing.
    """
    call = _current.get()
    if call is None:
        return
    if not call.wanted():
        raise Cancelled
    now = time.monotonic()
    if rows_done > call.done and now - call.reported >= _REPORT:
        call.done, call.reported = rows_done, now
        call.events.put(("progress", rows_done))


def warn(summary: str, detail: str = "", option: str = "") -> None:
    """Tell the user something, from configure() or fit()."""
    call = _current.get()
    if call is not None:
        call.remarks.append(Remark(summary, detail, option))


class Calls:
    """The calls that wait, and the loop that runs them.

    Libraries keep settings, devices and handles per thread, so all of an
    embedder's code runs in the one thread that is in run().
    """

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self.idle = threading.Event()
        self.idle.set()

    def run(self) -> None:
        """Run calls until stop()."""
        while True:
            try:
                # A signal that comes just before the thread blocks does not wake it.
                call = self._waiting.get(timeout=_SIGNALS)
            except queue.Empty:
                continue
            if call is None:
                return
            if not call.wanted():
                continue
            self.idle.clear()
            token = _current.set(call)
            try:
                outcome = ("result", call.run())
            except BaseException as e:
                outcome = ("error", e)
            finally:
                _current.reset(token)
                self.idle.set()
            call.events.put(outcome)
            del call, outcome  # the rows of a batch are not to be kept until the next one

    def stop(self) -> None:
        self._waiting.put(None)

    def submit(self, call: Call) -> Iterator[tuple[str, Any]]:
        """Yield ("progress", n) as it is reported and last ("result", r) or ("error", e).

        It ends without either soon after the call is not wanted any more, even
        where the embedder goes on.
        """
        self._waiting.put(call)
        while True:
            try:
                event = call.events.get(timeout=_POLL)
            except queue.Empty:
                if not call.wanted():
                    return
                continue
            yield event
            if event[0] != "progress":
                return
