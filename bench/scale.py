#!/usr/bin/env python3
"""Measures single steps, large corpora and sameness of results beside the peers, in one run.

    python3 bench/scale.py                       everything but the longest
    python3 bench/scale.py --quick               small sizes, no compiling peers: does it work?
    python3 bench/scale.py --only hdbscan,knn
    python3 bench/scale.py --seeds --peer-200k   BERTopic's five seeds, umap-learn at 200,000 rows too
    python3 bench/scale.py --help

Parts: limits, hdbscan, knn, hashes, growth, transform, membership, tfidf, sparse.
Ours and the peer run one after the other on the same cores. The peers are those of
bench/bench.py, with fast_hdbscan laid over (bench/requirements-scale.txt). It needs
`make build`, Go, and Python 3.11 or newer; a million rows take 6 GB of disk.
"""
import argparse
import hashlib
import json
import math
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

import bench
from bench import HERE, ROOT, SEED, dig, fail, number, say

PARTS = ("limits", "hdbscan", "knn", "hashes", "growth", "transform", "membership", "tfidf", "sparse")
PEER_SIZES = (10_000, 50_000)  # of growth; 200,000 takes umap-learn a quarter of an hour


class Size:
    """How large everything is: as the goals ask, or for a smoke run."""

    def __init__(self, quick):
        self.layout = 20_000 if not quick else 3_000       # at most so many rows of the corpus's layout
        self.points = 200_000 if not quick else 10_000     # synthetic points for the clusterer
        self.knn = 20_000 if not quick else 4_000
        self.hash_rows = 3_000 if not quick else 600
        self.hash_seeds = (1, 2, 3, 4, 5) if not quick else (1, 2)
        self.growth = (10_000, 50_000, 200_000, 1_000_000) if not quick else (1_500, 3_000, 6_000)
        self.new_rows = 100_000 if not quick else 2_000
        self.members, self.member_clusters, self.predicted = (100_000, 200, 30_000) if not quick else (5_000, 40, 1_000)
        self.peer_members, self.peer_predicted, self.peer_one = (10_000, 2_000, 20) if not quick else (2_000, 200, 3)


# ------------------------------------------------------------------ small tools

def seconds(runs, key="wall"):
    """The median of the runs of a step."""
    return statistics.median(r[key] for r in runs)


def spread(runs, key="wall"):
    values = [r[key] for r in runs]
    return bench.spread(bench.collect(values), "s")


def times(peer, ours):
    return "-" if not peer or not ours else f"{peer / ours:.1f}x"


def verdict(ok):
    return "" if ok is None else "met" if ok else "missed"


def share(x):
    return f"{100 * x:.1f} %"


def exponent(sizes, values):
    """The least-squares slope of log value over log size: value grows as size to that power."""
    if len(sizes) < 2 or min(values) <= 0:
        return None
    xs, ys = [math.log(v) for v in sizes], [math.log(v) for v in values]
    mx, my = statistics.mean(xs), statistics.mean(ys)
    return sum((x - mx) * (y - my) for x, y in zip(xs, ys)) / sum((x - mx) ** 2 for x in xs)


def told_recall(warnings):
    """The recall of neighbours that a run tells, as a warning, where its search was not exact; None: it was."""
    for w in warnings:
        if w["code"] == "neighbours" and (found := re.search(r"([0-9.]+) %", w["text"])):
            return float(found[1]) / 100
    return None


class Session:
    """One run of the benchmark: its arguments, its folder, what it has measured."""

    def __init__(self, args, work, python):
        self.args, self.work, self.python, self.size = args, work, python, Size(args.quick)
        self.goals, self.tables, self.notes, self.found, self.others = [], [], [], {}, []
        self.steps_binary = os.path.join(work, "steps")
        subprocess.run(["go", "build", "-o", self.steps_binary, "./bench/steps"], cwd=ROOT, check=True)
        self.heavy = not args.quick or args.all_peers
        self._main = None

    def path(self, *names):
        return os.path.join(self.work, *names)

    def goal(self, work, ours, peer="-", ratio="-", goal="", ok=None, quality=""):
        """One line of the table of goals, told at once."""
        line = (work, ours, peer, ratio, goal, verdict(ok), quality)
        self.goals.append(line)
        say("  " + "   ".join(x for x in line if x and x != "-"))

    def noted(self, cost):
        self.others.append(cost["others"])
        return cost

    def step(self, job, **flags):
        """One job of bench/steps."""
        result = self.path(job + ".json")
        command = [self.steps_binary, job, "-result", result] + [x for k, v in flags.items() for x in ("-" + k.replace("_", "-"), str(v))]
        cost = self.noted(bench.measured(command, dict(os.environ), self.args.limit, self.path(job + ".log")))
        with open(result) as f:
            return json.load(f), cost

    def peer(self, job, **spec):
        env = bench.peer_environment()
        env["PYTHONPATH"] = self.overlay()
        found, cost = bench.peer_job(self.python, job, spec, self.work, self.args.limit, "peer_scale.py", env)
        return found, self.noted(cost)

    def overlay(self):
        requirements = os.path.join(HERE, "requirements-scale.txt")
        folder, there, done = bench.peer_folder("scale", requirements, 0.01)
        if not there:
            os.makedirs(folder)
            bench.pip_install(self.python, requirements, done, "--target", folder)
        return folder

    def run(self, name, corpus, vectors=None, label=None, sets=(), env=None, embedder=None):
        """One `bertopic run`: its cost with its steps, and the folder of its results."""
        out, config = self.path(name), self.path(name + ".toml")
        shutil.rmtree(out, ignore_errors=True)
        lines = ["[run]", f"out = {json.dumps(out)}", f"seed = {SEED}", "[corpus]", f"path = {json.dumps(corpus)}"]
        lines += [f"class = {json.dumps(label)}"] if label else []
        lines += ["[embeddings]", f"path = {json.dumps(vectors)}"] if vectors else []
        lines += embedder or []
        with open(config, "w") as f:  # a JSON string is a TOML string
            f.write("\n".join(lines) + "\n")
        command = [self.args.binary, "run", config, "--log", "json"] + [x for s in sets for x in ("--set", s)]
        cost = self.noted(bench.measured(command, dict(os.environ, **(env or {})), self.args.limit, self.path(name + ".log")))
        with open(os.path.join(out, "run.json")) as f:
            record = json.load(f)
        cost["steps"] = {s["name"]: s["seconds"] for s in record["steps"]}
        cost["quality"], cost["recall"], cost["estimate"] = record["quality"], told_recall(record["warnings"]), None
        with open(self.path(name + ".log"), errors="replace") as f:
            for line in f:
                if line.startswith("{") and (said := json.loads(line)).get("msg") == "memory":
                    cost["estimate"] = said.get("at_least")
        return cost, out

    def main_run(self):
        """The corpus's own run, whose layout and model several parts need."""
        if self._main is None:
            self._main = self.run("main", self.data["corpus"], self.data["vectors"], self.data["label"])
        return self._main

    def synthetic(self, rows):
        folder = self.path(f"synthetic-{rows}")
        if not os.path.exists(os.path.join(folder, "vectors.npy")):
            subprocess.run(["go", "run", "./bench/synthetic", "-rows", str(rows), "-out", folder], cwd=ROOT, check=True)
        return folder


# ----------------------------------------------------------------------- parts

FLOP_PER_PAIR = 36  # of the layout in five dimensions: differences 5, square 9, force 12, gradient 10


def limits(s):
    """What the machine can do, and how far the steps of the main run are from that."""
    pace, _ = s.step("pace")
    cost, out = s.main_run()
    u, _ = s.step("umap", **{"in": s.data["vectors"]}, seed=SEED, runs=s.args.runs)
    w, _ = s.step("tfidf", **{"in": s.data["corpus"]}, out=s.path("limits.npz"), min_df=5, runs=s.args.runs)
    s.found["limits"] = dict(pace=pace, umap=u, tfidf=w, steps=cost["steps"])
    n, d, threads = u["rows"], s.data["dimension"], pace["threads"]
    peak, fused, copy, read = pace["flops"]["unfused"], pace["flops"]["fused"], pace["copy_gb_s"], pace["sum_gb_s"]
    s.notes.append(f"A core that works beside {threads - 1} other(s): {peak:.0f} GFLOP/s of float32 in registers, each product rounded before it is added, as the kernels do "
                   f"({fused:.0f} when both are one instruction), {pace['flops']['pairs']:.0f} GOP/s of 16-bit integers. All cores: copying {copy:.0f} GB/s, reading {read:.0f} GB/s. "
                   "A core's pace is taken by CPU time; limits of memory are shared out among the cores.")
    rows = [("step", "work", "seconds", "CPU seconds", "a core reaches", "its limit", "share")]

    def line(name, work, costs, done=0, limit=0, unit=""):
        wall, cpu = seconds(costs), seconds(costs, "cpu")
        rate = done / cpu if cpu > 0 else 0
        rows.append((name, work, f"{wall:.2f}", f"{cpu:.2f}" if cpu else "-", f"{rate:,.2f} {unit}" if rate else "", f"{limit:,.1f} {unit}" if limit else "",
                     share(rate / limit) if limit and rate else ""))

    # Each pair of rows once, as 16-bit integers; a block of 192 rows stays in the cache while the others pass it.
    product, passing = n * (n + 1.0) * d / 1e9, n / 192 * n * d * 2 / 2e9
    line("neighbours, exact", f"{product:,.0f} GOP; {passing:,.1f} GB through the cache", u["knn"], product, pace["flops"]["pairs"], "GOP/s")
    between = [dict(wall=a["wall"] - b["wall"], cpu=a["cpu"] - b["cpu"]) for a, b in zip(u["before_layout"], u["knn"])]
    line("graph, and start of the layout", f"{u['edges']:,} edges", between)
    line(f"layout, {u['epochs']} epochs", f"{u['pairs'] / 1e6:,.0f} M pairs x {FLOP_PER_PAIR} FLOP", u["layout"], u["pairs"] * FLOP_PER_PAIR / 1e9, peak, "GFLOP/s")
    line("", f"{u['pairs'] / 1e6:,.0f} M rows of 32 bytes, at random", u["layout"], u["pairs"] * 32 / 1e9, copy / threads, "GB/s")
    line("words: tokens, counts, tf-idf", f"{w['bytes'] / 1e6:.1f} MB of text", w["fit"], w["bytes"] / 1e9, read / threads, "GB/s")
    t = cost["steps"]
    written = sum(os.path.getsize(os.path.join(f, x)) for f, _, xs in os.walk(out) for x in xs)
    work = {"read corpus": f"{os.path.getsize(s.data['corpus']) / 1e6:.1f} MB, parsed and hashed", "read vectors": f"{os.path.getsize(s.data['vectors']) / 1e6:.1f} MB, checked and hashed",
            "cluster": f"{n:,} points in 5 dimensions", "write": f"{written / 1e6:.1f} MB"}
    for name, took in t.items():
        rows.append((f"step {name}", work.get(name, ""), f"{took:.2f}", "", "", "", ""))
    rows.append(("the whole process", "", f"{cost['wall']:.2f}", f"{cost['cpu']:.2f}", f"{cost['cpu'] / cost['wall']:.2f} cores busy", f"{threads} cores", share(cost["cpu"] / cost["wall"] / threads)))
    s.tables.append(rows)


def hdbscan(s):
    runs = s.args.runs
    _, out = s.main_run()
    layout, synthetic = s.path("layout.npy"), s.path("points.npy")
    s.peer("distinct", **{"in": os.path.join(out, "reduced.npy")}, out=layout)
    s.step("points", rows=s.size.points, out=synthetic)
    for name, points, classic in ((s.data["name"].split(",")[0], layout, True), ("synthetic", synthetic, False)):
        labels = s.path("labels.npy")
        ours, cost = s.step("hdbscan", **{"in": points}, out=labels, runs=runs)
        peer, _ = s.peer("hdbscan", **{"in": points}, ours=labels, runs=runs, hdbscan=classic)
        s.found.setdefault("hdbscan", {})[name] = dict(ours=ours, peer=peer, peak_mib=cost["peak_mib"])
        mine, fast = seconds(ours["runs"]), seconds(peer["fast"])
        same, itself = peer["ours_exact"], peer["exact_shuffled"]
        quality = (f"against hdbscan exact: ARI {same['ari']:.4f}, {share(same['same'])} of the rows alike (itself with the rows shuffled {itself['ari']:.4f}, "
                   f"{share(itself['same'])}; fast_hdbscan {peer['fast_exact']['ari']:.4f}, {share(peer['fast_exact']['same'])}); {ours['clusters']} clusters, exact {peer['shape']['exact']['clusters']}")
        s.goal(f"HDBSCAN alone, {name}, {ours['rows']:,} x 5; peer fast_hdbscan, warm", spread(ours["runs"]), spread(peer["fast"]), times(fast, mine),
               ">= 2x, same partition", fast >= 2 * mine and same["ari"] >= min(0.999, itself["ari"] - 0.002), quality)
        if classic:
            s.goal("  the same; peer hdbscan, warm, one job", spread(ours["runs"]), spread(peer["hdbscan"]), times(seconds(peer["hdbscan"]), mine))


def knn(s):
    rows = s.size.knn
    folder = s.synthetic(rows)
    out = s.path("neighbours.npy")
    ours, _ = s.step("knn", **{"in": os.path.join(folder, "vectors.npy")}, k=16, out=out, runs=s.args.runs)
    peer, _ = s.peer("knn", **{"in": os.path.join(folder, "vectors.npy")}, ours=out, k=16, runs=s.args.runs, pynndescent=s.heavy)
    s.found["knn"] = dict(ours=ours, peer=peer)
    mine, brute = seconds(ours["runs"]), seconds(peer["numpy"])
    done = rows * (rows + 1.0) * ours["columns"] / 1e9 / mine
    pairs, fused = (ours["threads"] * ours["pace"][x] for x in ("pairs", "fused"))
    busy = seconds(ours["runs"], "cpu") / mine / ours["threads"]
    part = (f"{done:.0f} GOP/s, each pair once: {share(done / fused)} of the {fused:.0f} GFLOP/s that fused float32 multiply-adds in registers reach on {ours['threads']} cores, "
            f"{share(done / pairs)} of the {pairs:.0f} of 16-bit integers, which all pairs are compared as; the cores were its own for {share(busy)}" if pairs else f"{done:.0f} GOP/s; the peak of this processor is not known")
    s.goal(f"exact neighbours, {rows:,} x {ours['columns']}, k = 16; peer numpy (BLAS), blocks of 2,000", spread(ours["runs"]), spread(peer["numpy"]), times(brute, mine),
           ">= 60 % of the peak of the product", done >= 0.6 * fused if fused else None, f"{part}; recall {ours_recall(peer)}")
    if "pynndescent" in peer:
        s.goal("  the same; peer pynndescent, warm", spread(ours["runs"]), spread(peer["pynndescent"]), times(seconds(peer["pynndescent"]), mine),
               quality=f"recall {peer['pynndescent_recall']:.3f}; its first call, on 5,000 rows, {peer['pynndescent_first']['wall']:.1f} s")


def ours_recall(peer):
    return f"{peer['ours_recall']:.4f} (numpy {peer['numpy_recall']:.4f})"


def hashes(s):
    """One hash a seed, whatever the threads and the instructions; ARI between seeds."""
    corpus, vectors = s.path("hash.jsonl"), s.path("hash.npy")
    rows = bench.cut_npy(s.data["vectors"], vectors, s.size.hash_rows)[0]
    with open(s.data["corpus"], encoding="utf-8") as f, open(corpus, "w", encoding="utf-8") as g:
        for _, line in zip(range(rows), f):
            g.write(line)
    seen, runs = {}, 0
    for seed in s.size.hash_seeds:
        for threads in (1, 2, 3):
            for simd in ("off", "avx2", "avx512"):
                _, out = s.run("hash", corpus, vectors, sets=(f"run.seed={seed}", f"run.threads={threads}"), env=dict(BERTOPIC_SIMD=simd))
                h = hashlib.sha256()
                for name in ("documents.csv", "topics.csv", "reduced.npy"):
                    with open(os.path.join(out, name), "rb") as f:
                        h.update(f.read())
                seen.setdefault(seed, {}).setdefault(h.hexdigest()[:12], []).append(f"{threads} {simd}")
                runs += 1
    s.found["hashes"] = seen
    odd = {k: v for k, v in seen.items() if len(v) > 1}
    s.goal(f"{runs} runs of {rows:,} rows: seeds {', '.join(map(str, seen))} x threads 1, 2, 3 x SIMD off, avx2, avx512", f"{sum(map(len, seen.values()))} hashes",
           goal="one a seed, all different", ok=not odd and len({h for v in seen.values() for h in v}) == len(seen),
           quality="documents.csv, topics.csv and reduced.npy" + (f"; differ: {odd}" if odd else ""))
    if s.args.seeds:
        seeds(s)


def seeds(s):
    numbers = s.size.hash_seeds
    costs, files = [], []
    for seed in numbers:
        cost, out = s.run(f"seed-{seed}", s.data["corpus"], s.data["vectors"], sets=(f"run.seed={seed}",))
        costs.append(cost)
        files.append(os.path.join(out, "documents.csv"))
    ours, _ = s.peer("agreement", files=files)
    made, _ = s.peer("seeds", corpus=s.data["corpus"], vectors=s.data["vectors"], seeds=numbers, out=s.path("peer-seeds"))
    peer, _ = s.peer("agreement", files=[s.path("peer-seeds", str(x), "documents.csv") for x in numbers])
    s.found["seeds"] = dict(ours=ours, peer=peer, costs=made["costs"])
    s.goal(f"mean ARI between {len(numbers)} seeds, {s.data['rows']:,} rows, outliers as one cluster; peer BERTopic", f"{ours['ari']:.3f}", f"{peer['ari']:.3f}",
           goal="not below the peer's", ok=ours["ari"] >= peer["ari"],
           quality=f"rows with a topic in both: {ours['ari_inside']:.3f}, peer {peer['ari_inside']:.3f}; topics {min(ours['clusters'])}-{max(ours['clusters'])}, "
                   f"peer {min(peer['clusters'])}-{max(peer['clusters'])}; outliers {share(statistics.mean(ours['outliers']))}, peer {share(statistics.mean(peer['outliers']))}")


def growth(s):
    sizes = s.args.sizes or s.size.growth
    peers = [n for n in sizes if s.heavy and (s.args.quick or n in PEER_SIZES or s.args.peer_200k and n == 200_000)]
    costs, steps = {}, []
    for n in sizes:
        folder = s.synthetic(n)
        corpus, vectors = os.path.join(folder, "corpus.jsonl"), os.path.join(folder, "vectors.npy")
        cost, out = s.run(f"grown-{n}", corpus, vectors, "class", sets=("run.memory=4GiB",) if n == 1_000_000 else ())
        sides, peer = dict(ours=out), None
        if n in peers:
            peer, _ = s.peer("umap", vectors=vectors, out=s.path(f"peer-{n}"))
            sides["peer"] = s.path(f"peer-{n}")
        quality, _ = s.peer("classes", corpus=corpus, sides=sides)
        costs[n] = dict(ours=cost, peer=peer, quality=quality)
        steps += [x for x in cost["steps"] if x not in steps]
        grown_goal(s, n, cost, peer, quality)
        if not s.args.keep and not s.args.work:
            shutil.rmtree(folder)
            shutil.rmtree(out)
    s.found["growth"] = costs
    rows = [("step", *(f"{n:,}" for n in sizes), "grows as n to the power of")]
    lines = [("whole process", [costs[n]["ours"]["wall"] for n in sizes], "s")]
    lines += [(x, [costs[n]["ours"]["steps"].get(x, 0) for n in sizes], "s") for x in steps]
    lines += [("peak memory", [costs[n]["ours"]["peak_mib"] for n in sizes], "MiB")]
    for name, values, unit in lines:
        if unit == "s" and max(values) < 0.05:
            continue
        e = exponent(sizes, values)
        rows.append((name, *(number(v, unit) for v in values), "-" if e is None else f"{e:.2f}"))
    s.tables.append(rows)


def grown_goal(s, n, cost, peer, quality):
    q = quality["ours"]
    text = f"NMI with the classes {q['nmi']:.3f}, outliers {share(q['outlier_share'])} (noise is {share(0.1)}), {q['topics']} topics"
    text += ", neighbours " + ("exact" if cost["recall"] is None else f"with a recall of {cost['recall']:.3f}")
    text += f"; memory estimated {cost['estimate']}" if cost["estimate"] else ""
    goal, ok = "", None
    if n == 1_000_000:
        goal, ok = "< 4 GiB, as [run] memory asks", cost["peak_mib"] < 4096
    theirs, ratio = "-", "-"
    if peer:
        spent = peer["umap"]["wall"] + peer["hdbscan"]["wall"]
        theirs, ratio = f"{number(spent, 's')}, {peer['peak_mib']:,.0f} MiB", times(spent, cost["wall"])
        p = quality["peer"]
        text += f"; peer: NMI {p['nmi']:.3f}, outliers {share(p['outlier_share'])}, {p['topics']} topics" + (f", recall {peer['recall']:.3f}" if "recall" in peer else "")
        if n == 200_000:
            goal, ok = "<= 1/4 of the peer's time", spent >= 4 * cost["wall"]
    s.goal(f"{n:,} x 384 synthetic, the whole process; peer umap-learn + hdbscan alone, warm", f"{number(cost['wall'], 's')}, {cost['peak_mib']:,.0f} MiB", theirs, ratio, goal, ok, text)


def transform(s):
    cost, out = s.main_run()
    folder = s.path("new")
    s.step("near", **{"in": s.data["vectors"]}, rows=s.size.new_rows, out=folder)
    vectors = os.path.join(folder, "vectors.npy")
    found, _ = s.step("transform", **{"in": vectors}, model=os.path.join(out, "model"), sample=200, runs=s.args.runs)
    command = [s.args.binary, "transform", os.path.join(out, "model"), os.path.join(folder, "corpus.jsonl"), "--embeddings", vectors, "--out", s.path("placed")]
    whole = s.noted(bench.measured(command, dict(os.environ), s.args.limit, s.path("transform.log")))
    s.found["transform"] = dict(found, whole=whole)
    took, cores = seconds(found["runs"]), found["threads"]
    rate = found["rows"] / took / cores
    s.goal(f"transform of {found['rows']:,} new rows against {s.data['rows']:,}", spread(found["runs"]), goal=">= 2,000 rows/s a core, same bits one by one",
           ok=rate >= 2000 and found["differ"] == 0,
           quality=f"{rate:,.0f} rows/s a core ({found['rows'] / seconds(found['runs'], 'cpu'):,.0f} a CPU second); of {found['sample']} rows done alone {found['differ']} differ; "
                   f"outliers {share(found['outlier_share'])}; `bertopic transform` from start to exit {whole['wall']:.1f} s, {whole['peak_mib']:,.0f} MiB")


def membership(s):
    z = s.size
    many, few, new = s.path("many.npy"), s.path("few.npy"), s.path("fresh.npy")
    s.step("points", rows=z.members, clusters=z.member_clusters, out=many)
    s.step("points", rows=z.peer_members, clusters=z.member_clusters, seed=43, out=few)
    s.step("points", rows=z.predicted, clusters=z.member_clusters, seed=44, out=new)
    ours, _ = s.step("membership", **{"in": many}, queries=new, runs=s.args.runs)
    small, _ = s.step("membership", **{"in": few}, queries=new, out=s.path("shares.npy"), runs=s.args.runs)
    peer, _ = s.peer("membership", **{"in": few}, queries=new, ours=s.path("shares.npy"), new=z.peer_predicted, one=z.peer_one)
    s.found["membership"] = dict(ours=ours, small=small, peer=peer)
    up = peer["all"]["wall"] * z.members / peer["rows"]
    d = peer.get("difference")
    mine = seconds(ours["all"])
    s.goal(f"membership vectors, {ours['rows']:,} rows x {ours['clusters']} clusters; peer hdbscan, {peer['rows']:,} rows x {peer['clusters']} measured",
           spread(ours["all"]), f"{number(up, 's')} ({number(peer['all']['wall'], 's')} measured)", times(up, mine), "seconds", mine < 60,
           f"the peer's time is taken to grow with the rows; on its {peer['rows']:,} rows ours take {number(seconds(small['all']), 's')}; labels alike {share(peer['fit']['same'])}"
           + (f", vectors differ by more than 1e-6 in {share(d['over'])} of the rows, median {d['median']:.0e}" if d else ""))
    up = peer["predict"]["wall"] * z.predicted / peer["new"]
    mine = seconds(small["predict"])
    s.goal(f"approximate_predict, {z.predicted:,} rows against {peer['rows']:,}; peer hdbscan, {peer['new']:,} rows measured",
           spread(small["predict"]), f"{number(up, 's')} ({number(peer['predict']['wall'], 's')} measured)", times(up, mine), "seconds", mine < 60,
           f"against {ours['rows']:,} rows {number(seconds(ours['predict']), 's')}; labels alike {share(peer['predicted']['same'])}")
    up = peer["predict_membership"]["wall"] * z.predicted / peer["one"]
    mine = seconds(small["predict_membership"])
    s.goal(f"membership vectors of {z.predicted:,} new rows; peer hdbscan, {peer['one']} rows measured", spread(small["predict_membership"]),
           f"{number(up, 's')} ({number(peer['predict_membership']['wall'], 's')} measured)", times(up, mine), "seconds", mine < 60,
           f"against {ours['rows']:,} rows x {ours['clusters']} clusters {number(seconds(ours['predict_membership']), 's')}")


def tfidf(s):
    ours, _ = s.step("tfidf", **{"in": s.data["corpus"]}, out=s.path("tfidf.npz"), min_df=5, runs=s.args.runs)
    alone, _ = s.step("tfidf", **{"in": s.data["corpus"]}, out=s.path("tfidf-1.npz"), min_df=5, runs=s.args.runs, threads=1)
    peer, _ = s.peer("tfidf", corpus=s.data["corpus"], ours=s.path("tfidf.npz"), min_df=5, runs=s.args.runs)
    s.found["tfidf"] = dict(ours=ours, alone=alone, peer=peer)
    quality = f"{ours['rows']:,} x {ours['terms']:,}, {ours['values']:,} values; " + (
        f"terms and places are the same, values within {peer['difference']:.0e} (float32)" if peer["same"] else "the matrices differ")
    for name, part in (("fit and transform", "fit"), ("transform", "transform")):
        mine, theirs = seconds(ours[part]), seconds(peer[part])
        s.goal(f"TfidfVectorizer(min_df=5), {name}; peer scikit-learn", spread(ours[part]), spread(peer[part]), times(theirs, mine), ">= 5x", theirs >= 5 * mine and peer["same"],
               f"one thread {number(seconds(alone[part]), 's')}" + (f"; {quality}" if part == "fit" else ""))


def sparse(s):
    """Sparse tf-idf rows under the Hellinger distance, from texts to topics."""
    plugin = ["[plugins]", f"dir = {json.dumps(os.path.dirname(s.args.binary))}", "[embedder]", 'plugin = "tfidf"', "batch_size = 1024", "[embedder.options]", "min_df = 5"]
    cost, out = s.run("sparse", s.data["corpus"], label=s.data["label"], embedder=plugin)
    # The very matrix, for the peer; both read it as it is.
    matrix = s.path("sparse.npz")
    s.noted(bench.measured([s.args.binary, "embed", s.path("sparse.toml"), "--out", matrix], dict(os.environ), s.args.limit, s.path("embed.log")))
    read, folder = s.run("sparse-read", s.data["corpus"], matrix, s.data["label"])
    s.found["sparse"] = dict(ours=cost, read=read)
    if not s.heavy:
        s.goal(f"sparse tf-idf, Hellinger, {s.data['rows']:,} documents, the whole process; the peer is not in --quick", number(cost["wall"], "s"),
               quality="steps: " + ", ".join(f"{k} {number(v, 's')}" for k, v in cost["steps"].items() if v >= 0.005))
        return
    peer, _ = s.peer("sparse", corpus=s.data["corpus"], matrix=matrix, out=s.path("peer-sparse"), fits=2)
    score, _ = s.peer("sparse_score", corpus=s.data["corpus"], label=s.data["label"], matrix=matrix, sides=dict(ours=folder, peer=s.path("peer-sparse")))
    s.found["sparse"].update(peer=peer, score=score)

    def told(q):
        return (f"{q['clusters']} topics, outliers {share(q['outlier_share'])}, trustworthiness {q['trustworthiness']:.3f}, NMI {q['nmi_all']:.3f} all, "
                f"{q.get('nmi_inside', 0):.3f} inside, NPMI {q['npmi'] or 0:.3f}, not placed {q['not_placed']}")
    s.goal(f"sparse tf-idf, Hellinger, {s.data['rows']:,} documents, matrix given, the whole process; peer BERTopic, cold", number(read["wall"], "s"), number(peer["cold"]["wall"], "s"),
           times(peer["cold"]["wall"], read["wall"]), ">= 10x", peer["cold"]["wall"] >= 10 * read["wall"], f"{told(score['ours'])}; peer: {told(score['peer'])}")
    s.goal("  the same; peer BERTopic, warm (no start, no compiling, no files)", number(read["wall"], "s"), number(peer["warm"]["wall"], "s"), times(peer["warm"]["wall"], read["wall"]),
           quality=f"with tf-idf by our embedder, from texts: {number(cost['wall'], 's')}")


# --------------------------------------------------------------------- results

def facts(result, s):
    m, v = result["machine"], result["versions"]
    lines = [f"{s.data['name']}: {s.data['rows']:,} documents x {s.data['dimension']}; medians (lowest-highest) of {s.args.runs} run(s) where a spread is given, else one run.",
             f"{m['cpu']}, {m['cores']} cores, {m['memory_gib']} GiB, {m['system']}; load {result['load'][0]:.2f} before, {result['load'][1]:.2f} after.",
             "Python {python}, umap-learn {umap-learn}, hdbscan {hdbscan}, fast_hdbscan {fast_hdbscan}, pynndescent {pynndescent}, numba {numba}, numpy {numpy}, "
             "scikit-learn {scikit-learn}, bertopic {bertopic}.".format(**v["peer"]),
             f"{v['ours']}, {v['go']}."] + s.notes
    others = [x for x in s.others if x is not None]
    if others and max(others) >= 0.15:
        lines.append(f"The machine was not quiet: other programs used up to {max(others):.1f} cores.")
    return lines


def arguments():
    p = argparse.ArgumentParser(prog="scale.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--quick", action="store_true", help="small sizes, one run, without the peers that compile for a minute")
    p.add_argument("--only", help="comma list of " + ", ".join(PARTS))
    p.add_argument("--runs", type=int, help="runs of a step (3; with --quick 1)")
    p.add_argument("--rows", type=int, help="first so many documents of the corpus (all; with --quick 2,000)")
    p.add_argument("--sizes", help="comma list of sizes for growth (10000,50000,200000,1000000)")
    p.add_argument("--seeds", action="store_true", help="five seeds of the whole corpus, ours and BERTopic's (minutes)")
    p.add_argument("--peer-200k", action="store_true", help="umap-learn and hdbscan at 200,000 rows too (a quarter of an hour)")
    p.add_argument("--all-peers", action="store_true", help="with --quick: the peers that compile for a minute, too")
    p.add_argument("--data", choices=("auto", "20ng", "bbc"), default="auto", help="corpus (auto: 20ng where it is there)")
    p.add_argument("--corpus", help="a corpus of your own: JSON lines with the key text")
    p.add_argument("--vectors", help="its vectors, .npy of float32")
    p.add_argument("--label", help="key of its classes, for the quality figures")
    p.add_argument("--binary", default=os.path.join(ROOT, "bin", "bertopic"), help="our program; the tfidf embedder is beside it")
    p.add_argument("--limit", type=float, default=7200, help="seconds after which a process is stopped")
    p.add_argument("--work", help="folder for the files, kept and used again (a temporary one)")
    p.add_argument("--keep", action="store_true", help="keep the temporary folder")
    args = p.parse_args()
    args.runs = args.runs or (1 if args.quick else 3)
    args.rows = args.rows or (2000 if args.quick else 0)
    args.only = [x for x in (args.only or ",".join(PARTS)).split(",") if x]
    try:
        args.sizes = [int(x) for x in args.sizes.split(",")] if args.sizes else None
    except ValueError:
        fail(f"--sizes {args.sizes}: say numbers of rows, as in 10000,50000")
    if unknown := [x for x in args.only if x not in PARTS]:
        fail(f"--only {unknown[0]}: there are {', '.join(PARTS)}")
    if not os.path.exists(args.binary):
        fail(f"there is no {args.binary}: run `make build` first")
    args.binary = os.path.abspath(args.binary)
    return args


def main():
    if sys.version_info < (3, 11) or os.name != "posix":
        fail("Python 3.11 or newer on Linux or macOS is needed")
    args = arguments()
    python = bench.peer_python()
    load = os.getloadavg()[0]
    if load > 0.5:
        say(f"The load is {load:.2f}: figures taken beside other work are not worth much.")
    work = os.path.abspath(args.work) if args.work else tempfile.mkdtemp(prefix="bertopic-bench-")
    os.makedirs(work, exist_ok=True)
    try:
        s = Session(args, work, python)
        env = dict(bench.peer_environment(), PYTHONPATH=s.overlay())
        asked = subprocess.run([python, os.path.join(HERE, "peer_scale.py"), "versions", "-"], check=True, capture_output=True, text=True, env=env)
        result = dict(only=args.only, runs=args.runs, quick=args.quick, machine=bench.machine(), seed=SEED,
                      versions=dict(peer=json.loads(asked.stdout), ours=bench.output_of([args.binary, "version"]), go=bench.output_of(["go", "version"])))
        s.data = bench.prepare(args, work, python)
        say(f"{s.data['name']}: {s.data['rows']:,} documents x {s.data['dimension']}")
        for part in args.only:
            say(part)
            globals()[part](s)
    finally:
        if args.keep or args.work:
            say(f"files kept in {work}")
        else:
            shutil.rmtree(work, ignore_errors=True)
    result["load"], result["others"] = (load, os.getloadavg()[0]), s.others
    result["found"], result["goals"] = s.found, s.goals
    result["data"] = dict(name=s.data["name"], rows=s.data["rows"])
    goals = [[("", "ours", "peer", "peer / ours", "goal", "")] + [g[:-1] for g in s.goals], [("", "quality")] + [(g[0], g[-1]) for g in s.goals if g[-1]]]
    tables = [t for t in goals if len(t) > 1] + s.tables
    bench.publish(result, tables, facts(result, s), "scale-")


if __name__ == "__main__":
    main()
