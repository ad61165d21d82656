"""Against BERTopic's MultiModalBackend called directly, through the protocol and through bin/bertopic."""

import io
import pathlib

import numpy as np
import pytest
from bertopic_sdk import Image, Refused, Status, load
from bertopic_sdk.testing import Session
from command import GOLDEN, MINIBERT, SENTENCES, conforms, embed, installed, needs_command, slow

pytest.importorskip("bertopic")
torch = pytest.importorskip("torch")
Picture = pytest.importorskip("PIL.Image")

FILE = str(pathlib.Path(__file__).with_name("embedder.py"))
MultiModal = load(FILE)
MODEL = str(GOLDEN / "clip" / "st-new")
needs_model = pytest.mark.skipif(not GOLDEN.exists(), reason="the folder of golden values, which has a model for pictures, is not there")


def picture(color, kind="PNG", **more):
    b = io.BytesIO()
    p = Picture.new("RGB", (40, 30), color)
    p.paste("white", (0, 0, 10, 30))
    p.save(b, kind, **more)
    return b.getvalue()


@needs_model
def test_bit_for_bit(tmp_path):
    from bertopic.backend import MultiModalBackend

    torch.set_num_threads(1)
    red, blue = Image(data=picture("red")), Image(data=picture("blue", "JPEG"))
    (tmp_path / "red.png").write_bytes(red.data)
    (tmp_path / "broken.png").write_bytes(red.data[:60])
    rows = ["a red lamp", red, ("a red lamp", [red]), Image(path=str(tmp_path / "broken.png")), ("", [blue]), Image(path=str(tmp_path / "red.png")), (None, [red, blue]), " "]
    with Session(MultiModal()) as s:
        info = s.configure({"model": MODEL, "average": "raw"})
        assert info.words and info.batch_invariant
        v = s.embed(rows)
        backend = MultiModalBackend(MODEL)
        path = [str(tmp_path / "red.png")]
        want = [backend.embed(["a red lamp"]), backend.embed([None], images=path), backend.embed(["a red lamp"], images=path)]
        assert v.matrix[:3].tobytes() == np.concatenate(want).astype(np.float32).tobytes()
        assert v.matrix[5].tobytes() == v.matrix[1].tobytes()
        assert np.allclose(v.matrix[6], (v.matrix[1] + v.matrix[4]) / 2, atol=1e-6)
        assert {r: st.status for r, st in v.statuses.items()} == {3: Status.FAILED, 7: Status.EMPTY}
        assert np.array_equal(s.embed_words(["river"]).matrix, backend.embed_words(["river"]))
        s.configure({"model": MODEL})
        a, b, both = s.embed(rows[:3]).matrix.astype(float)
        mean = a / np.linalg.norm(a) + b / np.linalg.norm(b)
        assert np.allclose(both, mean / np.linalg.norm(mean), atol=1e-6)


@needs_model
def test_long_texts():
    """BERTopic fails at the second: what it cuts off comes back longer."""
    rows = ["a red lamp", "x" * 500, "the river " * 60]
    with Session(MultiModal()) as s:
        s.configure({"model": MODEL})
        v = s.embed(rows)
        assert sorted(v.statuses) == [1, 2] and all(st.status == Status.TRUNCATED for st in v.statuses.values())
        assert v.matrix.any(axis=1).all()


@needs_model
def test_upright():
    exif = Picture.Exif()
    exif[0x0112] = 6
    lying, plain = Image(data=picture("red", "JPEG", exif=exif)), Image(data=picture("red", "JPEG"))
    with Session(MultiModal()) as s:
        s.configure({"model": MODEL, "upright": False})
        v = s.embed([lying, plain]).matrix
        assert v[0].tobytes() == v[1].tobytes()
        s.configure({"model": MODEL})
        v = s.embed([lying, plain]).matrix
        assert v[0].tobytes() != v[1].tobytes()


def test_refusals():
    with Session(MultiModal()) as s:
        for options in [{"model": "nothing"}, {"model": str(MINIBERT), "image_model": "nothing"}, {"model": str(MINIBERT), "device": "warp"}]:
            with pytest.raises(Refused, match="there is no|can't be loaded"):
                s.configure(options)


@needs_model
@needs_command
def test_through_bertopic(tmp_path):
    from bertopic.backend import MultiModalBackend

    torch.set_num_threads(1)
    plugins = installed(FILE, tmp_path / "plugins")
    have, statuses, _ = embed(tmp_path / "run", plugins, "python-multimodal", ["a red lamp", ""], model=MODEL)
    assert have[:1].tobytes() == MultiModalBackend(MODEL).embed(["a red lamp"]).tobytes()
    assert statuses == ["ok", "empty"]


@slow
@needs_model
@needs_command
def test_conformance(tmp_path):
    conforms(tmp_path, FILE, SENTENCES, model=MODEL)
