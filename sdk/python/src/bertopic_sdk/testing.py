"""Tests an embedder through the protocol, in the test's own process.

    def test_lengths():
        with Session(Lengths()) as s:
            s.configure()
            v = s.embed(["a", "bb"])
            assert v.matrix.shape == (2, 1)

Every answer has been held to what the embedder promises.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any

import grpc
import numpy as np

from ._errors import Refused
from ._proto import embedder_pb2 as pb
from ._server import MAX_REQUEST, Server
from ._types import Embedder, Image, RowStatus, Sparse, Status, Vectors

__all__ = ["Row", "Session"]

#: A row: its text, its pictures, or both.
Row = str | Image | tuple[str, Sequence[Image]]


class Session:
    """A host for one embedder. Errors of its calls are grpc.RpcError."""

    def __init__(self, embedder: Embedder) -> None:
        self.server = Server(embedder)
        self._folder = tempfile.TemporaryDirectory(prefix="btp-")
        address = "unix:" + os.path.join(self._folder.name, "plugin")
        self._grpc = self.server.grpc_server()
        self._grpc.add_insecure_port(address)
        self._grpc.start()
        self._thread = threading.Thread(target=self.server.calls.run, name="embedder", daemon=True)
        self._thread.start()
        self.channel = grpc.insecure_channel(
            address, options=[("grpc.max_send_message_length", MAX_REQUEST), ("grpc.max_receive_message_length", -1)]
        )
        self._sequence = 0
        #: The warnings of the last configure() or fit().
        self.warnings: list[str] = []

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.channel.close()
        self._grpc.stop(None).wait()
        self.server.calls.stop()
        self._thread.join(5)
        self.server.embedder.close()
        self._folder.cleanup()

    def describe(self) -> pb.DescribeResponse:
        response: pb.DescribeResponse = self._unary("Describe", pb.DescribeRequest(), pb.DescribeResponse)
        return response

    def configure(self, options: Mapping[str, Any] | None = None, **settings: Any) -> pb.Info:
        """Configure with options; settings are seed, threads, cache_dir, models_dir, base_dir. Raises Refused."""
        request = pb.ConfigureRequest(options_json=json.dumps(options or {}).encode(), **settings)
        return self._info(self._unary("Configure", request, pb.ConfigureResponse))

    def fit(self, rows: Iterable[Row]) -> pb.Info:
        call = self.channel.stream_unary(_path("Fit"), _bytes, pb.FitResponse.FromString)
        return self._info(call(pb.FitRequest(rows=[_row(r)]) for r in rows))

    def embed(self, rows: Sequence[Row | None], words: bool = False) -> Vectors:
        """Embed one batch; None is a row with nothing in it."""
        return next(iter(self.embed_batches([rows], words)))

    def embed_words(self, words: Sequence[str]) -> Vectors:
        return self.embed(words, words=True)

    def embed_batches(self, batches: Iterable[Sequence[Row | None]], words: bool = False) -> Iterable[Vectors]:
        """Embed batches over one stream."""

        def requests() -> Iterable[pb.EmbedRequest]:
            for rows in batches:
                self._sequence += 1
                yield pb.EmbedRequest(sequence=self._sequence, rows=[_row(r) for r in rows], words=words)

        call = self.channel.stream_stream(_path("Embed"), _bytes, pb.EmbedResponse.FromString)
        for response in call(iter(requests())):
            if response.HasField("vectors"):
                yield _vectors(response.vectors)

    def save_state(self) -> bytes:
        call = self.channel.unary_stream(_path("SaveState"), _bytes, pb.StateChunk.FromString)
        return b"".join(c.data for c in call(pb.SaveStateRequest()))

    def load_state(self, state: bytes) -> pb.Info:
        chunks = (pb.StateChunk(data=state[i : i + (1 << 20)]) for i in range(0, len(state), 1 << 20))
        call = self.channel.stream_unary(_path("LoadState"), _bytes, pb.LoadStateResponse.FromString)
        return self._info(call(chunks))

    def _unary(self, method: str, request: Any, response: Any) -> Any:
        return self.channel.unary_unary(_path(method), _bytes, response.FromString)(request)

    def _info(self, response: Any) -> pb.Info:
        remarks = getattr(response, "diagnostics", [])  # LoadState has none
        self.warnings = [d.summary for d in remarks if d.severity == pb.SEVERITY_WARNING]
        for d in remarks:
            if d.severity == pb.SEVERITY_ERROR:
                raise Refused(d.summary, d.detail, d.option)
        info: pb.Info = response.info
        return info


def _path(method: str) -> str:
    return "/bertopic.embedder.v1.Embedder/" + method


def _bytes(message: Any) -> bytes:
    text: bytes = message.SerializeToString()
    return text


def _row(row: Row | None) -> pb.Row:
    if row is None:
        return pb.Row()
    if isinstance(row, str):
        return pb.Row(text=row)
    text, images = (None, [row]) if isinstance(row, Image) else row
    return pb.Row(text=text, images=[pb.Image(path=i.path) if i.path else pb.Image(data=i.data) for i in images])


def _vectors(v: pb.Vectors) -> Vectors:
    statuses = {s.row: RowStatus(Status(s.status), s.tokens_lost, s.reason) for s in v.statuses}
    if v.HasField("dense"):
        return Vectors(np.frombuffer(v.dense.data, "<f4").reshape(v.dense.rows, v.dense.columns), statuses)
    s = v.sparse
    return Vectors(
        Sparse((s.rows, s.columns), np.frombuffer(s.indptr, "<u4"), np.frombuffer(s.indices, "<u4"), np.frombuffer(s.data, "<f4")), statuses
    )
