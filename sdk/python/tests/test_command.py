"""The example through bin/bertopic, against the same embedder in Go."""

import shutil
import subprocess

import pytest
from command import ROOT, embed, needs_command, slow
from bertopic_sdk import install

ROWS = [
    "The small river crosses the green garden.",
    "the small river",
    "ab",
    "",
    "   ",
    "STRASSE straße ẞ",
    "İstanbul ΣΑΣ ὈΔΥΣΣΕΎΣ Ǆ",
    "東京の図書館で本を読む",
    "a rocket 🚀 and a family 👩‍👩‍👧‍👦",
    "e\u0301 é \u202eright to left\u202c",
    "tabs\tand\nlines\r\n",
    "x" * 5000,
] + [f"document {i} of {i * i}" for i in range(40)]


@pytest.fixture(scope="module")
def in_go(tmp_path_factory):
    folder = tmp_path_factory.mktemp("go")
    subprocess.run(["go", "build", "-o", folder / "bertopic-embedder-hashing", "./examples/embedder-go"], cwd=ROOT, check=True)
    return folder


@slow
@needs_command
@pytest.mark.skipif(not shutil.which("go"), reason="go is missing")
@pytest.mark.parametrize("options", [{}, {"dimension": 37, "n": 2}])
def test_the_example_is_that_in_go(in_go, tmp_path, options):
    install(str(ROOT / "examples/embedder-python/embedder.py"), str(tmp_path / "python"))
    want, want_statuses, _ = embed(tmp_path / "a", in_go, "hashing", ROWS, **options)
    have, statuses, log = embed(tmp_path / "b", tmp_path / "python", "hashing", ROWS, **options)
    assert have.tobytes() == want.tobytes()
    assert statuses == want_statuses and statuses[3] == "empty"
    assert "mutual TLS" in log  # said, not silent
