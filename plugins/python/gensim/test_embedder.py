"""Against gensim called directly, through the protocol and through bin/bertopic."""

import gzip
import json
import pathlib

import numpy as np
import pytest
from bertopic_sdk import Refused, Status, load
from bertopic_sdk.testing import Session
from command import ROOT, conforms, embed, installed, needs_command, slow

pytest.importorskip("gensim")

from gensim.models import KeyedVectors  # noqa: E402

FILE = str(pathlib.Path(__file__).with_name("embedder.py"))
Gensim = load(FILE)
WORDS = ["the", "river", "garden", "Garden", "lamp;", "straße", "東京", "plus", "minus"]
ROWS = ["river river garden", "River Garden", "river. garden", "unknownword", "river unknownword", "  river   garden  ", "", " ", "the lamp; 東京", "plus minus"]


@pytest.fixture(scope="module")
def vectors():
    kv = KeyedVectors(6)
    v = np.random.default_rng(3).normal(size=(len(WORDS), 6)).astype(np.float32)
    v[WORDS.index("minus")] = -v[WORDS.index("plus")]
    kv.add_vectors(WORDS, v)
    return kv


@pytest.fixture(scope="module")
def folder(vectors, tmp_path_factory):
    folder = tmp_path_factory.mktemp("vectors")
    vectors.save(str(folder / "mine.kv"))
    vectors.save_word2vec_format(str(folder / "w2v.bin"), binary=True)
    vectors.save_word2vec_format(str(folder / "w2v.txt"))
    with open(folder / "glove.txt", "w", encoding="utf-8") as f:
        for w in WORDS:
            f.write(w + " " + " ".join(map(repr, map(float, vectors[w]))) + "\n")
    return folder


def bertopic(vectors, rows):
    """What GensimBackend of bertopic 0.17.4 does."""
    out = []
    for row in rows:
        known = [vectors.get_vector(w) for w in row.split() if w in vectors.key_to_index]
        out.append(np.mean(known, axis=0) if known else np.zeros(vectors.vector_size))
    return np.array(out).astype(np.float32)


@pytest.mark.parametrize("file", ["mine.kv", "w2v.bin", "glove.txt"])
def test_bit_for_bit(vectors, folder, file):
    with Session(Gensim()) as s:
        info = s.configure({"model": file, "metric": "euclidean"}, base_dir=str(folder))
        assert info.dimension == 6 and info.words and info.batch_invariant
        v = s.embed(ROWS)
        assert v.matrix.tobytes() == bertopic(vectors, ROWS).tobytes()
        assert {r: st.status for r, st in v.statuses.items()} == {3: Status.OOV, 6: Status.EMPTY, 7: Status.EMPTY}
        assert np.array_equal(s.embed_words(["river"]).matrix[0], vectors["river"])
        s.configure({"model": file}, base_dir=str(folder))
        assert s.embed(ROWS).statuses[9].status == Status.OOV  # the vectors cancel, and have no cosine


def test_text_format_is_gensims_reading_of_it(folder):
    with Session(Gensim()) as s:
        s.configure({"model": "w2v.txt"}, base_dir=str(folder))
        want = bertopic(KeyedVectors.load_word2vec_format(str(folder / "w2v.txt")), ROWS[:1])
        assert s.embed(ROWS[:1]).matrix.tobytes() == want.tobytes()


def test_refusals(folder):
    with Session(Gensim()) as s:
        with pytest.raises(Refused, match="there is no file"):
            s.configure({"model": "nothing.kv"}, base_dir=str(folder))
        with pytest.raises(Refused, match="can't be read as fasttext"):
            s.configure({"model": "w2v.txt", "format": "fasttext"}, base_dir=str(folder))


GOLDEN = ROOT.parent / "shared" / "golden" / "embedders" / "words" / "gensim"


@pytest.mark.skipif(not GOLDEN.exists(), reason="the folder of golden values is not there")
@pytest.mark.parametrize("file", ["w2v.bin", "w2v.txt", "glove.txt", "fasttext.bin", "fasttext.vec"])
def test_golden(file):
    with gzip.open(GOLDEN / "expected.json.gz", "rt", encoding="utf-8") as f:
        golden = json.load(f)
    want = np.array(golden["files"][file]["vectors"], np.float32)
    with Session(Gensim()) as s:
        s.configure({"model": str(GOLDEN / file), "metric": "euclidean"})
        assert s.embed(golden["texts"]).matrix.tobytes() == want.tobytes()


@needs_command
def test_through_bertopic(vectors, folder, tmp_path):
    plugins = installed(FILE, tmp_path / "plugins")
    have, statuses, _ = embed(tmp_path / "run", plugins, "python-gensim", ROWS, model=str(folder / "mine.kv"), metric="euclidean")
    assert have[[s == "ok" for s in statuses]].tobytes() == bertopic(vectors, ROWS)[[s == "ok" for s in statuses]].tobytes()
    assert statuses == ["ok", "ok", "ok", "oov", "ok", "ok", "empty", "empty", "ok", "ok"]


@slow
@needs_command
def test_conformance(folder, tmp_path):
    conforms(tmp_path, FILE, [f"{a} {b}" for a in WORDS[:7] for b in WORDS[:7]], model=str(folder / "w2v.bin"))
