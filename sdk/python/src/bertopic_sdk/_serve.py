"""Runs an embedder as a program that the host starts."""

from __future__ import annotations

import atexit
import json
import logging
import os
import signal
import sys
import tempfile
import threading
import time
from typing import Any, TextIO

from . import _log
from ._server import Server, describe_json
from ._types import Embedder

PROTOCOL_VERSION = 1

_COOKIE = ("BERTOPIC_EMBEDDER_COOKIE", "6c1f0a5e4c0d4f6cb4d1a19e52ef7d0b8f3a72c9")
_REATTACH = "BERTOPIC_REATTACH_PLUGINS"
_FIRST_CALL = 120  # seconds that a program waits for the host that started it
_CLOSE = 1.0  # seconds for an embedder to put its things away
_END = 1.7  # seconds from Shutdown until the process ends in any case; the host kills it after 2

# Read early, so that a host which dies during the start is noticed.
_PARENT = os.getppid()

log = logging.getLogger("bertopic_sdk")


class _Streams:
    """Standard output and standard error as they were when the program began."""

    stdout: TextIO | None = None
    stderr: TextIO | None = None


def divert() -> None:
    """Point standard output at standard error, and standard input at nothing.

    A stray line before the handshake would spoil it, and one too long for the
    host's reader would block the program for ever. Standard input is the host's.
    Works on the file descriptors, for prints of Python and of native libraries
    alike. The second call does nothing.
    """
    if _Streams.stdout is not None:
        return
    sys.stdout.flush()
    _Streams.stdout = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    _Streams.stderr = os.fdopen(os.dup(2), "w", encoding="utf-8", newline="\n", buffering=1)
    os.dup2(2, 1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(line_buffering=True)


def serve(embedder: Embedder) -> None:
    """Run an embedder as a program of its own, and exit.

    It looks at the program's arguments: --describe prints the description as
    JSON, --debug serves without a host and prints how one may attach. Where it
    can't serve, it says why on standard error and exits with 1.
    """
    divert()
    code = run(embedder, sys.argv[1:])
    sys.stdout.flush()
    sys.exit(code)


def run(embedder: Embedder, args: list[str]) -> int:
    stdout, stderr = _Streams.stdout, _Streams.stderr
    assert stdout is not None and stderr is not None
    try:
        server = Server(embedder)
    except Exception as e:
        print(f"this embedder program can't be used: {e}", file=stderr)
        return 1
    _log.set_up(stderr, server.description.name)
    hosted = os.environ.get(_COOKIE[0]) == _COOKIE[1]
    if args in (["--describe"], ["-describe"]):
        print(describe_json(server.description, [PROTOCOL_VERSION]), file=stdout, flush=True)
    elif args in (["--debug"], ["-debug"]):
        _Program(server, stdout).debug(stderr)
    elif not args and hosted:
        _Program(server, stdout).host()
    else:
        asked = args in (["--help"], ["-h"])
        d = server.description
        print(_USAGE.format(d.name, d.version, d.summary), file=stdout if asked else stderr, flush=True)
        return 0 if asked else 1
    return 0


_USAGE = """{0} {1}: {2}

This is an embedder program of bertopic, which starts it by itself. Name it in
bertopic.toml, or put it in one of the plugin folders and write

    [embedder]
    plugin = "{0}"

By hand it takes one of:
    --describe    print what it is and its options, as JSON
    --debug       serve until interrupted, and print how bertopic may attach"""


class _Program:
    """A server with the life of its process around it."""

    def __init__(self, server: Server, stdout: TextIO) -> None:
        self.server = server
        self.stdout = stdout
        self.grpc: Any = None
        self.called = threading.Event()
        self.ending = threading.Lock()
        self.closing = threading.Lock()

    def host(self) -> None:
        """Serve the host that started this process, until it wants no more."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it; the host decides
        signal.signal(signal.SIGTERM, lambda *_: self.end())
        address = self.listen(os.environ.get("PLUGIN_UNIX_SOCKET_DIR") or tempfile.gettempdir(), self.end)
        threading.Thread(target=self.watch, name="watchdog", daemon=True).start()
        # No certificate in the sixth field: grpcio does not take the curve of
        # go-plugin's, so the host serves itself in plain text over this socket.
        print(f"1|{PROTOCOL_VERSION}|unix|{address}|grpc|", file=self.stdout, flush=True)
        self.server.calls.run()
        self.close()
        # Not by way of the interpreter's end: that takes large libraries apart, for
        # seconds, with the thread that would end it already stopped.
        atexit._run_exitfuncs()
        self.exit(0)

    def debug(self, stderr: TextIO) -> None:
        """Serve hosts that attach, until interrupted."""
        for s in (signal.SIGINT, signal.SIGTERM):
            signal.signal(s, lambda *_: self.end(exit_after=None))
        with tempfile.TemporaryDirectory(prefix="btp-") as folder:
            address = self.listen(folder, lambda: None)
            program = {
                "Protocol": "grpc",
                "ProtocolVersion": PROTOCOL_VERSION,
                "Pid": os.getpid(),
                "Addr": {"Network": "unix", "String": address},
            }
            print("Serving until interrupted. Set this variable where bertopic runs:", file=stderr, flush=True)
            text = json.dumps({self.server.description.name: program}, separators=(",", ":"))
            print(f"{_REATTACH}='{text}'", file=self.stdout, flush=True)
            self.server.calls.run()
            self.close()

    def listen(self, folder: str, shutdown: Any) -> str:
        address = os.path.join(folder, f"plugin{os.getpid()}")
        self.grpc = self.server.grpc_server(self.called.set, shutdown)
        self.grpc.add_insecure_port("unix:" + address)
        self.grpc.start()
        return address

    def end(self, exit_after: float | None = _END) -> None:
        """Let the main thread come to its end, soon. Does not block."""
        if not self.ending.acquire(blocking=False):
            return
        if exit_after is not None:
            threading.Thread(target=self._exit_after, args=(exit_after,), name="end", daemon=True).start()

        def stop() -> None:
            self.grpc.stop(0.2).wait()
            self.server.calls.stop()

        threading.Thread(target=stop, name="stop", daemon=True).start()

    def _exit_after(self, seconds: float) -> None:
        """End a process whose main thread does not: a call that heeds nothing, a library that hangs at its end."""
        until = time.monotonic() + seconds
        if not self.server.calls.idle.wait(seconds - _CLOSE):
            self.close()
        time.sleep(max(0.0, until - time.monotonic()))
        self.exit(0)

    def close(self) -> None:
        """Let the embedder put its things away, once, in a second at most."""
        if not self.closing.acquire(blocking=False):
            return

        def run() -> None:
            try:
                self.server.embedder.close()
            except Exception as e:
                log.error("close: %s: %s", type(e).__name__, e, exc_info=e)

        t = threading.Thread(target=run, name="close", daemon=True)
        t.start()
        t.join(_CLOSE)
        if t.is_alive():
            log.warning("the embedder did not close within a second")

    def exit(self, code: int) -> None:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError):
                pass
        os._exit(code)

    def watch(self) -> None:
        """Exit when the host is gone, or has never called."""
        start = time.monotonic()
        while True:
            time.sleep(0.5)
            if os.getppid() != _PARENT:
                reason = "the host is gone"
            elif not self.called.is_set() and time.monotonic() - start > _FIRST_CALL:
                reason = f"no host has called within {_FIRST_CALL} s"
            else:
                continue
            try:
                log.error(reason)
                self.close()
            finally:
                self.exit(1)
