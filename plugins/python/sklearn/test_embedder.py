"""Against scikit-learn called directly, through the protocol and through bin/bertopic."""

import pathlib

import numpy as np
import pytest
from bertopic_sdk import Refused, Status, load
from bertopic_sdk.testing import Session
from command import conforms, embed, installed, needs_command, slow

joblib = pytest.importorskip("joblib")
threadpoolctl = pytest.importorskip("threadpoolctl")
pytest.importorskip("sklearn")

from sklearn.decomposition import TruncatedSVD  # noqa: E402
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402

FILE = str(pathlib.Path(__file__).with_name("embedder.py"))
Sklearn = load(FILE)

NOUNS = "river garden lamp library letter train market bridge winter table".split()
ROWS = [f"The {NOUNS[i % 10]} and the {NOUNS[i * 7 % 10]} near {NOUNS[i * 3 % 10]} number{i % 13}" for i in range(60)]
ODD = ["", "  ", "? !", "東京 の 図書館", "STRASSE straße", "river " * 50]


def pipeline(svd=8):
    return make_pipeline(TfidfVectorizer(min_df=2), TruncatedSVD(svd)) if svd else make_pipeline(TfidfVectorizer(min_df=2))


def direct(rows, svd=8, seed=7):
    p = pipeline(svd)
    if svd:
        p.set_params(truncatedsvd__random_state=seed)
    with threadpoolctl.threadpool_limits(1):
        p.fit(rows)
        return p.transform(rows)


@pytest.fixture
def files(tmp_path):
    joblib.dump(pipeline(), tmp_path / "svd.joblib")
    joblib.dump(pipeline(0), tmp_path / "tfidf.joblib")
    joblib.dump(pipeline().fit(ROWS), tmp_path / "fitted.joblib")
    return tmp_path


def test_dense_bit_for_bit(files):
    rows = ROWS + ODD
    want = direct(rows).astype(np.float32)
    with Session(Sklearn()) as s:
        s.configure({"pipeline": "svd.joblib"}, base_dir=str(files), seed=7)
        assert s.fit(rows).dimension == 8
        have = np.concatenate([v.matrix for v in s.embed_batches(rows[i : i + 5] for i in range(0, len(rows), 5))])
        assert have.tobytes() == want.tobytes()
        state = s.save_state()
    with Session(Sklearn()) as s:
        s.configure({"pipeline": "svd.joblib"}, base_dir=str(files), seed=7)
        s.load_state(state)
        assert s.embed(rows).matrix.tobytes() == want.tobytes()
        assert s.embed_words(["river"]).matrix.shape == (1, 8)


def test_sparse_bit_for_bit(files):
    rows = ROWS + ODD
    want = direct(rows, 0)
    with Session(Sklearn()) as s:
        s.configure({"pipeline": "tfidf.joblib", "metric": "hellinger"}, base_dir=str(files))
        info = s.fit(rows)
        assert info.sparse and info.dimension == want.shape[1]
        v = s.embed(rows)
    m = v.matrix
    assert m.indptr.tolist() == want.indptr.tolist()
    want.sort_indices()
    assert m.indices.tolist() == want.indices.tolist()
    assert m.data.tobytes() == want.data.astype(np.float32).tobytes()
    assert {r - len(ROWS): s.status for r, s in v.statuses.items()} == {0: Status.EMPTY, 1: Status.EMPTY, 2: Status.OOV, 3: Status.OOV, 4: Status.OOV}


def test_a_fitted_pipeline_stays_as_it_is(files):
    with Session(Sklearn()) as s:
        info = s.configure({"pipeline": "fitted.joblib", "fit": False}, base_dir=str(files))
        assert info.dimension == 8 and not info.needs_fit and len(info.model_sha256) == 64
        want = joblib.load(files / "fitted.joblib").transform(ROWS[:9]).astype(np.float32)
        assert s.embed(ROWS[:9]).matrix.tobytes() == want.tobytes()


def test_import_path(tmp_path):
    (tmp_path / "my_pipelines.py").write_text(
        "from sklearn.feature_extraction.text import CountVectorizer\nclass Mine:\n    counts = CountVectorizer(dtype='float32')\nword = 3\n"
    )
    with Session(Sklearn()) as s:
        s.configure({"pipeline": "my_pipelines:Mine.counts", "metric": "euclidean"}, base_dir=str(tmp_path))
        assert s.fit(ROWS).dimension == CountVectorizer().fit_transform(ROWS).shape[1]
        for name, fault in [("my_pipelines:word", "int, which has no fit"), ("no_such:x", "can't be imported"), ("nothing.joblib", "no file")]:
            with pytest.raises(Refused, match=fault):
                s.configure({"pipeline": name}, base_dir=str(tmp_path))


def test_not_fitted(files):
    with Session(Sklearn()) as s:
        with pytest.raises(Refused, match="has not been fitted"):
            s.configure({"pipeline": "svd.joblib", "fit": False}, base_dir=str(files))


@needs_command
def test_through_bertopic(files, tmp_path):
    plugins = installed(FILE, tmp_path / "plugins")
    rows = ROWS + ODD
    have, statuses, _ = embed(files, plugins, "python-sklearn", rows, pipeline="svd.joblib", seed=7)
    want = direct(rows).astype(np.float32)
    ok = [i for i, s in enumerate(statuses) if s == "ok"]
    assert [s for s in statuses[len(ROWS) :]] == ["empty", "empty", "oov", "oov", "oov", "ok"]
    assert have[ok].tobytes() == want[ok].tobytes()


@slow
@needs_command
def test_conformance(files):
    conforms(files, FILE, ROWS, pipeline="svd.joblib")
