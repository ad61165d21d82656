#!/usr/bin/env python3
"""Measures the sbert embedder beside sentence-transformers, on torch and on ONNX, in one run.

    python3 bench/sbert.py                  2,000 documents, 2 threads, three rounds
    python3 bench/sbert.py --rows 200 --runs 1 --only torch,onnx
    python3 bench/sbert.py --help

All read the same documents and the same weights, all-MiniLM-L6-v2 of `make setup`.
A round is each of them once, every second round backwards; each is bound to the
same few cores. The peers live in virtual environments of their own in the user's
cache (XDG_CACHE_HOME is honoured; 6 GB, since PyPI's torch brings CUDA along),
pinned by bench/requirements-sbert*.txt. Needs Python 3.11 or newer.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

import bench
from bench import HERE, ROOT, UNWANTED, collect, dig, fail, number, say, spread

PARTS = ("fp32", "int8", "torch", "onnx")
TITLES = dict(fp32="ours, fp32", int8="ours, int8", torch="sentence-transformers, torch", onnx="sentence-transformers, ONNX")
OURS = ("fp32", "int8")
MODEL = os.path.join("sentence-transformers", "all-MiniLM-L6-v2")


# ---------------------------------------------------------------- surroundings

def onnx_overlay(python):
    """The folder that goes before the peers' own packages for backend="onnx"."""
    requirements = os.path.join(HERE, "requirements-sbert-onnx.txt")
    folder, there, done = bench.peer_folder("sbert-onnx", requirements, 0.25)
    if not there:
        os.makedirs(folder)
        bench.pip_install(python, requirements, done, "--target", folder)
    return folder


def peer_env(threads, overlay=None):
    env = bench.peer_environment()
    env.update(HF_HUB_OFFLINE="1", OMP_NUM_THREADS=str(threads), RAYON_NUM_THREADS=str(threads), PYTHONDONTWRITEBYTECODE="1")
    if overlay:
        env["PYTHONPATH"] = overlay
    return env


def bind(threads):
    """Binds this process, and so all that it starts, to so many cores; returns whether it could."""
    if not hasattr(os, "sched_setaffinity"):
        return False
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < threads:
        fail(f"--threads {threads}: there are {len(cores)} cores")
    os.sched_setaffinity(0, cores[:threads])
    return True


# ------------------------------------------------------------------------ jobs

def our_job(args, data, work, precision, corpus=None):
    """One `bertopic embed`; returns its cost, and the embed step's seconds."""
    out, config, log = (os.path.join(work, precision + end) for end in (".npy", ".toml", ".log"))
    lines = ["[run]", f"threads = {args.threads}", f"seed = {bench.SEED}", "[corpus]", f"path = {json.dumps(corpus or data['corpus'])}",
             "[embedder]", 'plugin = "sbert"', "[embedder.options]", f"model = {json.dumps(args.model)}", f"precision = {json.dumps(precision)}"]
    with open(config, "w") as f:  # a JSON string is a TOML string
        f.write("\n".join(lines) + "\n")
    sets = [x for s in args.set for x in ("--set", s)]
    cost = bench.measured([args.binary, "embed", config, "--out", out, "--log", "json", *sets], dict(os.environ), args.limit, log)
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


def prepare(args, data, work, python, overlay):
    """What a second use finds done already: our graphs in the cache, and the ONNX file of the peer."""
    few = os.path.join(work, "few.jsonl")
    bench.copy_corpus(data["corpus"], few, 8, None)
    ready = {}
    for precision in OURS:
        if precision in args.only:
            cost, _ = our_job(args, data, work, precision, few)
            ready[precision] = cost["wall"]
            say(f"8 documents, {TITLES[precision]}: {cost['wall']:.2f} s; makes the graph if it isn't in the cache")
    if "onnx" in args.only:
        if args.onnx_model:
            folder = args.onnx_model
        else:
            folder = os.path.join(work, "onnx-model")
            say("exporting the model to ONNX for the peer")
            _, cost = bench.peer_job(python, "export", dict(model=args.model, out=folder, threads=args.threads), work, args.limit,
                                     "peer_sbert.py", peer_env(args.threads, overlay))
            ready["onnx"] = cost["wall"]
        if not os.path.exists(os.path.join(folder, "onnx", "model.onnx")):
            fail(f"there is no onnx/model.onnx in {folder}")
        data["onnx"] = folder
    return ready


def run_one(part, args, data, work, python, overlay):
    """One side's figures of one round, named alike for all, and the file of its vectors."""
    if part in OURS:
        cost, out = our_job(args, data, work, part)
        return dict(cold=cost["wall"], warm=cost["steps"]["embed"], cpu=cost["cpu"], peak_mib=cost["sum_mib"] or cost["peak_mib"],
                    sha256=cost["sha256"], others=cost["others"], whole=cost), out
    out = os.path.join(work, part + ".npy")
    spec = dict(backend=part, model=data["onnx"] if part == "onnx" else args.model, corpus=data["corpus"], vectors=out, threads=args.threads,
                batch=args.batch, kwargs={})
    found, cost = bench.peer_job(python, part, spec, work, args.limit, "peer_sbert.py", peer_env(args.threads, overlay if part == "onnx" else None))
    return dict(cold=found["cold"]["wall"], warm=found["warm"]["wall"], cpu=found["cold"]["cpu"], peak_mib=found["cold"]["peak_mib"],
                sha256=bench.sha256_of(out), others=cost["others"], whole=dict(found, process=cost)), out


def rounds(args, data, work, python, overlay):
    found, outs, n = {part: [] for part in args.only}, {}, data["rows"]
    for k in range(args.runs):
        say(f"round {k + 1} of {args.runs}")
        for part in args.only if k % 2 == 0 else args.only[::-1]:
            x, outs[part] = run_one(part, args, data, work, python, overlay)
            found[part].append(x)
            say(f"  {TITLES[part]:30s} encode {n / x['warm']:7.1f} docs/s   whole {n / x['cold']:7.1f} docs/s   "
                f"{x['cpu']:7.1f} s CPU   {x['peak_mib']:6.0f} MiB{bench.noise(x)}")
    return found, outs


# --------------------------------------------------------------------- results

def summarise(found, n):
    costs = {}
    for part, runs in found.items():
        costs[part] = dict(encode=collect([n / x["warm"] for x in runs]), whole=collect([n / x["cold"] for x in runs]),
                           cpu=collect([x["cpu"] for x in runs]), memory=collect([x["peak_mib"] for x in runs]))
    return costs


def tables(result):
    costs, q = result["costs"], dig(result, "quality", "sides") or {}

    def ratio(part, key):
        base = dig(costs, "torch", key, "median")
        return f"{costs[part][key]['median'] / base:.2f}x" if base else "-"

    speed = [("", "encode alone, warm", "/ torch", "whole process, cold", "/ torch", "its CPU time", "/ torch", "its peak memory", "/ torch")]
    values = [("", "mean cosine to torch", "lowest", "largest difference", "15-NN accuracy")]
    for part in costs:
        c = costs[part]
        speed.append((TITLES[part], spread(c["encode"], "docs/s"), ratio(part, "encode"), spread(c["whole"], "docs/s"), ratio(part, "whole"),
                      spread(c["cpu"], "s"), ratio(part, "cpu"), spread(c["memory"], "MiB"), ratio(part, "memory")))
        s, t = q.get(part, {}), dig(q, part, "torch")
        values.append((TITLES[part], f"{t['mean']:.6f}" if t else "-", f"{t['low']:.6f}" if t else "-", f"{t['max_abs']:.1e}" if t else "-",
                       number(s.get("knn_accuracy"), "f")))
    return [speed, values]


def facts(result):
    d, m, v, found = result["data"], result["machine"], result["versions"], result["found"]
    where = f"bound to {result['threads']} cores" if result["bound"] else "not bound to cores"
    lines = [f"{d['name']}: {d['rows']:,} documents, all-MiniLM-L6-v2, fp32 weights, {result['threads']} threads, {where}; median (lowest-highest) of "
             f"{result['runs']} round{'s' if result['runs'] != 1 else ''}.",
             f"{m['cpu']}, {m['cores']} cores, {m['memory_gib']} GiB, {m['system']}; load {result['load'][0]:.2f} before, {result['load'][1]:.2f} after."]
    for part in ("torch", "onnx"):
        if part in v:
            p = v[part]
            names = ["sentence-transformers", "transformers", "torch"] + (["optimum-onnx", "onnxruntime"] if part == "onnx" else [])
            lines.append(f"{part}: Python {p['python']}, " + ", ".join(f"{n} {p[n]}" for n in names if n in p)
                         + f"; batches of {result['batch']}, at most {found[part][0]['whole']['max_tokens']} tokens a text.")
    if result["unset"] and ("torch" in v or "onnx" in v):
        lines.append(f"{' and '.join(result['unset'])} unset for the peers.")
    if "ours" in v:
        lines.append(f"{v['ours']}, {v['go']}." + (f" Set for ours: {', '.join(result['set'])}." if result["set"] else ""))
    ours = [p for p in OURS if p in found]
    if ours:
        lines.append("Memory of ours is the sum of the peaks of host and embedder; of the peers, that of their one process." if result["summed"]
                     else "Memory is that of the largest process.")
        lines.append("Ours gave " + " and ".join(f"{'the same bits' if len({x['sha256'] for x in found[p]}) == 1 else 'different bits'} in {p}" for p in ours)
                     + " in every round." if result["runs"] > 1 else "One round: whether bits repeat was not tried.")
    for part in ours:
        w = [x["whole"]["steps"] for x in found[part]]
        lines.append(f"{TITLES[part]}: embedder started in {statistics.median(x.get('start embedder', 0) for x in w):.2f} s, "
                     f"embed {statistics.median(x['embed'] for x in w):.2f} s.")
    for part in ("torch", "onnx"):
        if part in found:
            w = [x["whole"] for x in found[part]]
            lines.append(f"{part}'s process: import {statistics.median(x['import']['wall'] for x in w):.1f} s, load {statistics.median(x['load']['wall'] for x in w):.1f} s, "
                         f"first encode {statistics.median(x['first']['wall'] for x in w):.1f} s.")
    q = result.get("quality") or {}
    same = dig(q, "sides", "int8", "fp32")
    if same:
        lines.append(f"int8 to fp32 of ours: mean cosine {same['mean']:.6f}, lowest {same['low']:.6f}.")
    if q:
        missing = {TITLES[p]: s["without_vector"] for p, s in q["sides"].items() if s["without_vector"]}
        lines.append(f"{q['rows']:,} rows compared; 15-NN accuracy of the classes by cosine, 5-fold."
                     + (" Without a vector: " + ", ".join(f"{n} of {p}" for p, n in missing.items()) + "." if missing else ""))
    others = [x["others"] for runs in found.values() for x in runs if x["others"] is not None]
    if others and max(others) >= 0.15:
        lines.append(f"The machine was not quiet: other programs used up to {max(others):.1f} cores.")
    return lines


# ------------------------------------------------------------------------ main

def arguments():
    p = argparse.ArgumentParser(prog="sbert.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rows", type=int, default=2000, help="so many documents, the first (BBC News: evenly spaced); 0: all (2,000)")
    p.add_argument("--runs", type=int, default=3, help="rounds (3)")
    p.add_argument("--only", default=",".join(PARTS), help="comma list of " + ", ".join(PARTS))
    p.add_argument("--threads", type=int, default=2, help="threads, and the cores that all are bound to (2)")
    p.add_argument("--batch", type=int, default=32, help="texts in a batch of the peers (32, their default)")
    p.add_argument("--data", choices=("auto", "20ng", "bbc"), default="auto", help="corpus (auto: 20ng where it is there)")
    p.add_argument("--corpus", help="a corpus of your own: JSON lines with the key text")
    p.add_argument("--label", help="key of its classes, for the accuracy")
    p.add_argument("--model", default=os.path.join(bench.user_cache(), "models", MODEL), help="folder of the model (that of `make setup`)")
    p.add_argument("--onnx-model", help="folder of the same model with onnx/model.onnx (else exported by optimum)")
    p.add_argument("--binary", default=os.path.join(ROOT, "bin", "bertopic"), help="our program")
    p.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a key of our configuration, as `bertopic embed --set`")
    p.add_argument("--limit", type=float, default=3600, help="seconds after which a process is stopped")
    p.add_argument("--keep", action="store_true", help="keep the vectors of all sides")
    args = p.parse_args()
    args.only = [s for s in args.only.split(",") if s]
    if unknown := [s for s in args.only if s not in PARTS]:
        fail(f"--only {unknown[0]}: there are {', '.join(PARTS)}")
    if args.runs < 1 or args.rows < 0 or args.threads < 1 or not args.only:
        fail("--runs and --threads start at 1, --rows at 0, and --only names at least one")
    args.only = [part for part in PARTS if part in args.only]
    args.model = os.path.abspath(args.model)
    if not os.path.exists(os.path.join(args.model, "modules.json")):
        fail(f"there is no sentence-transformers model in {args.model}: run `make setup` first, or name one with --model")
    if set(OURS) & set(args.only) and not os.path.exists(args.binary):
        fail(f"there is no {args.binary}: run `make build` first, or --only torch,onnx")
    return args


def main():
    if sys.version_info < (3, 11) or os.name != "posix":
        fail("Python 3.11 or newer on Linux or macOS is needed")
    args = arguments()
    # The same interpreter scores, so it is there even for ours alone.
    python = bench.peer_python("sbert", "requirements-sbert.txt", 6, "--no-cache-dir")
    overlay = onnx_overlay(python) if "onnx" in args.only else None
    result = dict(runs=args.runs, only=args.only, machine=bench.machine(), threads=args.threads, bound=bind(args.threads), batch=args.batch, set=args.set,
                  unset=[k for k in UNWANTED if k in os.environ], versions={})
    for part in ("torch", "onnx"):
        if part in args.only:
            asked = subprocess.run([python, os.path.join(HERE, "peer_sbert.py"), "versions", "-"], check=True, capture_output=True, text=True,
                                   env=peer_env(args.threads, overlay if part == "onnx" else None))
            result["versions"][part] = json.loads(asked.stdout)
    if set(OURS) & set(args.only):
        result["versions"].update(ours=bench.output_of([args.binary, "version"]), go=bench.output_of(["go", "version"]))
    load = os.getloadavg()[0]
    if load > 0.5:
        say(f"The load is {load:.2f}: figures taken beside other work are not worth much.")
    corpus, label, name = bench.find_corpus(args)
    work = tempfile.mkdtemp(prefix="bertopic-bench-")
    try:
        data = dict(name=name, label=label, corpus=os.path.join(work, "corpus.jsonl"))
        # BBC News is in the order of its classes.
        data["rows"] = bench.copy_corpus(corpus, data["corpus"], args.rows, label, spread=name == "BBC News")
        say(f"{name}: {data['rows']:,} documents, {args.threads} threads")
        result["ready"] = prepare(args, data, work, python, overlay)
        result["found"], outs = rounds(args, data, work, python, overlay)
        say("comparing the vectors")
        result["quality"], _ = bench.peer_job(python, "score", dict(corpus=data["corpus"], label=label, sides=outs), work, args.limit,
                                              "peer_sbert.py", peer_env(args.threads))
    finally:
        if args.keep:
            say(f"files kept in {work}")
        else:
            shutil.rmtree(work, ignore_errors=True)
    result["load"] = load, os.getloadavg()[0]
    result["data"] = dict(name=name, label=label, rows=data["rows"])
    result["costs"] = summarise(result["found"], data["rows"])
    result["summed"] = any(dig(x, "whole", "sum_mib") for part in OURS for x in result["found"].get(part, []))
    bench.publish(result, tables(result), facts(result), "sbert-")


if __name__ == "__main__":
    main()
