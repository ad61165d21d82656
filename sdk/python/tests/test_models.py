import numpy as np
import pytest
from bertopic_sdk import EMPTY, OOV, Refused, Settings, Status, by_row, failed, sha256_of, truncated


def settings(tmp_path, name):
    return Settings({"model": name}, base_dir=str(tmp_path / "project"), models_dir=str(tmp_path / "models"))


@pytest.fixture
def folders(tmp_path):
    for f in ["project/near", "models/sentence-transformers/mini", "models/a/both", "models/b/both", "models/a/near", "models/a/alone"]:
        (tmp_path / f).mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize(
    "name, found",
    [
        ("near", "project/near"),
        ("./near", "project/near"),
        ("mini", "models/sentence-transformers/mini"),
        ("sentence-transformers/mini", "models/sentence-transformers/mini"),
        ("a/near", "models/a/near"),
        ("alone", "models/a/alone"),
    ],
)
def test_a_model_is_found(folders, name, found):
    assert settings(folders, name).model("model") == folders / found


@pytest.mark.parametrize(
    "name, fault",
    [
        ("both", "that of several: a/both, b/both"),
        ("far", "there is no model far"),
        ("./mini", "there is no .*/project/mini"),
        ("a/../b/both", "there is no .*/project/b/both"),
        ("al*ne", "there is no .*/project/al"),
    ],
)
def test_a_model_is_not_found(folders, name, fault):
    with pytest.raises(Refused, match=fault) as e:
        settings(folders, name).model("model")
    assert e.value.option == "model"


def test_without_a_folder_of_models(tmp_path):
    with pytest.raises(Refused, match="there is no"):
        Settings({"model": "mini"}, base_dir=str(tmp_path)).model("model")


def test_hashes(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_bytes(b"abc")
    assert sha256_of(tmp_path / "a" / "x") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    before = sha256_of(tmp_path / "a")
    (tmp_path / "a" / "y").write_bytes(b"")
    assert sha256_of(tmp_path / "a") != before
    (tmp_path / "a" / "y").unlink()
    assert sha256_of(tmp_path / "a") == before
    (tmp_path / "a" / "x").rename(tmp_path / "a" / "z")
    assert sha256_of(tmp_path / "a") != before


def test_by_row():
    asked = []

    def one(text):
        asked.append(text)
        return {"bad": failed("so"), "long": (np.array([1.0, 2.0]), truncated(3)), "short": (np.array([1.0, 2.0]), truncated(0))}.get(text, np.zeros(2))

    texts = ["bad", "long", "short", "none", "", " \n", None]
    v = by_row(texts, 2, one)
    assert asked == texts[:4]
    assert v.matrix.dtype == np.float32 and v.matrix.tolist() == [[0, 0], [1, 2], [1, 2], [0, 0], [0, 0], [0, 0], [0, 0]]
    assert v.statuses == {0: failed("so"), 1: truncated(3), 3: OOV, 4: EMPTY, 5: EMPTY, 6: EMPTY}
    assert [s.status for s in by_row(["none"], 2, one, zeros=None).statuses.values()] == []
    assert v.statuses[0].status == Status.FAILED
