"""Against BERTopic's rule on the pipeline called directly, through the protocol and through bin/bertopic."""

import pathlib

import numpy as np
import pytest
from bertopic_sdk import Refused, Status, load
from bertopic_sdk.testing import Session
from command import GOLDEN, MINIBERT, ODD, SENTENCES, conforms, embed, golden, installed, needs_command, slow

transformers = pytest.importorskip("transformers")
torch = pytest.importorskip("torch")

FILE = str(pathlib.Path(__file__).with_name("embedder.py"))
Transformers = load(FILE)
PLAIN = [i for i, t in enumerate(ODD) if t.strip()]
ENCODERS = ["bert", "bert-cased", "distilbert", "roberta", "xlm-roberta", "mpnet", "modernbert", "deberta-v2"]


def direct(folder, rows):
    """What HFTransformerBackend of bertopic 0.17.4 computes: all rows through the pipeline as a list, each by itself."""
    torch.set_num_threads(1)
    pipe = transformers.pipeline("feature-extraction", model=str(folder), tokenizer=str(folder), device="cpu")
    out = []
    for row, features in zip(rows, pipe(rows, truncation=True, padding=True)):
        features = np.array(features)[0]
        n = len(pipe.tokenizer(row, truncation=True)["input_ids"])
        assert features.shape[0] == n
        mean = features.sum(axis=0) / n
        out.append(mean / np.sqrt(np.einsum("i,i->", mean, mean)))
    return np.array(out).astype(np.float32)


def backend(folder, rows):
    """HFTransformerBackend itself, in an environment that has BERTopic."""
    torch.set_num_threads(1)
    module = pytest.importorskip("bertopic.backend._hftransformers")
    pipe = transformers.pipeline("feature-extraction", model=str(folder), tokenizer=str(folder), device="cpu")
    return module.HFTransformerBackend(pipe).embed(rows).astype(np.float32)


@pytest.mark.parametrize("how", [direct, backend])
def test_bit_for_bit(how):
    with Session(Transformers()) as s:
        info = s.configure({"model": str(MINIBERT)})
        assert (info.dimension, info.max_tokens, info.unit_length, info.words, info.batch_invariant) == (32, 32, True, True, True)
        v = s.embed(ODD)
        assert v.matrix[PLAIN].tobytes() == how(MINIBERT, [ODD[i] for i in PLAIN]).tobytes()
        assert [v.statuses[i].status for i in (0, 1, 11)] == [Status.EMPTY, Status.EMPTY, Status.TRUNCATED]
        assert v.statuses[11].tokens_lost == 40 * 10 + 2 - 32


def test_options():
    with Session(Transformers()) as s:
        s.configure({"model": str(MINIBERT), "max_seq_length": 4})
        assert s.embed(SENTENCES[:1]).statuses[0].tokens_lost == 5
        for options, fault in [({"model": "nothing"}, "there is no"), ({"model": str(MINIBERT), "device": "warp"}, "can't be loaded")]:
            with pytest.raises(Refused, match=fault):
                s.configure(options)


@pytest.mark.parametrize("name", ENCODERS)
def test_golden(name):
    want = golden(f"encoders/{name}/expected.json.gz")
    rows = [i for i, t in enumerate(want["texts"]) if t.strip()]
    texts = [want["texts"][i] for i in rows]
    with Session(Transformers()) as s:
        info = s.configure({"model": str(GOLDEN / "encoders" / name)})
        assert info.max_tokens == want["max_tokens"]
        v = s.embed(texts)
    for i, row in enumerate(rows):
        vector = want["bertopic_hf_pipeline"][row]
        if isinstance(vector, list):
            assert np.abs(v.matrix[i] - np.array(vector)).max() < 2e-5, texts[i]


@needs_command
def test_through_bertopic(tmp_path):
    plugins = installed(FILE, tmp_path / "plugins")
    have, statuses, _ = embed(tmp_path / "run", plugins, "python-transformers", ODD, model=str(MINIBERT))
    assert have[PLAIN].tobytes() == direct(MINIBERT, [ODD[i] for i in PLAIN]).tobytes()
    assert statuses[:3] == ["empty", "empty", "ok"] and statuses[11] == "truncated(370)"


@slow
@needs_command
def test_conformance(tmp_path):
    conforms(tmp_path, FILE, SENTENCES, model=str(MINIBERT))
