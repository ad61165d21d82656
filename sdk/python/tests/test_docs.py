"""The code of docs/python-sdk.md."""

import re

import pytest
from bertopic_sdk import EMPTY, install, load
from bertopic_sdk.testing import Session
from command import ROOT, embed, needs_command


@pytest.fixture
def blocks():
    return re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "python-sdk.md").read_text(encoding="utf-8"), re.S)


@pytest.fixture
def program(blocks, tmp_path):
    file = tmp_path / "embedder.py"
    file.write_text(blocks[0])
    return str(file)


def test_the_first_embedder_and_its_test(blocks, program):
    Letters = load(program)
    names = {"Letters": Letters}
    (test,) = [b for b in blocks if "def test_" in b]
    exec(test, names)
    names["test_letters"]()
    with Session(Letters()) as s:
        s.configure()
        assert s.embed(["tea", "?"]).statuses == {1: EMPTY}


@needs_command
def test_through_bertopic(program, tmp_path):
    install(program, str(tmp_path / "plugins"))
    have, statuses, _ = embed(tmp_path / "run", tmp_path / "plugins", "letters", ["abba", "", "eel"], alphabet="abe")
    assert have.tolist() == [[2, 2, 0], [0, 0, 0], [0, 0, 2]]
    assert statuses == ["ok", "empty", "ok"]
