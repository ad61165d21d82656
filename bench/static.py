#!/usr/bin/env python3
"""Measures the sbert embedder on a static table beside model2vec, in one run.

    python3 bench/static.py                 all documents, one core, three rounds
    python3 bench/static.py --rows 2000 --runs 1
    python3 bench/static.py --help

Both read one folder: wordllama's table (`go run ./setup wordllama`), which model2vec
writes in its own layout first, and the same documents. Each is bound to the same
core. The peer lives in a virtual environment of its own in the user's cache
(XDG_CACHE_HOME is honoured; 0.2 GB), pinned by bench/requirements-static.txt.
Needs Python 3.11 or newer.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

import bench
import sbert
from bench import HERE, ROOT, collect, fail, say, spread

TITLES = dict(ours="ours", model2vec="model2vec")


def peer_env(threads):
    return dict(sbert.peer_env(threads), TOKENIZERS_PARALLELISM="true" if threads > 1 else "false")


def run_one(part, args, data, work, python):
    """One side's figures of one round, named alike for both, and the file of its vectors."""
    if part == "ours":
        cost, out = sbert.our_job(args, data, work, "fp32")
        return dict(cold=cost["wall"], warm=cost["steps"]["embed"], cpu=cost["cpu"], peak_mib=cost["sum_mib"] or cost["peak_mib"], others=cost["others"]), out
    out = os.path.join(work, part + ".npy")
    found, cost = bench.peer_job(python, "encode", dict(model=args.model, corpus=data["corpus"], vectors=out), work, args.limit, "peer_static.py", peer_env(args.threads))
    return dict(cold=found["cold"]["wall"], warm=found["warm"]["wall"], cpu=found["cold"]["cpu"], peak_mib=found["cold"]["peak_mib"], others=cost["others"]), out


def tables(result):
    rows = [("", "encode alone, warm", "whole process, cold", "its CPU time", "its peak memory")]
    for part, runs in result["found"].items():
        n = result["data"]["rows"]
        rows.append((TITLES[part], spread(collect([n / x["warm"] for x in runs]), "docs/s"), spread(collect([n / x["cold"] for x in runs]), "docs/s"),
                     spread(collect([x["cpu"] for x in runs]), "s"), spread(collect([x["peak_mib"] for x in runs]), "MiB")))
    return [rows]


def facts(result):
    d, m, v, s = result["data"], result["machine"], result["versions"], result["score"]
    lines = [f"{d['name']}: {d['rows']:,} documents, wordllama's l2-supercat with 256 dimensions, {result['threads']} thread(s), "
             f"{'bound to as many cores' if result['bound'] else 'not bound to cores'}; median (lowest-highest) of {result['runs']} round(s).",
             f"{m['cpu']}, {m['cores']} cores, {m['memory_gib']} GiB, {m['system']}; load {result['load'][0]:.2f} before, {result['load'][1]:.2f} after.",
             f"model2vec {v['peer']['model2vec']}, tokenizers {v['peer']['tokenizers']}, Python {v['peer']['python']}; {v['ours']}, {v['go']}.",
             f"Largest difference of a value {s['max_abs']:.1e}; {s['over']} rows of {s['rows']:,} differ by more than 1e-6.",
             "CPU time and memory of ours are those of host and embedder together."]
    others = [x["others"] for runs in result["found"].values() for x in runs if x["others"] is not None]
    if others and max(others) >= 0.15:
        lines.append(f"The machine was not quiet: other programs used up to {max(others):.1f} cores; CPU time tells more than speed then.")
    return lines


def arguments():
    p = argparse.ArgumentParser(prog="static.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rows", type=int, default=0, help="so many documents, the first; 0: all (0)")
    p.add_argument("--runs", type=int, default=3, help="rounds (3)")
    p.add_argument("--threads", type=int, default=1, help="threads, and the cores that both are bound to (1)")
    p.add_argument("--data", choices=("auto", "20ng", "bbc"), default="auto", help="corpus (auto: 20ng where it is there)")
    p.add_argument("--corpus", help="a corpus of your own: JSON lines with the key text")
    p.add_argument("--label", help="key of its classes")
    p.add_argument("--table", default=os.path.join(bench.user_cache(), "models", "wordllama", "l2-supercat-256"), help="folder of wordllama's table")
    p.add_argument("--binary", default=os.path.join(ROOT, "bin", "bertopic"), help="our program")
    p.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a key of our configuration, as `bertopic embed --set`")
    p.add_argument("--limit", type=float, default=3600, help="seconds after which a process is stopped")
    args = p.parse_args()
    if args.runs < 1 or args.rows < 0 or args.threads < 1:
        fail("--runs and --threads start at 1, --rows at 0")
    if not os.path.exists(os.path.join(args.table, "model.safetensors")):
        fail(f"there is no table in {args.table}: run `go run ./setup wordllama` first")
    if not os.path.exists(args.binary):
        fail(f"there is no {args.binary}: run `make build` first")
    return args


def main():
    if sys.version_info < (3, 11) or os.name != "posix":
        fail("Python 3.11 or newer on Linux or macOS is needed")
    args = arguments()
    python = bench.peer_python("static", "requirements-static.txt", 0.2)
    result = dict(runs=args.runs, machine=bench.machine(), threads=args.threads, bound=sbert.bind(args.threads), set=args.set)
    asked = subprocess.run([python, os.path.join(HERE, "peer_static.py"), "versions", "-"], check=True, capture_output=True, text=True)
    result["versions"] = dict(peer=json.loads(asked.stdout), ours=bench.output_of([args.binary, "version"]), go=bench.output_of(["go", "version"]))
    load = os.getloadavg()[0]
    corpus, label, name = bench.find_corpus(args)
    work = tempfile.mkdtemp(prefix="bertopic-bench-")
    try:
        data = dict(corpus=os.path.join(work, "corpus.jsonl"))
        data["rows"] = bench.copy_corpus(corpus, data["corpus"], args.rows, label, spread=name == "BBC News")
        args.model = os.path.join(work, "model")
        bench.peer_job(python, "folder", dict(model=args.table, out=args.model), work, args.limit, "peer_static.py")
        found, outs = {part: [] for part in TITLES}, {}
        for k in range(args.runs):
            say(f"round {k + 1} of {args.runs}")
            for part in list(TITLES) if k % 2 == 0 else list(TITLES)[::-1]:
                x, outs[part] = run_one(part, args, data, work, python)
                found[part].append(x)
                say(f"  {TITLES[part]:10s} encode {data['rows'] / x['warm']:8.0f} docs/s   {x['cpu']:6.1f} s CPU{bench.noise(x)}")
        result["score"], _ = bench.peer_job(python, "score", dict(sides=[outs["ours"], outs["model2vec"]]), work, args.limit, "peer_static.py")
    finally:
        shutil.rmtree(work, ignore_errors=True)
    result.update(found=found, load=(load, os.getloadavg()[0]), data=dict(name=name, rows=data["rows"]))
    bench.publish(result, tables(result), facts(result), "static-")


if __name__ == "__main__":
    main()
