"""Speaks the protocol for an embedder."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent import futures
from typing import Any, NoReturn

import grpc
import numpy as np

from . import _types as t
from ._calls import Call, Calls, Remark
from ._check import check_answer, check_description, check_info
from ._errors import BrokenPromise, Cancelled, OutOfMemory, Refused, Unavailable
from ._options import canonical, check_options, parse_json, show
from ._proto import embedder_pb2 as pb

MAX_REQUEST = 64 << 20
_STATE_CHUNK = 1 << 20
_THREADS = 64  # of the server, each a call in flight; the embedder has one of its own
_SERVICE = "bertopic.embedder.v1.Embedder"

log = logging.getLogger("bertopic_sdk")

# Exceptions that are slips of the program rather than news from outside.
_FAULTS = (AssertionError, AttributeError, LookupError, NameError, TypeError, NotImplementedError, ArithmeticError, SystemExit)


class Failure(Exception):
    """An error of a call, as the wire has it."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code


def precondition(message: str) -> NoReturn:
    raise Failure(grpc.StatusCode.FAILED_PRECONDITION, message)


def failure_of(operation: str, e: BaseException) -> Failure:
    """The error of the wire that tells the host what to do about e."""
    if isinstance(e, Failure):
        return e
    if isinstance(e, BrokenPromise):
        return Failure(grpc.StatusCode.INTERNAL, f"{operation}: the embedder broke a promise: {e}")
    if isinstance(e, Cancelled):
        return Failure(grpc.StatusCode.CANCELLED, f"{operation}: cancelled")
    text = f"{operation}: {type(e).__name__}: {e}"
    if isinstance(e, (OutOfMemory, MemoryError)) or type(e).__name__ == "OutOfMemoryError":
        return Failure(grpc.StatusCode.RESOURCE_EXHAUSTED, text)
    if isinstance(e, Unavailable):
        return Failure(grpc.StatusCode.UNAVAILABLE, text)
    log.error("%s", text, exc_info=e)
    return Failure(grpc.StatusCode.INTERNAL if isinstance(e, _FAULTS) else grpc.StatusCode.UNKNOWN, text)


class Server:
    """The protocol's side of an embedder. Its calls run in the thread that is in calls.run()."""

    def __init__(self, embedder: t.Embedder) -> None:
        self.embedder = embedder
        self.calls = Calls()
        self.description = embedder.describe()
        faults = check_description(self.description)
        if faults:
            raise ValueError("describe: " + "; ".join(faults))
        # Written by calls alone.
        self.info: t.Info | None = None
        self.fitted = False

    def grpc_server(self, called: Callable[[], None] = lambda: None, shutdown: Callable[[], None] = lambda: None) -> grpc.Server:
        """A server with all the services that the host asks for, not yet bound or started."""
        server = grpc.server(
            futures.ThreadPoolExecutor(_THREADS, "grpc"),
            options=[("grpc.max_receive_message_length", MAX_REQUEST), ("grpc.max_send_message_length", -1), ("grpc.so_reuseport", 0)],
        )
        unary, stream_in = grpc.unary_unary_rpc_method_handler, grpc.stream_unary_rpc_method_handler
        stream_out, both = grpc.unary_stream_rpc_method_handler, grpc.stream_stream_rpc_method_handler

        def method(kind: Any, run: Any, request: Any, generator: bool = False) -> Any:
            return kind(
                _reporting_stream(run, called) if generator else _reporting(run, called),
                request_deserializer=request.FromString,
                response_serializer=lambda m: m.SerializeToString(),
            )

        embedder = {
            "Describe": method(unary, self.describe, pb.DescribeRequest),
            "Configure": method(unary, self.configure, pb.ConfigureRequest),
            "Fit": method(stream_in, self.fit, pb.FitRequest),
            "Embed": method(both, self.embed, pb.EmbedRequest, True),
            "SaveState": method(stream_out, self.save_state, pb.SaveStateRequest, True),
            "LoadState": method(stream_in, self.load_state, pb.StateChunk),
        }

        def check(request: pb.StateChunk, context: grpc.ServicerContext) -> bytes:
            called()
            if request.data not in (b"", b"plugin"):
                context.abort(grpc.StatusCode.NOT_FOUND, "no such service")
            return b"\x08\x01"  # status: SERVING

        def end(_: bytes, context: grpc.ServicerContext) -> bytes:
            shutdown()
            return b""

        # A health request is a message with one string in field 1, as StateChunk
        # has its bytes. Its own type would be in the way of grpcio-health-checking,
        # should the embedder import that.
        health = {"Check": unary(check, request_deserializer=pb.StateChunk.FromString)}
        server.add_generic_rpc_handlers(
            (
                grpc.method_handlers_generic_handler(_SERVICE, embedder),
                grpc.method_handlers_generic_handler("grpc.health.v1.Health", health),
                grpc.method_handlers_generic_handler("plugin.GRPCController", {"Shutdown": unary(end)}),
            )
        )
        return server

    # Calls of the wire.

    def describe(self, request: pb.DescribeRequest, context: grpc.ServicerContext) -> pb.DescribeResponse:
        return describe_response(self.description)

    def configure(self, request: pb.ConfigureRequest, context: grpc.ServicerContext) -> pb.ConfigureResponse:
        settings = t.Settings(
            options=self._options(request.options_json),
            seed=request.seed,
            threads=request.threads,
            cache_dir=request.cache_dir,
            models_dir=request.models_dir,
            base_dir=request.base_dir,
        )

        def run() -> t.Info:
            self.info, self.fitted = None, False
            self.embedder.settings = settings
            info = self.embedder.configure(settings)
            self._promise(info)
            self.info = info
            return info

        info, remarks = self._call_refusable("configure", context, run)
        return pb.ConfigureResponse(info=info_message(info) if info else None, diagnostics=diagnostics(remarks))

    def fit(self, requests: Iterator[pb.FitRequest], context: grpc.ServicerContext) -> pb.FitResponse:
        self._call("fit", context, self._fitter)
        texts: list[str | None] = []
        images: list[Sequence[t.Image]] = []
        for request in requests:
            for row in request.rows:
                if self._refuses(row) is None:
                    texts.append(row.text if row.HasField("text") else None)
                    images.append(_images(row))

        def run() -> t.Info:
            self._fitter()
            self.fitted = False
            return self._learned(self.embedder.fit(texts, images))

        info, remarks = self._call_refusable("fit", context, run)
        return pb.FitResponse(info=info_message(info) if info else None, diagnostics=diagnostics(remarks))

    def save_state(self, request: pb.SaveStateRequest, context: grpc.ServicerContext) -> Iterator[pb.StateChunk]:
        def run() -> bytes:
            self._fitter()
            self._ready()
            state = self.embedder.save_state()
            if not isinstance(state, (bytes, bytearray, memoryview)):
                raise BrokenPromise(f"a state of the type {type(state).__name__}, not bytes")
            return bytes(state)

        state = self._call("save state", context, run)
        for at in range(0, len(state), _STATE_CHUNK):
            yield pb.StateChunk(data=state[at : at + _STATE_CHUNK])

    def load_state(self, requests: Iterator[pb.StateChunk], context: grpc.ServicerContext) -> pb.LoadStateResponse:
        state = b"".join(chunk.data for chunk in requests)

        def run() -> t.Info:
            self._fitter()
            self.fitted = False
            return self._learned(self.embedder.load_state(state))

        return pb.LoadStateResponse(info=info_message(self._call("load state", context, run)))

    def embed(self, requests: Iterator[pb.EmbedRequest], context: grpc.ServicerContext) -> Iterator[pb.EmbedResponse]:
        for request in requests:
            operation = f"embed batch {request.sequence} of {len(request.rows)} rows"
            call = Call(lambda: self._batch(request), context.is_active)
            for kind, value in self.calls.submit(call):
                if kind == "progress":
                    yield pb.EmbedResponse(sequence=request.sequence, progress=pb.Progress(rows_done=value))
                elif kind == "error":
                    raise failure_of(operation, value)
                else:
                    yield pb.EmbedResponse(sequence=request.sequence, vectors=value)

    # What runs in the embedder's thread.

    def _batch(self, request: pb.EmbedRequest) -> pb.Vectors:
        self._ready()
        info = self.info
        assert info is not None
        if request.words:
            return vectors_message(self._words(request.rows, info))
        texts: list[str | None] = []
        images: list[Sequence[t.Image]] = []
        places: list[int] = []
        refused: dict[int, t.RowStatus] = {}
        for i, row in enumerate(request.rows):
            status = self._refuses(row)
            if status is not None:
                refused[i] = status
                continue
            places.append(i)
            texts.append(row.text if row.HasField("text") else None)
            images.append(_images(row))
        vectors = check_answer(self.embedder.embed(texts, images), len(texts), info) if texts else _no_rows(info)
        return vectors_message(_spread(vectors, len(request.rows), places, refused))

    def _words(self, rows: Sequence[pb.Row], info: t.Info) -> t.Vectors:
        if not info.words:
            precondition("the embedder does not embed words")
        words = [row.text for row in rows if row.HasField("text") and not row.images]
        if len(words) < len(rows):
            raise Failure(grpc.StatusCode.INVALID_ARGUMENT, "a batch of words holds a row that is not just text")
        return check_answer(self.embedder.embed_words(words), len(words), info) if words else _no_rows(info)

    def _fitter(self) -> None:
        if self.info is None:
            precondition("the embedder has not been configured")
        if not self.info.needs_fit:
            precondition("the embedder needs no fit and has no state")

    def _ready(self) -> None:
        if self.info is None:
            precondition("the embedder has not been configured")
        if self.info.needs_fit and not self.fitted:
            precondition("the embedder has been neither fitted nor given a state")

    def _promise(self, info: t.Info) -> None:
        check_info(info)
        if info.needs_fit:
            for name in ("fit", "save_state", "load_state"):
                if not t.has(self.embedder, name):
                    raise BrokenPromise(f"needs a fit, but has no {name}()")
        if info.words and not t.has(self.embedder, "embed_words"):
            raise BrokenPromise("embeds words, but has no embed_words()")

    def _learned(self, info: t.Info) -> t.Info:
        self._promise(info)
        if info.dimension == 0:
            raise BrokenPromise("no dimension, though it has been fitted")
        if not info.needs_fit:
            raise BrokenPromise("fitted, and its Info does not say needs_fit")
        self.info, self.fitted = info, True
        return info

    # Help.

    def _call(self, operation: str, context: grpc.ServicerContext, run: Callable[[], Any], call: Call | None = None) -> Any:
        call = call or Call(run, context.is_active)
        for kind, value in self.calls.submit(call):
            if kind == "result":
                return value
            if kind == "error":
                if isinstance(value, Refused):
                    raise value
                raise failure_of(operation, value)
        raise Failure(grpc.StatusCode.CANCELLED, f"{operation}: cancelled")

    def _call_refusable(self, operation: str, context: grpc.ServicerContext, run: Callable[[], t.Info]) -> tuple[t.Info | None, list[Remark]]:
        call = Call(run, context.is_active)
        try:
            return self._call(operation, context, run, call), call.remarks
        except Refused as e:
            return None, [*call.remarks, Remark(e.summary, e.detail, e.option, error=True)]

    def _options(self, text: bytes) -> dict[str, Any]:
        def refuse(problem: str) -> NoReturn:
            raise Failure(grpc.StatusCode.INVALID_ARGUMENT, "configure: " + problem)

        values: Any = None
        if text:
            try:
                values = parse_json(text)
            except ValueError as e:
                refuse(f"options are not JSON: {e}")
        if values is None:  # null is what some make of no options at all
            values = {}
        if not isinstance(values, dict):
            refuse(f"options are not a JSON object but {show(values)}")
        options, faults = check_options(self.description, values)
        if faults:
            refuse("\n".join(str(f) for f in faults))
        return options

    def _refuses(self, row: pb.Row) -> t.RowStatus | None:
        """The status of a row that the embedder can't take."""
        takes = self.description.modalities
        if not row.HasField("text") and not row.images:
            return t.EMPTY
        for what, there in (("image", bool(row.images)), ("text", row.HasField("text"))):
            if there and what not in takes:
                return t.failed(f"holds {what}, which embedder {self.description.name} does not take")
        if any(not (i.path or i.data) for i in row.images):
            return t.failed("a picture without a path and without bytes")
        return None


def _abort(context: grpc.ServicerContext, e: BaseException) -> NoReturn:
    if not isinstance(e, Failure):
        log.error("a fault of the SDK", exc_info=e)
        e = Failure(grpc.StatusCode.INTERNAL, f"{type(e).__name__}: {e}")
    context.abort(e.code, str(e))
    raise AssertionError("abort has returned")


def _reporting(run: Callable[[Any, grpc.ServicerContext], Any], called: Callable[[], None]) -> Any:
    def handler(request: Any, context: grpc.ServicerContext) -> Any:
        called()
        try:
            return run(request, context)
        except Exception as e:
            if not context.is_active():
                raise  # a stream that was cut; nobody listens
            error = e
        _abort(context, error)

    return handler


def _reporting_stream(run: Callable[[Any, grpc.ServicerContext], Iterator[Any]], called: Callable[[], None]) -> Any:
    def handler(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        called()
        try:
            yield from run(request, context)
            return
        except Exception as e:
            if not context.is_active():
                return
            error = e
        _abort(context, error)

    return handler


def _images(row: pb.Row) -> list[t.Image]:
    return [t.Image(path=i.path, data=i.data) for i in row.images]


def _no_rows(info: t.Info) -> t.Vectors:
    if info.sparse:
        return t.Vectors(t.Sparse((0, info.dimension), np.zeros(1, "<u4"), np.zeros(0, "<u4"), np.zeros(0, "<f4")))
    return t.Vectors(np.zeros((0, info.dimension), "<f4"))


def _spread(v: t.Vectors, n: int, places: list[int], refused: dict[int, t.RowStatus]) -> t.Vectors:
    """Put the rows of v, which are those of n that were not refused, back in their places."""
    if not refused:
        return v
    statuses = dict(refused)
    statuses.update({places[i]: s for i, s in v.statuses.items()})
    m: Any = v.matrix
    if isinstance(m, t.Sparse):
        sizes = np.zeros(n, np.int64)
        sizes[places] = np.diff(m.indptr.astype(np.int64))
        indptr = np.concatenate([[0], np.cumsum(sizes)]).astype("<u4")
        return t.Vectors(t.Sparse((n, m.shape[1]), indptr, m.indices, m.data), statuses)
    dense = np.zeros((n, m.shape[1]), "<f4")
    dense[places] = m
    return t.Vectors(dense, statuses)


def vectors_message(v: t.Vectors) -> pb.Vectors:
    statuses = [
        pb.RowStatus(row=row, status=int(s.status), tokens_lost=s.tokens_lost, reason=s.reason)  # type: ignore[arg-type]
        for row, s in sorted(v.statuses.items())
    ]
    m: Any = v.matrix
    rows, columns = m.shape
    if isinstance(m, t.Sparse):
        sparse = pb.Sparse(rows=rows, columns=columns, indptr=m.indptr.tobytes(), indices=m.indices.tobytes(), data=m.data.tobytes())
        return pb.Vectors(sparse=sparse, statuses=statuses)
    return pb.Vectors(dense=pb.Dense(rows=rows, columns=columns, data=m.tobytes()), statuses=statuses)


def info_message(i: t.Info) -> pb.Info:
    return pb.Info(
        dimension=i.dimension,
        sparse=i.sparse,
        metric=t.METRICS.index(i.metric),  # type: ignore[arg-type]
        unit_length=i.unit_length,
        needs_fit=i.needs_fit,
        words=i.words,
        max_tokens=i.max_tokens,
        model=i.model,
        model_sha256=i.model_sha256,
        device=i.device,
        batch_invariant=i.batch_invariant,
    )


def diagnostics(remarks: list[Remark]) -> list[pb.Diagnostic]:
    return [
        pb.Diagnostic(
            severity=pb.SEVERITY_ERROR if r.error else pb.SEVERITY_WARNING,
            summary=r.summary,
            detail=r.detail,
            option=r.option,
        )
        for r in remarks
    ]


def describe_response(d: t.Description) -> pb.DescribeResponse:
    response = pb.DescribeResponse(
        name=d.name,
        version=d.version,
        summary=d.summary,
        modalities=[t.MODALITIES.index(m) for m in d.modalities],  # type: ignore[misc]
        network=d.network,
        environment=d.environment,
    )
    for o in d.options:
        response.options.add(
            name=o.name,
            type=t.OPTION_TYPES.index(o.type),
            default_json="" if o.required else json.dumps(canonical(o, o.default)[0]),
            help=o.help,
            choices=o.choices,
            required=o.required,
            tuning=o.tuning,
        )
    return response


def describe_json(d: t.Description, protocols: Sequence[int]) -> str:
    """What --describe prints."""
    options = []
    for o in d.options:
        option: dict[str, Any] = {"name": o.name, "type": o.type, "default": None, "help": o.help}
        if not o.required:
            option["default"] = canonical(o, o.default)[0]
        if o.choices:
            option["choices"] = list(o.choices)
        if o.required:
            option["required"] = True
        if o.tuning:
            option["tuning"] = True
        options.append(option)
    whole = {
        "protocols": list(protocols),
        "name": d.name,
        "version": d.version,
        "summary": d.summary,
        "modalities": list(d.modalities),
        "options": options,
        "network": d.network,
        "environment": list(d.environment),
    }
    return json.dumps(whole, indent=2, ensure_ascii=False)
