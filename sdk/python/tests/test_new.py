"""The project that `bertopic plugins new --lang python` writes: its own tests pass
as they stand, the conformance suite among them."""

import os
import pathlib
import subprocess
import sys

import pytest
from command import slow

BERTOPIC = pathlib.Path(__file__).parents[3] / "bin" / "bertopic"


@slow
@pytest.mark.skipif(not BERTOPIC.exists(), reason="bin/bertopic is not built: make build")
def test_new_project(tmp_path):
    def run(*command):
        env = dict(os.environ, BERTOPIC=str(BERTOPIC))
        r = subprocess.run([str(c) for c in command], cwd=tmp_path / "project" if (tmp_path / "project").exists() else tmp_path,
                           capture_output=True, text=True, env=env)
        assert r.returncode == 0, r.stdout + r.stderr
        return r.stdout

    run(BERTOPIC, "plugins", "new", "my-own", "--lang", "python", "--to", "project")
    run(sys.executable, "-m", "bertopic_sdk", "install", "embedder.py")
    assert "3 passed" in run(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "test_embedder.py")
    assert "bertopic_sdk" in os.listdir(tmp_path / "project" / "bertopic-sdk" / "src")
