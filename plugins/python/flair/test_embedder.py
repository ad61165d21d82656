"""Against Flair called directly, through the protocol and through bin/bertopic."""

import pathlib

import numpy as np
import pytest
from bertopic_sdk import Refused, Status, load
from bertopic_sdk.testing import Session
from command import GOLDEN, MINIBERT, ODD, ROOT, SENTENCES, conforms, embed, golden, installed, needs_command, slow

flair = pytest.importorskip("flair")
torch = pytest.importorskip("torch")

from flair.data import Sentence  # noqa: E402
from flair.embeddings import DocumentPoolEmbeddings, TransformerDocumentEmbeddings, WordEmbeddings  # noqa: E402

FILE = str(pathlib.Path(__file__).with_name("embedder.py"))
Flair = load(FILE)
WORDS = ROOT / "plugins" / "python" / "testdata" / "words.txt"
PLAIN = [i for i, t in enumerate(ODD) if t.strip()]
WORD_ROWS = ["the river", "THE river", "unknownword", "river unknownword", "", "  ", "the river the river."]


def direct(embeddings, rows):
    """What FlairBackend of bertopic 0.17.4 does."""
    torch.set_num_threads(1)
    flair.device = torch.device("cpu")
    out = []
    for row in rows:
        sentence = Sentence(row)
        embeddings.embed(sentence)
        out.append(sentence.embedding.detach().cpu().numpy())
    return np.array(out)


@pytest.mark.parametrize("options, arguments", [({}, {}), ({"pooling": "mean"}, {"cls_pooling": "mean"}), ({"layers": "-1,-2"}, {"layers": "-1,-2"})])
def test_documents_bit_for_bit(options, arguments):
    with Session(Flair()) as s:
        info = s.configure({"model": str(MINIBERT), **options})
        want = direct(TransformerDocumentEmbeddings(str(MINIBERT), fine_tune=False, **arguments), [ODD[i] for i in PLAIN])
        assert (info.dimension, info.max_tokens, info.words, info.batch_invariant) == (want.shape[1], 32, True, True)
        v = s.embed(ODD)
        assert v.matrix[PLAIN].tobytes() == want.tobytes()
        assert [v.statuses[i].status for i in (0, 1, 11)] == [Status.EMPTY, Status.EMPTY, Status.TRUNCATED]
        assert v.statuses[11].tokens_lost == 40 * 10 + 2 - 32


@pytest.mark.parametrize("pooling", ["mean", "max", "min"])
def test_words_bit_for_bit(pooling):
    rows = [r for r in WORD_ROWS if r.strip()]
    with Session(Flair()) as s:
        info = s.configure({"model": str(WORDS), "pooling": pooling, "metric": "euclidean"})
        want = direct(DocumentPoolEmbeddings([WordEmbeddings(str(WORDS))], pooling=pooling), rows)
        assert info.dimension == want.shape[1]
        assert s.embed(rows).matrix.tobytes() == want.tobytes()
        s.configure({"model": str(WORDS), "pooling": pooling})
        assert {r: st.status for r, st in s.embed(WORD_ROWS).statuses.items()} == {2: Status.OOV, 4: Status.EMPTY, 5: Status.EMPTY}


def test_refusals(tmp_path):
    with Session(Flair()) as s:
        for options, fault in [
            ({"model": "nothing"}, "there is no"),
            ({"model": str(MINIBERT), "pooling": "min"}, "pooling min does not go with kind document"),
            ({"model": str(MINIBERT), "kind": "words"}, "can't be loaded as words"),
            ({"model": str(tmp_path)}, "can't be loaded as document"),
        ]:
            with pytest.raises(Refused, match=fault):
                s.configure(options)


@pytest.mark.parametrize("name", ["bert", "bert-cased", "distilbert", "roberta", "xlm-roberta", "mpnet", "modernbert", "bert-mean", "bert-max", "bert-layers-1-2"])
def test_golden_documents(name):
    whole = golden("flair/expected.json.gz")
    want, texts = whole["document"][name]["vectors"], whole["texts"]
    options = {"bert-mean": {"pooling": "mean"}, "bert-max": {"pooling": "max"}, "bert-layers-1-2": {"layers": "-1,-2"}}.get(name, {})
    folder = GOLDEN / "encoders" / (name if not options else "bert")
    with Session(Flair()) as s:
        s.configure({"model": str(folder), **options})
        v = s.embed(texts)
    for i, vector in enumerate(want):
        if texts[i].strip() and isinstance(vector, list):
            assert np.abs(v.matrix[i] - np.array(vector)).max() < 2e-5, texts[i]


def test_golden_words():
    whole = golden("flair/expected.json.gz")
    for pooling, want in whole["pool"].items():
        with Session(Flair()) as s:
            s.configure({"model": str(GOLDEN / "words" / "flair-vectors.txt"), "pooling": pooling, "metric": "euclidean"})
            v = s.embed(whole["word_texts"])
        for i, vector in enumerate(want):
            if whole["word_texts"][i].strip():
                assert v.matrix[i].tobytes() == np.array(vector, np.float32).tobytes(), whole["word_texts"][i]


@needs_command
def test_through_bertopic(tmp_path):
    plugins = installed(FILE, tmp_path / "plugins")
    have, statuses, _ = embed(tmp_path / "run", plugins, "python-flair", ODD, model=str(MINIBERT))
    want = direct(TransformerDocumentEmbeddings(str(MINIBERT), fine_tune=False), [ODD[i] for i in PLAIN])
    assert have[PLAIN].tobytes() == want.tobytes()
    assert statuses[:3] == ["empty", "empty", "ok"] and statuses[11] == "truncated(370)"


@slow
@needs_command
@pytest.mark.parametrize("model", [MINIBERT, WORDS], ids=["document", "words"])
def test_conformance(tmp_path, model):
    conforms(tmp_path, FILE, SENTENCES, model=str(model))
