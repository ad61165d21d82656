import threading
import time

import grpc
import numpy as np
import pytest
from bertopic_sdk import EMPTY, Cancelled, Description, Embedder, Image, Info, Option, OutOfMemory, Refused, Status, Unavailable, Vectors, progress, warn
from bertopic_sdk._proto import embedder_pb2 as pb
from bertopic_sdk.testing import Session


class Lengths(Embedder):
    """Lengths of text and pictures, and whatever is in do."""

    info = Info(dimension=2, metric="euclidean")
    modalities = ("text", "image")

    def __init__(self, do=lambda texts: None):
        self.do = do
        self.threads = set()

    def describe(self):
        return Description("lengths", "0.1.0", "lengths", self.modalities, [Option("n", "integer", 3, "h")])

    def embed(self, texts, images):
        self.threads.add(threading.get_ident())
        self.do(texts)
        return np.array([[len(t or ""), sum(len(i.read()) for i in im)] for t, im in zip(texts, images)])


class TextOnly(Lengths):
    modalities = ("text",)


def code(call, *args):
    with pytest.raises(grpc.RpcError) as e:
        call(*args)
    return e.value.code().name, e.value.details()


def test_rows_of_all_kinds(tmp_path):
    file = tmp_path / "p.png"
    file.write_bytes(b"12345")
    with Session(Lengths()) as s:
        s.configure()
        v = s.embed(["ab", Image(path=str(file)), ("abc", [Image(data=b"1"), Image(data=b"22")]), None, "", (None, [Image()])])
    assert v.matrix.tolist() == [[2, 0], [0, 5], [3, 3], [0, 0], [0, 0], [0, 0]]
    assert {r: st.status for r, st in v.statuses.items()} == {3: Status.EMPTY, 5: Status.FAILED}


def test_rows_that_are_not_taken():
    with Session(TextOnly()) as s:
        s.configure()
        v = s.embed([Image(data=b"x"), "a", None])
        assert v.matrix.tolist() == [[0, 0], [1, 0], [0, 0]]
        assert v.statuses[0].reason == "holds image, which embedder lengths does not take"
        assert s.embed([None]).matrix.tolist() == [[0, 0]]
        assert s.embed([]).matrix.shape == (0, 2)


def test_options_reach_the_embedder():
    e = Lengths()
    with Session(e) as s:
        s.configure({"n": 5}, seed=7, threads=2, base_dir="/b")
        assert (e.settings["n"], e.settings.seed, e.settings.threads, e.settings.base_dir) == (5, 7, 2, "/b")
        name, text = code(s.configure, {"nn": 1})
        assert name == "INVALID_ARGUMENT" and 'option "nn": unknown; this embedder takes n' in text


def raises(e):
    def do(texts):
        raise e

    return do


class OutOfMemoryError(RuntimeError):
    """As torch calls it."""


@pytest.mark.parametrize(
    "error, want",
    [
        (OutOfMemory("device"), "RESOURCE_EXHAUSTED"),
        (MemoryError(), "RESOURCE_EXHAUSTED"),
        (OutOfMemoryError("CUDA"), "RESOURCE_EXHAUSTED"),
        (Unavailable("server"), "UNAVAILABLE"),
        (ValueError("of the library"), "UNKNOWN"),
        (OSError("disk"), "UNKNOWN"),
        (KeyError("x"), "INTERNAL"),
        (SystemExit(3), "INTERNAL"),
    ],
)
def test_errors(error, want):
    e = Lengths(raises(error))
    with Session(e) as s:
        s.configure()
        name, text = code(s.embed, ["a"])
        assert name == want
        assert text.startswith("embed batch 1 of 1 rows: " + type(error).__name__)
        e.do = lambda texts: None
        assert s.embed(["a"]).matrix.tolist() == [[1, 0]]  # it goes on serving


def test_a_broken_promise():
    class Short(Lengths):
        def embed(self, texts, images):
            return super().embed(texts, images)[:-1]

    with Session(Short()) as s:
        s.configure()
        assert code(s.embed, ["a", "b"]) == ("INTERNAL", "embed batch 1 of 2 rows: the embedder broke a promise: 1 rows for a batch of 2")


def test_order_of_calls():
    with Session(Lengths()) as s:
        assert code(s.embed, ["a"])[0] == "FAILED_PRECONDITION"
        assert code(s.fit, ["a"])[0] == "FAILED_PRECONDITION"
        s.configure()
        assert code(s.save_state)[0] == "FAILED_PRECONDITION"
        assert code(s.embed_words, ["a"])[0] == "FAILED_PRECONDITION"


class Counter(Embedder):
    """Learns the number of rows."""

    def describe(self):
        return Description("counter", "0.1.0", "counts")

    def configure(self, settings):
        self.n = 0
        return Info(metric="euclidean", needs_fit=True, words=True)

    def fit(self, texts, images):
        if not texts:
            raise Refused("an empty corpus")
        warn("a warning")
        self.n = len(texts)
        return self.promise()

    def promise(self):
        return Info(dimension=1, metric="euclidean", needs_fit=True, words=True)

    def save_state(self):
        return b"1" + self.n.to_bytes(4, "little") + bytes(3 << 20)

    def load_state(self, state):
        self.n = int.from_bytes(state[1:5], "little")
        return self.promise()

    def embed(self, texts, images):
        return np.full((len(texts), 1), self.n)

    def embed_words(self, words):
        return np.array([[len(w)] for w in words])


def test_fit_and_state():
    with Session(Counter()) as s:
        assert s.configure().dimension == 0
        assert code(s.embed, ["a"])[0] == "FAILED_PRECONDITION"
        with pytest.raises(Refused, match="an empty corpus"):
            s.fit([])
        assert s.fit(["a", "b", "c"]).dimension == 1
        assert s.warnings == ["a warning"]
        assert s.embed(["x"]).matrix.tolist() == [[3]]
        assert s.embed_words(["ab", "c"]).matrix.tolist() == [[2], [1]]
        state = s.save_state()
        s.configure()
        assert code(s.embed, ["a"])[0] == "FAILED_PRECONDITION"  # it starts anew
    with Session(Counter()) as s:
        s.configure()
        s.load_state(state)
        assert s.embed(["x"]).matrix.tolist() == [[3]]


def test_large_messages():
    with Session(Lengths()) as s:
        s.configure()
        assert s.embed(["x" * (20 << 20)]).matrix[0, 0] == 20 << 20

    class Wide(Lengths):
        info = Info(dimension=1 << 20, metric="euclidean")

        def embed(self, texts, images):
            return np.ones((len(texts), 1 << 20), np.float32)

    with Session(Wide()) as s:
        s.configure()
        assert s.embed(["x"] * 8).matrix.shape == (8, 1 << 20)


def test_streams_side_by_side_in_one_thread():
    e = Lengths(lambda texts: time.sleep(0.002))
    with Session(e) as s:
        s.configure()
        got = {}

        def run(k):
            batches = [["x" * (k * 100 + i)] * 3 for i in range(20)]
            got[k] = [v.matrix[:, 0].tolist() for v in s.embed_batches(batches)]

        threads = [threading.Thread(target=run, args=(k,)) for k in range(3)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    assert got == {k: [[k * 100.0 + i] * 3 for i in range(20)] for k in range(3)}
    assert len(e.threads) == 1


def request(text="a"):
    return pb.EmbedRequest(sequence=1, rows=[pb.Row(text=text)])


def stream(session, *requests):
    call = session.channel.stream_stream(
        "/bertopic.embedder.v1.Embedder/Embed", pb.EmbedRequest.SerializeToString, pb.EmbedResponse.FromString
    )
    return call(iter(requests))


def test_progress_is_passed_on():
    def slow(texts):
        for i in range(10):
            time.sleep(0.03)
            progress(i)
            progress(i)

    with Session(Lengths(slow)) as s:
        s.configure()
        done = [r.progress.rows_done for r in stream(s, request()) if r.HasField("progress")]
    assert 1 <= len(done) <= 4 and done == sorted(set(done))


def test_cancellation():
    seen = threading.Event()
    started = threading.Event()

    def loop(texts):
        if texts == ["loop"]:
            started.set()
            try:
                while True:
                    time.sleep(0.02)
                    progress(1)
            except Cancelled:
                seen.set()
                raise

    with Session(Lengths(loop)) as s:
        s.configure()
        call = stream(s, request("loop"))
        assert started.wait(5)
        call.cancel()
        assert seen.wait(1)
        assert s.embed(["ab"]).matrix.tolist() == [[2, 0]]


def test_a_batch_that_waits_is_dropped_when_cancelled():
    embedded = []
    go = threading.Event()

    def do(texts):
        embedded.append(texts[0])
        if texts[0] == "first":
            go.wait(5)

    with Session(Lengths(do)) as s:
        s.configure()
        first, second = stream(s, request("first")), stream(s, request("second"))
        time.sleep(0.2)
        second.cancel()
        time.sleep(0.3)
        go.set()
        assert len(list(first)) == 1
        s.embed(["third"])
    assert embedded in (["first", "third"], ["second", "first", "third"])


def test_a_bad_description_is_found_at_once():
    class Bad(Lengths):
        def describe(self):
            return Description("Bad Name", "1", "")

    with pytest.raises(ValueError, match="describe: name 'Bad Name'"):
        Session(Bad())


def test_statuses_keep_their_places():
    class Empty(TextOnly):
        def embed(self, texts, images):
            return Vectors(np.zeros((len(texts), 2)), {i: EMPTY for i in range(len(texts))})

    with Session(Empty()) as s:
        s.configure()
        v = s.embed([Image(data=b"x"), "", Image(data=b"x"), ""])
        assert {r: st.status.name for r, st in v.statuses.items()} == {0: "FAILED", 1: "EMPTY", 2: "FAILED", 3: "EMPTY"}
