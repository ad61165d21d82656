"""Against BERTopic's backends called directly, through the protocol and through bin/bertopic."""

import pathlib

import numpy as np
import pytest
from bertopic_sdk import Refused, Status, load
from bertopic_sdk.testing import Session
from command import MINIBERT, ODD, SENTENCES, conforms, embed, installed, needs_command, slow

pytest.importorskip("bertopic")
torch = pytest.importorskip("torch")

FILE = str(pathlib.Path(__file__).with_name("embedder.py"))
BERTopic = load(FILE)
PLAIN = [i for i, t in enumerate(ODD) if t.strip()]
OF_BERTOPIC = "bertopic.backend._sentencetransformers:SentenceTransformerBackend"

#: A module as a user writes it, beside bertopic.toml.
MODULE = f'''
import numpy as np
from bertopic.backend import BaseEmbedder

class Lengths(BaseEmbedder):
    def __init__(self, scale=1.0):
        super().__init__()
        self.scale = scale

    def embed(self, documents, verbose=False):
        return np.array([[len(d), d.count("e") * self.scale] for d in documents])

class Two(Lengths):
    """Words in a space of their own."""

    def embed_words(self, words, verbose=False):
        return np.ones((len(words), 5))

class Short(Lengths):
    def embed(self, documents, verbose=False):
        return super().embed(documents)[:-1] if documents != ["river"] else super().embed(documents)

ready = Lengths(3.0)
word = 3

def transformers():
    from bertopic.backend._hftransformers import HFTransformerBackend
    from transformers import pipeline
    return HFTransformerBackend(pipeline("feature-extraction", model={str(MINIBERT)!r}, tokenizer={str(MINIBERT)!r}))
'''


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "my_backends.py").write_text(MODULE)
    return tmp_path


def configure(s, folder, backend, **options):
    return s.configure({"backend": backend, **options}, base_dir=str(folder))


def test_a_backend_of_bertopic_bit_for_bit(folder):
    from bertopic.backend._sentencetransformers import SentenceTransformerBackend

    torch.set_num_threads(1)
    with Session(BERTopic()) as s:
        info = configure(s, folder, OF_BERTOPIC, arguments={"embedding_model": str(MINIBERT)})
        assert (info.dimension, info.words, info.batch_invariant) == (32, True, True)
        v = s.embed(ODD)
        backend = SentenceTransformerBackend(str(MINIBERT))
        assert v.matrix[PLAIN].tobytes() == np.concatenate([backend.embed([ODD[i]]) for i in PLAIN]).tobytes()
        assert {r: st.status for r, st in v.statuses.items()} == {0: Status.EMPTY, 1: Status.EMPTY}
        assert np.array_equal(s.embed_words(["river"]).matrix, backend.embed_words(["river"]))
        configure(s, folder, OF_BERTOPIC, arguments={"embedding_model": str(MINIBERT)}, batch_size=32)
        assert s.embed(SENTENCES[:40]).matrix.tobytes() == np.concatenate([backend.embed(SENTENCES[:32]), backend.embed(SENTENCES[32:40])]).tobytes()


def test_backends_of_a_users_own(folder):
    with Session(BERTopic()) as s:
        configure(s, folder, "my_backends:Lengths", arguments={"scale": 2.0}, metric="euclidean")
        assert s.embed(["tea", "", "x"]).matrix.tolist() == [[3, 2], [0, 0], [1, 0]]
        configure(s, folder, "my_backends:ready", metric="euclidean")
        assert s.embed(["tea"]).matrix.tolist() == [[3, 3]]
        assert not configure(s, folder, "my_backends:Two").words
        assert "5 dimensions" in s.warnings[0]
        configure(s, folder, "my_backends:transformers")
        assert s.embed(ODD).matrix.shape == (12, 32)


def test_refusals(folder):
    with Session(BERTopic()) as s:
        for backend, options, fault in [
            ("my_backends", {}, "not of the form module:attribute"),
            ("nowhere:Backend", {}, "can't be imported"),
            ("my_backends:word", {}, "can't be called with the arguments: TypeError"),
            ("my_backends:Lengths", {"arguments": {"size": 2}}, "can't be called with the arguments"),
            ("my_backends:ready", {"arguments": {"scale": 2}}, "takes no arguments"),
            ("my_backends:Lengths", {"arguments": 3}, "arguments must be a table"),
            ("builtins:dict", {}, "makes a dict, which is no BaseEmbedder"),
        ]:
            with pytest.raises(Refused, match=fault):
                configure(s, folder, backend, **options)
        configure(s, folder, "my_backends:Short")
        with pytest.raises(Exception, match="answered 1 rows with an array of the shape"):
            s.embed(["a"])


@needs_command
def test_through_bertopic(folder, tmp_path):
    from bertopic.backend._sentencetransformers import SentenceTransformerBackend

    torch.set_num_threads(1)
    plugins = installed(FILE, tmp_path / "plugins")
    arguments = f"[embedder.options.arguments]\nembedding_model = \"{MINIBERT}\""
    have, statuses, _ = embed(tmp_path / "run", plugins, "python-bertopic", ODD, after=arguments, backend=OF_BERTOPIC)
    backend = SentenceTransformerBackend(str(MINIBERT))
    assert have[PLAIN].tobytes() == np.concatenate([backend.embed([ODD[i]]) for i in PLAIN]).tobytes()
    assert statuses == ["empty", "empty"] + ["ok"] * 10


@slow
@needs_command
def test_conformance(tmp_path):
    conforms(tmp_path, FILE, SENTENCES, backend=OF_BERTOPIC, arguments={"embedding_model": str(MINIBERT)})
