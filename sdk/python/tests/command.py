"""Runs bin/bertopic, for tests from the command's end."""

import csv
import gzip
import json
import os
import pathlib
import subprocess

import numpy as np
import pytest
from bertopic_sdk import install, load

ROOT = pathlib.Path(__file__).resolve().parents[3]
COMMAND = pathlib.Path(os.environ.get("BERTOPIC_COMMAND") or ROOT / "bin" / "bertopic")

needs_command = pytest.mark.skipif(not COMMAND.exists(), reason="bin/bertopic has not been built: make build")

# `make test` leaves these out: they start a program a dozen times and more.
slow = pytest.mark.slow


def installed(embedder, folder):
    """The folder of an embedder's program: one that starts this Python, or that which is being tested."""
    if os.environ.get("BERTOPIC_PROGRAM"):
        return pathlib.Path(os.environ["BERTOPIC_PROGRAM"]).parent
    return pathlib.Path(install(str(embedder), str(folder))).parent


def conforms(tmp_path, embedder, rows, **options):
    """Runs the suite of `bertopic conformance` on an embedder's file, in this environment; every must has to hold."""
    program = installed(embedder, tmp_path / "conformance") / ("bertopic-embedder-" + load(str(embedder))().describe().name)
    (tmp_path / "options.json").write_text(json.dumps(options))
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps({"text": row}) + "\n" for row in rows))
    command = [COMMAND, "conformance", program, "--options", tmp_path / "options.json", "--sample", tmp_path / "rows.jsonl"]
    r = subprocess.run(command, capture_output=True, text=True, timeout=1800)
    if os.environ.get("BERTOPIC_OUTCOME"):
        with open(os.environ["BERTOPIC_OUTCOME"], "a", encoding="utf-8") as f:
            f.write("\n".join(r.stdout.splitlines()[-2:]) + "\n")
    assert r.returncode == 0, r.stdout + r.stderr
    assert " conforms to embedder protocol 1" in r.stdout
    return r.stdout


def embed(tmp_path, plugins, plugin, rows, extra="", after="", batch_size=7, seed=42, **options):
    """The vectors of rows, their statuses, and what was printed."""
    tmp_path.mkdir(exist_ok=True)
    with open(tmp_path / "corpus.jsonl", "w", encoding="utf-8") as f:
        for row in rows:
            f.write(json.dumps({"text": row}) + "\n")
    lines = [
        f'[run]\nout = "{tmp_path}/out"\nseed = {seed}\n[corpus]\npath = "{tmp_path}/corpus.jsonl"\n[plugins]\ndir = "{plugins}"',
        f'[embedder]\nplugin = "{plugin}"\nbatch_size = {batch_size}\n{extra}\n[embedder.options]',
        *(f"{k} = {json.dumps(v)}" for k, v in options.items()),
        after,
    ]
    (tmp_path / "bertopic.toml").write_text("\n".join(lines))
    out = tmp_path / "vectors"
    r = subprocess.run(
        [COMMAND, "embed", tmp_path / "bertopic.toml", "--out", str(out) + ".npy"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert r.returncode == 0, r.stderr
    with open(str(out) + ".npy.status.csv", encoding="utf-8") as f:
        statuses = [row["status"] for row in csv.DictReader(f)]
    return np.load(str(out) + ".npy"), statuses, r.stderr


NOUNS = "river garden lamp library letter train market bridge winter table".split()
#: Plain rows, as a sample of the conformance suite.
SENTENCES = [f"The {a} is near the {b}." for a in NOUNS for b in NOUNS if a != b]
#: Rows of which most have a vector and some are strange.
ODD = [
    "",
    " \n",
    "river",
    "The small river crosses the green garden.",
    "THE SMALL RIVER crosses\tthe\n\ngreen garden .",
    "Crème brûlée, Straße, İstanbul, ﬁne ½",
    "東京の図書館は静かです。",
    "A rocket 🚀, a cat 🐈 and a family 👨‍👩‍👧 ❤️",
    "a\u200bb c\u00a0d e\u0007f \ufeffg",
    "[CLS] river [SEP] <s> lamp </s>",
    "x" * 130,
    "The old lamp lights the kitchen in the morning. " * 40,
]
#: A small model of sentence-transformers, and so one of transformers.
MINIBERT = ROOT / "plugins" / "python" / "testdata" / "minibert"
GOLDEN = ROOT.parent / "shared" / "golden" / "embedders"


def golden(path):
    """A file of golden values, or a skip."""
    file = GOLDEN / path
    if not file.exists():
        pytest.skip("the folder of golden values is not there")
    with gzip.open(file, "rt", encoding="utf-8") as f:
        return json.load(f)
