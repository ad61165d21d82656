"""Against sentence-transformers called directly, through the protocol and through bin/bertopic."""

import pathlib

import numpy as np
import pytest
from bertopic_sdk import Refused, Status, load
from bertopic_sdk.testing import Session
from command import GOLDEN, MINIBERT, ODD, SENTENCES, conforms, embed, golden, installed, needs_command, slow

st = pytest.importorskip("sentence_transformers")
torch = pytest.importorskip("torch")

FILE = str(pathlib.Path(__file__).with_name("embedder.py"))
SentenceTransformers = load(FILE)
PLAIN = [i for i, t in enumerate(ODD) if t.strip()]


def direct(folder, rows, batch_size=1, **arguments):
    torch.set_num_threads(1)
    model = st.SentenceTransformer(str(folder), device="cpu")
    return model.encode(rows, batch_size=batch_size, show_progress_bar=False, **arguments)


def test_bit_for_bit():
    with Session(SentenceTransformers()) as s:
        info = s.configure({"model": str(MINIBERT), "device": "cpu"})
        assert (info.dimension, info.max_tokens, info.unit_length, info.words, info.batch_invariant) == (32, 32, True, True, True)
        v = s.embed(ODD)
        assert v.matrix[PLAIN].tobytes() == direct(MINIBERT, [ODD[i] for i in PLAIN]).tobytes()
        assert [v.statuses[i].status for i in (0, 1, 11)] == [Status.EMPTY, Status.EMPTY, Status.TRUNCATED]
        assert v.statuses[11].tokens_lost == 40 * 10 + 2 - 32
        assert np.array_equal(s.embed_words(["river"]).matrix[0], direct(MINIBERT, "river"))


def test_batches_as_the_library_makes_them():
    rows = [ODD[i] for i in PLAIN] + SENTENCES[:30]
    with Session(SentenceTransformers()) as s:
        info = s.configure({"model": str(MINIBERT), "device": "cpu", "batch_size": 8})
        assert not info.batch_invariant
        v = s.embed([*rows, ""])
        assert v.matrix[:-1].tobytes() == direct(MINIBERT, rows, 8).tobytes()
        assert v.statuses[len(rows)].status == Status.EMPTY


def test_options():
    rows = SENTENCES[:5]
    with Session(SentenceTransformers()) as s:
        s.configure({"model": str(MINIBERT), "prompt": "about: "})
        assert s.embed(rows).matrix.tobytes() == direct(MINIBERT, rows, prompt="about: ").tobytes()
        s.configure({"model": str(MINIBERT), "max_seq_length": 4})
        assert s.embed(rows).statuses[0].tokens_lost == 5
        for options, fault in [
            ({"model": "nothing"}, "there is no"),
            ({"model": str(MINIBERT), "prompt_name": "cite"}, "no prompt 'cite'; it has .*query"),
            ({"model": str(MINIBERT), "prompt": 3}, "prompt must be a text"),
            ({"model": str(MINIBERT), "batch_size": 0}, "at least 1"),
            ({"model": str(MINIBERT), "device": "warp"}, "can't be loaded"),
        ]:
            with pytest.raises(Refused, match=fault):
                s.configure(options)


@pytest.mark.parametrize("name", sorted(p.name for p in GOLDEN.glob("st/*")) or ["none"])
def test_golden(name):
    want = golden(f"st/{name}/expected.json.gz")
    rows = [i for i, t in enumerate(want["texts"]) if t.strip()]
    texts = [want["texts"][i] for i in rows]
    with Session(SentenceTransformers()) as s:
        s.configure({"model": str(GOLDEN / "st" / name), "device": "cpu"})
        v = s.embed(texts)
        ok = [i for i, _ in enumerate(texts) if i not in v.statuses or v.statuses[i].status == Status.TRUNCATED]
        assert v.matrix[ok].tobytes() == direct(GOLDEN / "st" / name, texts)[ok].tobytes()
        assert np.abs(v.matrix - np.array([want["vectors"][i] for i in rows])).max() < 2e-5
        for prompt, vectors in want.get("prompt_name", {}).items():
            s.configure({"model": str(GOLDEN / "st" / name), "device": "cpu", "prompt_name": prompt})
            assert np.abs(s.embed(texts).matrix - np.array([vectors[i] for i in rows])).max() < 2e-5


@needs_command
def test_through_bertopic(tmp_path):
    plugins = installed(FILE, tmp_path / "plugins")
    have, statuses, _ = embed(tmp_path / "run", plugins, "python-sentence-transformers", ODD, model=str(MINIBERT))
    assert have[PLAIN].tobytes() == direct(MINIBERT, [ODD[i] for i in PLAIN]).tobytes()
    assert statuses[:3] == ["empty", "empty", "ok"] and statuses[11] == "truncated(370)"


@slow
@needs_command
@pytest.mark.parametrize("batch_size", [1, 16])
def test_conformance(tmp_path, batch_size):
    conforms(tmp_path, FILE, SENTENCES, model=str(MINIBERT), batch_size=batch_size)
