"""The suite of `bertopic conformance`, on the example and on the libraries' embedders."""

import json
import subprocess

import pytest
from bertopic_sdk import install
from command import COMMAND, ROOT, needs_command


def knows_conformance():
    return COMMAND.exists() and b"bertopic conformance PROGRAM" in subprocess.run([COMMAND, "conformance", "--help"], capture_output=True).stdout


NOUNS = "river garden lamp library letter train market bridge".split()
ROWS = [f"the {a} is near the {b}" for a in NOUNS for b in NOUNS]


def conforms(tmp_path, embedder, **options):
    program = install(str(ROOT / embedder), str(tmp_path))
    (tmp_path / "options.json").write_text(json.dumps(options))
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps({"text": row}) + "\n" for row in ROWS))
    command = [COMMAND, "conformance", program, "--options", tmp_path / "options.json", "--sample", tmp_path / "rows.jsonl"]
    r = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert r.returncode == 0, r.stdout + r.stderr
    assert " conforms to embedder protocol 1" in r.stdout


@needs_command
@pytest.mark.skipif(not knows_conformance(), reason="bin/bertopic has no conformance command")
class TestConformance:
    def test_the_example(self, tmp_path):
        conforms(tmp_path, "examples/embedder-python/embedder.py")

    def test_scikit_learn(self, tmp_path):
        joblib = pytest.importorskip("joblib")
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.pipeline import make_pipeline

        joblib.dump(make_pipeline(TfidfVectorizer(), TruncatedSVD(4)), tmp_path / "svd.joblib")
        conforms(tmp_path, "plugins/python/sklearn/embedder.py", pipeline="svd.joblib")

    def test_gensim(self, tmp_path):
        models = pytest.importorskip("gensim.models")
        import numpy as np

        words = sorted({w for row in ROWS for w in row.split()})
        kv = models.KeyedVectors(8)
        kv.add_vectors(words, np.random.default_rng(1).normal(size=(len(words), 8)).astype(np.float32))
        kv.save_word2vec_format(str(tmp_path / "words.txt"))
        conforms(tmp_path, "plugins/python/gensim/embedder.py", model="words.txt")
