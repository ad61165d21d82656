"""Pipelines with a transformer, in the environment of python:spacy[transformers]."""

import json
import pathlib
import shutil

import numpy as np
import pytest
from bertopic_sdk import Status, load
from bertopic_sdk.testing import Session
from command import MINIBERT, ODD, SENTENCES, conforms, embed, installed, needs_command, slow

spacy = pytest.importorskip("spacy")
torch = pytest.importorskip("torch")
pytest.importorskip("spacy_transformers")

FILE = str(pathlib.Path(__file__).with_name("embedder.py"))
Spacy = load(FILE)
VOCABULARY = len(json.loads((MINIBERT / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"])
PLAIN = [i for i, t in enumerate(ODD) if t.strip()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A pipeline on spacy-transformers."""
    torch.set_num_threads(1)
    nlp = spacy.blank("en")
    nlp.add_pipe("transformer", config={"model": {"@architectures": "spacy-transformers.TransformerModel.v3", "name": str(MINIBERT)}})
    nlp.initialize()
    folder = tmp_path_factory.mktemp("trf") / "pipeline"
    nlp.to_disk(folder)
    return folder


@pytest.fixture(scope="module")
def curated(tmp_path_factory):
    """One on spacy-curated-transformers, as en_core_web_trf is, with random weights."""
    torch.manual_seed(3)
    bert = tmp_path_factory.mktemp("bert") / "bert"
    shutil.copytree(MINIBERT, bert)
    (bert / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizerFast", "do_lower_case": True}))
    nlp = spacy.blank("en")
    model = {
        "@architectures": "spacy-curated-transformers.BertTransformer.v1",
        "vocab_size": VOCABULARY, "hidden_width": 32, "intermediate_width": 48, "num_attention_heads": 4, "num_hidden_layers": 2,
        "max_position_embeddings": 256, "model_max_length": 256,
        "piece_encoder": {"@architectures": "spacy-curated-transformers.BertWordpieceEncoder.v1"},
        "with_spans": {"@architectures": "spacy-curated-transformers.WithStridedSpans.v1"},
    }  # fmt: skip
    pipe = nlp.add_pipe("curated_transformer", config={"model": model})
    from spacy_curated_transformers.tokenization.hf_loader import build_hf_piece_encoder_loader_v1

    pipe.model.get_ref("piece_encoder").init = build_hf_piece_encoder_loader_v1(name=str(bert))
    pipe.model.get_ref("transformer").init = lambda model, X=None, Y=None: model
    nlp.initialize()
    folder = tmp_path_factory.mktemp("curated") / "pipeline"
    nlp.to_disk(folder)
    return folder


def test_bit_for_bit(folder):
    torch.set_num_threads(1)
    with Session(Spacy()) as s:
        info = s.configure({"model": str(folder)})
        assert (info.dimension, info.words, info.batch_invariant) == (32, True, True)
        v = s.embed(ODD)
        nlp = spacy.load(folder)
        want = np.array([nlp(ODD[i])._.trf_data.tensors[-1][0] for i in PLAIN])  # SpacyBackend of bertopic 0.17.4
        assert v.matrix[PLAIN].tobytes() == want.tobytes()
        # Of the spans of a long text the first one counts, and of that what the model takes: 30 pieces and the closing one.
        assert v.statuses[11].status == Status.TRUNCATED and v.statuses[11].tokens_lost == 40 * 10 - 31


def test_curated(curated):
    torch.set_num_threads(1)
    with Session(Spacy()) as s:
        assert s.configure({"model": str(curated)}).dimension == 32
        nlp = spacy.load(curated)
        want = np.array([nlp(t)._.trf_data.last_hidden_layer_state.dataXd.mean(axis=0) for t in SENTENCES[:5]])
        assert s.embed(SENTENCES[:5]).matrix.tobytes() == want.tobytes()


@needs_command
def test_through_bertopic(folder, tmp_path):
    plugins = installed(FILE, tmp_path / "plugins")
    have, statuses, _ = embed(tmp_path / "run", plugins, "python-spacy", ODD, model=str(folder))
    nlp = spacy.load(folder)
    assert have[PLAIN].tobytes() == np.array([nlp(ODD[i])._.trf_data.tensors[-1][0] for i in PLAIN]).tobytes()
    assert statuses[:3] == ["empty", "empty", "ok"]


@slow
@needs_command
def test_conformance(folder, tmp_path):
    conforms(tmp_path, FILE, SENTENCES, model=str(folder))
