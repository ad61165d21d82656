#!/usr/bin/env python3
"""Measures the gensim embedder beside BERTopic's GensimBackend on gensim, in one run.

    python3 bench/words.py             BBC News (2,225 articles), GloVe 6B of 50 values, three rounds
    python3 bench/words.py --runs 1 --only ours
    python3 bench/words.py --help

Both read the same documents and the same file, word2vec's binary form of the vectors
of `go run ./setup glove`. A round is each of them once, every second round backwards;
each is bound to the same few cores. The peer lives in a virtual environment of its own in the user's
cache (XDG_CACHE_HOME is honoured), pinned by bench/requirements.txt and
requirements-words.txt. Needs Python 3.11 or newer.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

import bench
from bench import HERE, ROOT, UNWANTED, collect, dig, fail, number, say, spread
from sbert import bind

PARTS = ("ours", "peer")
TITLES = dict(ours="bertopic-embedder-gensim", peer="BERTopic's GensimBackend")
OPTIONS = dict(pooling="gensim", tokenizer="space", oov="skip")  # the peer's rule


def overlay(python):
    """The folder that goes before the peers' own packages: gensim."""
    requirements = os.path.join(HERE, "requirements-words.txt")
    folder, there, done = bench.peer_folder("words", requirements, 0.15)
    if not there:
        os.makedirs(folder)
        bench.pip_install(python, requirements, done, "--target", folder)
    return folder


def peer_env(threads, folder):
    return dict(bench.peer_environment(), PYTHONPATH=folder, OMP_NUM_THREADS=str(threads), PYTHONDONTWRITEBYTECODE="1")


def our_job(args, data, work):
    """One `bertopic embed`; returns its cost and the file of its vectors."""
    out, config, log = (os.path.join(work, "ours" + end) for end in (".npy", ".toml", ".log"))
    lines = ["[run]", f"threads = {args.threads}", f"seed = {bench.SEED}", "[corpus]", f"path = {json.dumps(data['corpus'])}", "[embedder]", 'plugin = "gensim"',
             f"batch_size = {args.batch}", "[embedder.options]", f"model = {json.dumps(data['model'])}"] + [f"{k} = {json.dumps(v)}" for k, v in OPTIONS.items()]
    with open(config, "w") as f:  # a JSON string is a TOML string
        f.write("\n".join(lines) + "\n")
    cost = bench.measured([args.binary, "embed", config, "--out", out, "--log", "json"], dict(os.environ), args.limit, log)
    cost["steps"] = {}
    with open(log, errors="replace") as f:
        for line in f:
            if line.startswith("{"):
                record = json.loads(line)
                if record.get("msg") == "step":
                    cost["steps"][record["name"]] = record["seconds"]
    if "embed" not in cost["steps"]:
        fail(f"{args.binary} embed logged no step named embed")
    cost["sha256"] = bench.sha256_of(out)
    return cost, out


def run_one(part, args, data, work, python, env):
    if part == "ours":
        cost, out = our_job(args, data, work)
        return dict(cold=cost["wall"], warm=cost["steps"]["embed"], load=cost["steps"].get("start embedder"), cpu=cost["cpu"],
                    peak_mib=cost["sum_mib"] or cost["peak_mib"], sha256=cost["sha256"], others=cost["others"], whole=cost), out
    out = os.path.join(work, "peer.npy")
    found, cost = bench.peer_job(python, "embed", dict(model=data["model"], corpus=data["corpus"], vectors=out), work, args.limit, "peer_words.py", env)
    return dict(cold=found["cold"]["wall"], warm=found["warm"]["wall"], load=found["load"]["wall"], cpu=found["cold"]["cpu"],
                peak_mib=found["cold"]["peak_mib"], others=cost["others"], whole=dict(found, process=cost)), out


def rounds(args, data, work, python, env):
    found, outs, n = {part: [] for part in args.only}, {}, data["rows"]
    for k in range(args.runs):
        say(f"round {k + 1} of {args.runs}")
        for part in args.only if k % 2 == 0 else args.only[::-1]:
            x, outs[part] = run_one(part, args, data, work, python, env)
            found[part].append(x)
            say(f"  {TITLES[part]:26s} embed {n / x['warm']:9.0f} docs/s   load {x['load']:6.2f} s   whole {x['cold']:6.2f} s   "
                f"{x['cpu']:6.2f} s CPU   {x['peak_mib']:5.0f} MiB{bench.noise(x)}")
    return found, outs


def summarise(found, n):
    return {part: dict(embed=collect([n / x["warm"] for x in runs]), load=collect([x["load"] for x in runs]), whole=collect([x["cold"] for x in runs]),
                       cpu=collect([x["cpu"] for x in runs]), memory=collect([x["peak_mib"] for x in runs])) for part, runs in found.items()}


def tables(result):
    costs = result["costs"]

    def ratio(key, more_is_better=False):
        a, b = dig(costs, "ours", key, "median"), dig(costs, "peer", key, "median")
        return f"{a / b if more_is_better else b / a:.1f}x" if a and b else "-"

    rows = [("", *(TITLES[p] for p in costs), "ours better by")]
    for title, key, unit, more in (("embedding alone", "embed", "docs/s", True), ("load the vectors", "load", "s", False),
                                   ("whole process", "whole", "s", False), ("its CPU time", "cpu", "s", False), ("its peak memory", "memory", "MiB", False)):
        rows.append((title, *(spread(c[key], unit) for c in costs.values()), ratio(key, more)))
    return [rows]


def facts(result):
    d, m, v = result["data"], result["machine"], result["versions"]
    where = f"bound to {result['threads']} cores" if result["bound"] else "not bound to cores"
    lines = [f"{d['name']}: {d['rows']:,} documents, GloVe 6B, 400,000 words of 50 values, {result['threads']} threads, {where}; median (lowest-highest) of "
             f"{result['runs']} round{'s' if result['runs'] != 1 else ''}.",
             f"{m['cpu']}, {m['cores']} cores, {m['memory_gib']} GiB, {m['system']}; load {result['load'][0]:.2f} before, {result['load'][1]:.2f} after."]
    if "peer" in v:
        lines.append(f"Python {v['peer']['python']}, BERTopic {v['peer']['bertopic']}, gensim {v['peer']['gensim']}, numpy {v['peer']['numpy']}.")
    if "ours" in v:
        lines.append(f"{v['ours']}, {v['go']}.")
        lines.append("Embedding of ours is the step `embed`: every row to the program and its vector back; the peer's is its second `embed` in the same process. "
                     "Loading of ours is the start of the program, with the cache of an earlier run; the peer's is load_word2vec_format.")
    c = result.get("compared")
    if c:
        lines.append(f"The largest difference of two values is {c['largest']:.1e}; rows of zeros: {c['zero_rows'][0]} of ours, {c['zero_rows'][1]} of the peer.")
    if result["unset"]:
        lines.append(f"{' and '.join(result['unset'])} unset for the peer.")
    others = [x["others"] for runs in result["found"].values() for x in runs if x["others"] is not None]
    if others and max(others) >= 0.15:
        lines.append(f"The machine was not quiet: other programs used up to {max(others):.1f} cores.")
    return lines


def arguments():
    p = argparse.ArgumentParser(prog="words.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rows", type=int, default=0, help="so many documents; 0: all (0)")
    p.add_argument("--runs", type=int, default=3, help="rounds (3)")
    p.add_argument("--only", default=",".join(PARTS), help="comma list of " + ", ".join(PARTS))
    p.add_argument("--threads", type=int, default=2, help="threads, and the cores that both are bound to (2)")
    p.add_argument("--batch", type=int, default=256, help="rows in a batch of ours (256, as in examples/gensim.toml)")
    p.add_argument("--data", choices=("auto", "20ng", "bbc"), default="bbc", help="corpus (bbc)")
    p.add_argument("--corpus", help="a corpus of your own: JSON lines with the key text")
    p.add_argument("--label", help="key of its classes")
    p.add_argument("--model", default=os.path.join(bench.user_cache(), "models", "kumo", "glove-6b-50d"), help="the vectors (those of `go run ./setup glove`)")
    p.add_argument("--binary", default=os.path.join(ROOT, "bin", "bertopic"), help="our program")
    p.add_argument("--limit", type=float, default=3600, help="seconds after which a process is stopped")
    p.add_argument("--keep", action="store_true", help="keep the vectors of both")
    args = p.parse_args()
    args.only = [s for s in args.only.split(",") if s]
    if unknown := [s for s in args.only if s not in PARTS]:
        fail(f"--only {unknown[0]}: there are {', '.join(PARTS)}")
    if args.runs < 1 or args.rows < 0 or args.threads < 1 or args.batch < 1 or not args.only:
        fail("--runs, --threads and --batch start at 1, --rows at 0, and --only names at least one")
    args.only = [part for part in PARTS if part in args.only]
    if not os.path.exists(args.model):
        fail(f"there are no word vectors in {args.model}: run `go run ./setup glove` first, or name a file with --model")
    if "ours" in args.only and not os.path.exists(args.binary):
        fail(f"there is no {args.binary}: run `make build` first, or --only peer")
    return args


def main():
    if sys.version_info < (3, 11) or os.name != "posix":
        fail("Python 3.11 or newer on Linux or macOS is needed")
    args = arguments()
    python = bench.peer_python()
    env = peer_env(args.threads, overlay(python))
    result = dict(runs=args.runs, only=args.only, machine=bench.machine(), threads=args.threads, bound=bind(args.threads), batch=args.batch,
                  unset=[k for k in UNWANTED if k in os.environ], versions={})
    asked = subprocess.run([python, os.path.join(HERE, "peer_words.py"), "versions", "-"], check=True, capture_output=True, text=True, env=env)
    result["versions"]["peer"] = json.loads(asked.stdout)
    if "ours" in args.only:
        result["versions"].update(ours=bench.output_of([args.binary, "version"]), go=bench.output_of(["go", "version"]))
    load = os.getloadavg()[0]
    if load > 0.5:
        say(f"The load is {load:.2f}: figures taken beside other work are not worth much.")
    corpus, label, name = bench.find_corpus(args)
    work = tempfile.mkdtemp(prefix="bertopic-bench-")
    try:
        data = dict(name=name, corpus=os.path.join(work, "corpus.jsonl"), model=os.path.join(work, "vectors.bin"))
        data["rows"] = bench.copy_corpus(corpus, data["corpus"], args.rows, label, spread=name == "BBC News")
        say("writing the vectors in word2vec's binary form")
        subprocess.run(["go", "run", "./bench/wordvectors", "-from", os.path.abspath(args.model), "-export", data["model"]], check=True, cwd=ROOT)
        say(f"{name}: {data['rows']:,} documents, {args.threads} threads")
        if "ours" in args.only:
            cost, _ = our_job(args, data, work)
            say(f"a first run of ours, which makes the cache: {cost['wall']:.2f} s")
        result["found"], outs = rounds(args, data, work, python, env)
        if len(outs) == 2:
            result["compared"], _ = bench.peer_job(python, "compare", outs, work, args.limit, "peer_words.py", env)
    finally:
        if args.keep:
            say(f"files kept in {work}")
        else:
            shutil.rmtree(work, ignore_errors=True)
    result["load"] = load, os.getloadavg()[0]
    result["data"] = dict(name=name, rows=data["rows"])
    result["costs"] = summarise(result["found"], data["rows"])
    bench.publish(result, tables(result), facts(result), "words-")


if __name__ == "__main__":
    main()
