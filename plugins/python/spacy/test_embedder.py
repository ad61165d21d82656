"""Against spaCy called directly, through the protocol and through bin/bertopic."""

import gzip
import json
import pathlib

import numpy as np
import pytest
from bertopic_sdk import Refused, Status, load
from bertopic_sdk.testing import Session
from command import ROOT, conforms, embed, installed, needs_command, slow

spacy = pytest.importorskip("spacy")

HERE = pathlib.Path(__file__).parent
FILE = str(HERE / "embedder.py")
Spacy = load(FILE)
ROWS = ["the small river", "River RIVER river.", "unknownword", "river unknownword", "", " \n", "  river   garden ", "don't stop", "plus minus", "東京 garden"]
WORDS = ["the", "small", "river", "garden", "River", "plus", "minus", "東京", "n't"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A pipeline with a table of vectors, and with components that change none."""
    nlp = spacy.blank("en")
    v = np.random.default_rng(2).normal(size=(len(WORDS), 8)).astype(np.float32)
    v[WORDS.index("minus")] = -v[WORDS.index("plus")]
    for word, vector in zip(WORDS, v):
        nlp.vocab.set_vector(word, vector)
    nlp.add_pipe("sentencizer")
    folder = tmp_path_factory.mktemp("spacy") / "pipeline"
    nlp.to_disk(folder)
    return folder


def direct(nlp, rows):
    """What SpacyBackend of bertopic 0.17.4 does, and zeros where that fails."""
    return np.array([d.vector if d.has_vector else np.zeros(nlp.vocab.vectors_length, "f") for d in map(nlp, rows)], np.float32)


def test_bit_for_bit(folder):
    with Session(Spacy()) as s:
        info = s.configure({"model": "pipeline", "metric": "euclidean"}, base_dir=str(folder.parent))
        assert info.dimension == 8 and info.words and info.batch_invariant and info.device == "cpu" and len(info.model_sha256) == 64
        v = s.embed(ROWS)
        assert v.matrix.tobytes() == direct(spacy.load(folder), ROWS).tobytes()
        assert {r: st.status for r, st in v.statuses.items()} == {2: Status.OOV, 4: Status.EMPTY, 5: Status.EMPTY}
        assert np.array_equal(s.embed_words(["garden"]).matrix[0], spacy.load(folder)("garden").vector)
        s.configure({"model": str(folder)})
        assert s.embed(ROWS).statuses[8].status == Status.OOV  # the vectors cancel, and have no cosine


def test_a_text_beyond_spacys_limit(folder):
    with Session(Spacy()) as s:
        s.configure({"model": str(folder)})
        assert s.embed(["river garden " * 100_000]).statuses == {}


def test_a_pipeline_of_models_dir(folder, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "pipe").symlink_to(folder)
    with Session(Spacy()) as s:
        assert s.configure({"model": "mine/pipe"}, models_dir=str(tmp_path), base_dir=str(tmp_path / "mine")).dimension == 8
        assert s.configure({"model": "pipe"}, models_dir=str(tmp_path)).dimension == 8


def test_refusals(folder, tmp_path):
    spacy.blank("en").to_disk(tmp_path / "blank")
    with Session(Spacy()) as s:
        with pytest.raises(Refused, match="there is no model en_core_web_md"):
            s.configure({"model": "en_core_web_md"}, base_dir=str(tmp_path), models_dir=str(tmp_path))
        with pytest.raises(Refused, match="gives no vectors"):
            s.configure({"model": str(tmp_path / "blank")})
        with pytest.raises(Refused, match="can't be loaded as a spaCy pipeline"):
            s.configure({"model": str(tmp_path)})
        if not spacy.prefer_gpu():
            with pytest.raises(Refused, match="no GPU"):
                s.configure({"model": str(folder), "device": "gpu"})
            assert s.configure({"model": str(folder), "device": "auto"}).device == "cpu"


def test_a_tensor_of_the_pipeline(tmp_path):
    """As the small pipelines have it: no table, but a component that makes a tensor."""
    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec")
    nlp.initialize()
    nlp.to_disk(tmp_path)
    with Session(Spacy()) as s:
        s.configure({"model": str(tmp_path)})
        want = np.array([d.vector for d in map(spacy.load(tmp_path), ["the small river", "東京"])])
        assert s.embed(["the small river", "東京"]).matrix.tobytes() == want.tobytes()


GOLDEN = ROOT.parent / "shared" / "golden" / "embedders" / "words"


@pytest.mark.skipif(not GOLDEN.exists(), reason="the folder of golden values is not there")
@pytest.mark.parametrize("name", ["spacy-plain", "spacy-pruned", "spacy-floret"])
def test_golden(name):
    with gzip.open(GOLDEN / "expected-spacy.json.gz", "rt", encoding="utf-8") as f:
        golden = json.load(f)
    golden = golden[name.removeprefix("spacy-")]
    with Session(Spacy()) as s:
        s.configure({"model": str(GOLDEN / name), "metric": "euclidean"})
        v = s.embed(golden["texts"])
    for i, want in enumerate(golden["bertopic_spacy"]):
        if i in v.statuses:  # where BERTopic fails, or gives zeros or the vector of white space
            assert not golden["texts"][i].strip() or isinstance(want, dict)
        else:
            assert v.matrix[i].tobytes() == np.array(want, np.float32).tobytes()


@needs_command
def test_through_bertopic(folder, tmp_path):
    plugins = installed(FILE, tmp_path / "plugins")
    have, statuses, _ = embed(tmp_path / "run", plugins, "python-spacy", ROWS, model=str(folder), metric="euclidean")
    assert have.tobytes() == direct(spacy.load(folder), ROWS).tobytes()
    assert statuses == ["ok", "ok", "oov", "ok", "empty", "empty", "ok", "ok", "ok", "ok"]


@slow
@needs_command
def test_conformance(folder, tmp_path):
    conforms(tmp_path, FILE, [f"the {a} {b}" for a in WORDS for b in WORDS if a != b], model=str(folder))
