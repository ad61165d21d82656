"""Runs bin/bertopic, for tests from the command's end."""

import csv
import json
import os
import pathlib
import subprocess

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
COMMAND = pathlib.Path(os.environ.get("BERTOPIC_COMMAND") or ROOT / "bin" / "bertopic")

needs_command = pytest.mark.skipif(not COMMAND.exists(), reason="bin/bertopic has not been built: make build")


def embed(tmp_path, plugins, plugin, rows, extra="", batch_size=7, seed=42, **options):
    """The vectors of rows, their statuses, and what was printed."""
    tmp_path.mkdir(exist_ok=True)
    with open(tmp_path / "corpus.jsonl", "w", encoding="utf-8") as f:
        for row in rows:
            f.write(json.dumps({"text": row}) + "\n")
    lines = [
        f'[run]\nout = "{tmp_path}/out"\nseed = {seed}\n[corpus]\npath = "{tmp_path}/corpus.jsonl"\n[plugins]\ndir = "{plugins}"',
        f'[embedder]\nplugin = "{plugin}"\nbatch_size = {batch_size}\n{extra}\n[embedder.options]',
        *(f"{k} = {json.dumps(v)}" for k, v in options.items()),
    ]
    (tmp_path / "bertopic.toml").write_text("\n".join(lines))
    out = tmp_path / "vectors"
    r = subprocess.run(
        [COMMAND, "embed", tmp_path / "bertopic.toml", "--out", str(out) + ".npy"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert r.returncode == 0, r.stderr
    with open(str(out) + ".npy.status.csv", encoding="utf-8") as f:
        statuses = [row["status"] for row in csv.DictReader(f)]
    return np.load(str(out) + ".npy"), statuses, r.stderr
