#!/usr/bin/env python3
"""Measures the way from the host to an embedder program and back.

    python3 bench/wire.py            20,000 rows of real texts, 384 values a vector
    python3 bench/wire.py --help

The program answers with vectors that it has at hand, so that only the wire, the
host's checks and the SDK's are left; it exists in Go and in Python. The same calls
in one process, without any of these, are the zero; all-MiniLM-L6-v2 through the
same host is what the overhead is held against. Needs Python 3.11 or newer.
"""
import argparse
import json
import os
import statistics
import subprocess
import tempfile

import bench
from bench import HERE, ROOT, fail, say


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--corpus", default=os.path.join(ROOT, "data", "bbc_news.jsonl"))
    p.add_argument("--rows", type=int, default=20000)
    p.add_argument("--real", type=int, default=400, help="rows through the transformer")
    p.add_argument("--batch", type=int, default=256)
    p.add_argument("--runs", type=int, default=5)
    p.add_argument("--threads", type=int, default=0, help="of the transformer (all cores)")
    args = p.parse_args()
    if not os.path.exists(args.corpus):
        fail(f"{args.corpus} is missing: make setup")
    python = bench.peer_python("wire", "requirements-wire.txt", 0.15)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation", "--no-index", "--force-reinstall"]
    if subprocess.run([*pip, os.path.join(ROOT, "sdk", "python")]).returncode:
        fail("pip could not install sdk/python; its message is above")
    with tempfile.TemporaryDirectory() as work:
        program = {lang: os.path.join(work, lang, "bertopic-embedder-wire") for lang in ("go", "python")}
        subprocess.run(["go", "build", "-o", program["go"], "./bench/wire/embedder"], cwd=ROOT, check=True)
        subprocess.run([python, "-m", "bertopic_sdk", "install", os.path.join(HERE, "wire", "embedder.py"), "--to", os.path.dirname(program["python"])],
                       check=True, stdout=subprocess.DEVNULL)
        out = subprocess.run(["go", "run", "./bench/wire", "--corpus", args.corpus, "--rows", str(args.rows), "--real", str(args.real),
                              "--batch", str(args.batch), "--runs", str(args.runs), "--threads", str(args.threads), "--go", program["go"],
                              "--python", program["python"], "--sbert", os.path.join(ROOT, "bin", "bertopic-embedder-sbert"),
                              "--models", os.path.join(bench.user_cache(), "models")], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        if out.returncode:
            fail("the measurement failed; its message is above")
    report(json.loads(out.stdout), args)


def report(figures, args):
    micros = {f["name"]: statistics.median(f["seconds"]) / f["rows"] * 1e6 for f in figures}
    zero, real = micros["in this process"], micros["all-MiniLM-L6-v2"]
    say(f"{args.rows} texts of {os.path.basename(args.corpus)}, batches of {args.batch}, vectors of 384 values; medians of {args.runs}")
    say(f"{'':20s} {'vectors/s':>12s} {'us a vector':>12s} {'overhead':>10s} {'of MiniLM':>10s}")
    for name, us in micros.items():
        line = f"{name:20s} {1e6 / us:12.0f} {us:12.2f}"
        if us not in (zero, real):
            line += f" {us - zero:7.2f} us {100 * (us - zero) / real:9.2f}%"
        say(line)


if __name__ == "__main__":
    main()
