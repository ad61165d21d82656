"""Against tensorflow_hub called directly, on a SavedModel made here, through the protocol and through bin/bertopic."""

import pathlib

import numpy as np
import pytest
from bertopic_sdk import Refused, Status, load
from bertopic_sdk.testing import Session
from command import ODD, SENTENCES, conforms, embed, installed, needs_command, slow

tf = pytest.importorskip("tensorflow")
hub = pytest.importorskip("tensorflow_hub")

FILE = str(pathlib.Path(__file__).with_name("embedder.py"))
Use = load(FILE)
PLAIN = [i for i, t in enumerate(ODD) if t.strip()]


class Model(tf.Module):
    """Texts in, vectors of 512 out, as the encoder has it: hashed words, their mean, two layers."""

    def __init__(self):
        r = np.random.default_rng(5)
        self.table = tf.Variable(r.normal(size=(1000, 64)).astype(np.float32))
        self.first = tf.Variable(r.normal(size=(64, 512)).astype(np.float32) / 8)
        self.second = tf.Variable(r.normal(size=(512, 512)).astype(np.float32) / 22)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def __call__(self, texts):
        words = tf.strings.split(tf.strings.lower(texts))
        rows = tf.strings.to_hash_bucket_fast(words.values, 1000)
        means = tf.math.unsorted_segment_mean(tf.gather(self.table, rows), words.value_rowids(), tf.size(texts))
        return tf.math.l2_normalize(tf.nn.tanh(means @ self.first) @ self.second, axis=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("use") / "model"
    tf.saved_model.save(Model(), str(folder))
    return folder


def direct(folder, rows):
    """What USEBackend of bertopic 0.17.4 does."""
    model = hub.load(str(folder))
    return np.array([model([row]).cpu().numpy()[0] for row in rows])


def test_bit_for_bit(folder):
    with Session(Use()) as s:
        info = s.configure({"model": "model"}, base_dir=str(folder.parent))
        assert (info.dimension, info.words, info.batch_invariant, len(info.model_sha256)) == (512, True, True, 64)
        v = s.embed(ODD)
        assert v.matrix[PLAIN].tobytes() == direct(folder, [ODD[i] for i in PLAIN]).tobytes()
        assert {r: st.status for r, st in v.statuses.items()} == {0: Status.EMPTY, 1: Status.EMPTY}
        assert np.array_equal(s.embed_words(["river"]).matrix, direct(folder, ["river"]))


def test_refusals(folder, tmp_path):
    tf.saved_model.save(tf.Module(), str(tmp_path / "mute"))
    with Session(Use()) as s:
        with pytest.raises(Refused, match="no saved_model.pb in"):
            s.configure({"model": str(tmp_path)})
        with pytest.raises(Refused, match="can't be called"):
            s.configure({"model": str(tmp_path / "mute")})
        if not tf.config.list_physical_devices("GPU"):
            with pytest.raises(Refused, match="no GPU"):
                s.configure({"model": str(folder), "device": "gpu"})


@needs_command
def test_through_bertopic(folder, tmp_path):
    plugins = installed(FILE, tmp_path / "plugins")
    have, statuses, _ = embed(tmp_path / "run", plugins, "python-use", ODD, model=str(folder))
    assert have[PLAIN].tobytes() == direct(folder, [ODD[i] for i in PLAIN]).tobytes()
    assert statuses == ["empty", "empty"] + ["ok"] * 10


@slow
@needs_command
def test_conformance(folder, tmp_path):
    conforms(tmp_path, FILE, SENTENCES, model=str(folder))
