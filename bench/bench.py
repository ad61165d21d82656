#!/usr/bin/env python3
"""Measures bin/bertopic beside BERTopic, umap-learn and hdbscan in one run.

    python3 bench/bench.py             the whole benchmark, three rounds
    python3 bench/bench.py --quick     2,000 documents, one round: does it work?
    python3 bench/bench.py --help

Both sides read the same files: a corpus in JSON lines and a matrix of vectors.
A round is ours, the peers, ours again. The peers live in a virtual environment
of their own in the user's cache (XDG_CACHE_HOME is honoured), pinned by
bench/requirements.txt. Needs Python 3.11 or newer, and nothing but its library.
"""
import argparse
import gzip
import hashlib
import json
import os
import platform
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
RESULTS = os.path.join(HERE, "results")
PARTS = ("ours", "bertopic", "umap", "hdbscan")
SEED = 42
# Settings of OpenBLAS that a user may have for other programs; they slow numpy
# down on machines they weren't made for, so the peers run without them.
UNWANTED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


def fail(message):
    sys.exit("bench: " + message)


def say(message=""):
    print(message, flush=True)


# ---------------------------------------------------------------- surroundings

def user_cache():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), "Library/Caches" if sys.platform == "darwin" else ".cache")
    return os.path.join(base, "bertopic")


def cache_folder():
    path = os.path.join(user_cache(), "bench")
    os.makedirs(path, exist_ok=True)
    return path


def peer_environment():
    return {k: v for k, v in os.environ.items() if k not in UNWANTED}


def peer_folder(kind, requirements, size):
    """A folder for what a file of requirements lists, named for its contents; whether it's installed there; the mark that says so."""
    with open(requirements, "rb") as f:
        key = hashlib.sha256(f.read() + sys.version.encode()).hexdigest()[:12]
    folder = os.path.join(cache_folder(), kind + "-" + key)
    done = os.path.join(folder, "installed")
    there = os.path.exists(done)
    if not there:
        free = shutil.disk_usage(cache_folder()).free / 1e9
        if free < 1.5 * size:
            fail(f"{cache_folder()} has {free:.1f} GB free; installing the peers takes {1.5 * size:.1f} GB for a while and {size} GB in the end. "
                 "XDG_CACHE_HOME can name another place")
        say(f"installing the peers into {folder} (once, some {size} GB)")
        shutil.rmtree(folder, ignore_errors=True)
    return folder, there, done


def pip_install(python, requirements, done, *more):
    pip = subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes",
                          "--prefer-binary", *more, "-r", requirements])
    if pip.returncode:
        fail("pip could not install the peers; its message is above")
    with open(done, "w") as f:
        f.write("whole\n")


def peer_python(kind="peers", requirements="requirements.txt", size=0.65, *more):
    """The interpreter of the peers' environment, installed on first use; size in GB, more options of pip."""
    requirements = os.path.join(HERE, requirements)
    venv, there, done = peer_folder(kind, requirements, size)
    python = os.path.join(venv, "bin", "python")
    if not there:
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        pip_install(python, requirements, done, *more)
    return python


def machine():
    cpu = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as f:
            cpu = next(line.split(":", 1)[1].strip() for line in f if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return dict(cpu=cpu, cores=cores, memory_gib=round(memory, 1), system=f"{platform.system()} {platform.release()} {platform.machine()}")


def busy_seconds():
    """CPU seconds that the whole machine has spent, or None where that can't be read."""
    try:
        with open("/proc/stat") as f:
            v = [int(x) for x in f.readline().split()[1:9]]
        return (v[0] + v[1] + v[2] + v[5] + v[6]) / os.sysconf("SC_CLK_TCK")
    except OSError:
        return None


class Tree(threading.Thread):
    """The memory of a process and all that it starts, from /proc, ten times a second.

    sum_mib adds up each process's own peak, so it is at least the true peak of
    all together; pages that processes share count in each. None without /proc.
    """

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.root, self.peaks, self.over = pid, {}, threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(0.1):
            pids = [self.root]
            while pids:
                pid = pids.pop()
                try:
                    with open(f"/proc/{pid}/status") as f:
                        peak = next((int(line.split()[1]) for line in f if line.startswith("VmHWM:")), 0)
                    for task in os.listdir(f"/proc/{pid}/task"):
                        with open(f"/proc/{pid}/task/{task}/children") as f:
                            pids += map(int, f.read().split())
                except OSError:  # it ended meanwhile, or there is no /proc
                    continue
                self.peaks[pid] = max(peak, self.peaks.get(pid, 0))

    def stop(self):
        self.over.set()
        self.join()
        peaks = [p for p in self.peaks.values() if p]
        return dict(sum_mib=sum(peaks) / 1024 if peaks else None, processes=len(peaks))


def measured(command, env, limit, log):
    """Runs a command to its end: wall and CPU seconds, peak memory, and how many cores others kept busy.

    peak_mib is the kernel's figure, that of the largest process; sum_mib is that of Tree.
    """
    busy, start = busy_seconds(), time.monotonic()
    with open(log, "wb") as f:
        p = subprocess.Popen(command, stdout=f, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=env)
        timer, tree = threading.Timer(limit, p.kill), Tree(p.pid)
        timer.start()
        try:
            _, status, ru = os.wait4(p.pid, 0)
        except BaseException:
            p.kill()
            raise
        finally:
            timer.cancel()
            memory = tree.stop()
        p.returncode = os.waitstatus_to_exitcode(status)
    wall, cpu = time.monotonic() - start, ru.ru_utime + ru.ru_stime
    if p.returncode:
        with open(log, errors="replace") as f:
            tail = f.read()[-3000:]
        why = f"was stopped after {limit:.0f} s" if wall >= limit else f"ended with code {p.returncode}"
        fail(f"{' '.join(command)} {why}:\n{tail}")
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    others = None if busy is None else max(0.0, busy_seconds() - busy - cpu) / wall
    return dict(wall=wall, cpu=cpu, peak_mib=ru.ru_maxrss / unit, others=others, **memory)


# ------------------------------------------------------------------------ data

def find_corpus(args, *beside):
    """The corpus, the key of its classes and its name; 20 Newsgroups only with the files beside it that are named."""
    if args.corpus:
        return args.corpus, args.label, os.path.basename(args.corpus)
    data = os.path.join(os.path.dirname(ROOT), "shared", "data")
    news = [os.path.join(data, name) for name in ("20ng.jsonl.gz", *beside)]
    if args.data in ("auto", "20ng"):
        if all(map(os.path.exists, news)):
            return news[0], "label", "20 Newsgroups"
        if args.data == "20ng":
            fail("20 Newsgroups needs " + " and ".join(news))
    bbc = os.path.join(ROOT, "data", "bbc_news.jsonl")
    if not os.path.exists(bbc):
        fail("there is no data/bbc_news.jsonl: run `make setup` first")
    return bbc, "class", "BBC News"


def find_data(args):
    """The corpus, its vectors (None: to be made), the key of its classes and its name."""
    if args.corpus and not args.vectors:
        fail("--corpus needs --vectors, a .npy of float32 with a row a document")
    corpus, label, name = find_corpus(args, "20ng_minilm.npy")
    if args.corpus:
        return corpus, args.vectors, label, name
    if name == "BBC News":
        return corpus, None, label, "BBC News, TF-IDF + SVD"
    return corpus, os.path.join(os.path.dirname(corpus), "20ng_minilm.npy"), label, "20 Newsgroups, all-MiniLM-L6-v2"


def read_rows(path, limit):
    rows = []
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8") as f:
        for line in f:
            if limit and len(rows) == limit:
                break
            if line.strip():
                rows.append(json.loads(line))
    return rows


def cut_npy(source, target, limit):
    """Copies the first limit rows of a .npy file (all: 0); returns its shape."""
    with open(source, "rb") as f:
        if f.read(6) != b"\x93NUMPY":
            fail(f"{source} is not a .npy file")
        major = f.read(2)[0]
        size = struct.unpack("<H" if major == 1 else "<I", f.read(2 if major == 1 else 4))[0]
        header = f.read(size).decode("latin1")
        if "'fortran_order': False" not in header or "'<f4'" not in header or header.count("(") != 1:
            fail(f"{source}: want rows of little-endian float32, got {header.strip()}")
        n, d = (int(s) for s in header[header.index("(") + 1:header.index(")")].split(",")[:2])
        n = min(n, limit) if limit else n
        head = ("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }" % (n, d)).encode()
        head += b" " * (-(len(head) + 11) % 64) + b"\n"
        with open(target, "wb") as out:
            out.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head)
            left = 4 * n * d
            while left:
                chunk = f.read(min(left, 1 << 22))
                if not chunk:
                    fail(f"{source} ends too early")
                out.write(chunk)
                left -= len(chunk)
    return n, d


def copy_corpus(corpus, target, limit, label, spread=False):
    """Writes limit rows as plain JSON lines, so that nobody pays for unpacking: the first, or evenly spaced ones. Returns how many."""
    rows = read_rows(corpus, 0 if spread else limit)
    if spread and 0 < limit < len(rows):
        rows = [rows[i * len(rows) // limit] for i in range(limit)]
    if not rows:
        fail(f"{corpus} has no rows")
    if label and label not in rows[0]:
        fail(f"{corpus} has no key {label!r}; name the classes with --label")
    with open(target, "w", encoding="utf-8") as f:
        for r in rows:
            f.write(json.dumps(r, ensure_ascii=False) + "\n")
    return len(rows)


def prepare(args, work, python):
    corpus, vectors, label, name = find_data(args)
    data = dict(name=name, label=label, corpus=os.path.join(work, "corpus.jsonl"), vectors=os.path.join(work, "vectors.npy"))
    rows = copy_corpus(corpus, data["corpus"], args.rows, label)
    if vectors is None:
        vectors = os.path.join(work, "made.npy")
        peer_job(python, "vectors", dict(corpus=data["corpus"], out=vectors), work, args.limit)
    n, data["dimension"] = cut_npy(vectors, data["vectors"], rows)
    if n != rows:
        fail(f"{rows} documents, {n} vectors")
    data["rows"] = n
    return data


# ------------------------------------------------------------------------ jobs

def peer_job(python, job, spec, work, limit, script="peer.py", env=None):
    """Runs one job of a script of this folder; returns what it found and what the process cost."""
    path, result = os.path.join(work, job + ".spec.json"), os.path.join(work, job + ".result.json")
    spec = dict(spec, result=result, started=time.monotonic())
    with open(path, "w") as f:
        json.dump(spec, f)
    cost = measured([python, os.path.join(HERE, script), job, path], env or peer_environment(), limit, os.path.join(work, job + ".log"))
    with open(result) as f:
        return json.load(f), cost


def our_job(binary, data, work, limit):
    out, config = os.path.join(work, "ours"), os.path.join(work, "bertopic.toml")
    shutil.rmtree(out, ignore_errors=True)
    with open(config, "w") as f:  # a JSON string is a TOML string
        f.write(f"[run]\nout = {json.dumps(out)}\nseed = {SEED}\n[corpus]\npath = {json.dumps(data['corpus'])}\n[embeddings]\npath = {json.dumps(data['vectors'])}\n")
    cost = measured([binary, "run", config], dict(os.environ), limit, os.path.join(work, "ours.log"))
    with open(os.path.join(out, "run.json")) as f:
        record = json.load(f)
    cost["steps"] = {s["name"]: s["seconds"] for s in record["steps"]}
    # In a run the words are counted beside the reduction, so it is measured by itself, too.
    steps, result = os.path.join(work, "steps"), os.path.join(work, "umap.json")
    if not os.path.exists(steps):
        subprocess.run(["go", "build", "-o", steps, "./bench/steps"], cwd=ROOT, check=True)
    measured([steps, "umap", "-result", result, "-in", data["vectors"], "-seed", str(SEED), "-runs", "1"], dict(os.environ), limit, os.path.join(work, "umap.log"))
    with open(result) as f:
        alone = json.load(f)
    cost["reduce"] = alone["before_layout"][0]["wall"] + alone["layout"][0]["wall"]
    return cost, out


def rounds(args, data, work, binary, python):
    only = args.only
    ours, peers, outs = [], [], {}
    spec = dict(corpus=data["corpus"], vectors=data["vectors"], seed=SEED, only=[p for p in only if p != "ours"],
                out=os.path.join(work, "bertopic"), labels=os.path.join(work, "labels.npz"))

    def run_ours():
        if "ours" not in only:
            return
        cost, outs["ours"] = our_job(binary, data, work, args.limit)
        ours.append(cost)
        spec["points"] = os.path.join(outs["ours"], "reduced.npy")
        say(f"  ours       {cost['wall']:8.2f} s   {cost['cpu']:8.2f} s CPU   {cost['peak_mib']:6.0f} MiB{noise(cost)}")

    for k in range(args.runs):
        say(f"round {k + 1} of {args.runs}")
        run_ours()
        if spec["only"]:
            found, cost = peer_job(python, "fit", spec, work, args.limit)
            found["others"] = cost["others"]
            peers.append(found)
            if "cold" in found:
                outs["peer"] = spec["out"]
                say(f"  BERTopic   {found['cold']['wall']:8.2f} s   {found['cold']['cpu']:8.2f} s CPU   {found['cold']['peak_mib']:6.0f} MiB{noise(cost)}")
                say(f"    again, in the same process {found['warm']['wall']:8.2f} s")
            for part in ("umap", "hdbscan"):
                if part in found:
                    say(f"    {part} alone, warm{' ' * (9 - len(part))}    {found[part]['wall']:8.2f} s")
            run_ours()
    return ours, peers, outs, spec


def noise(cost):
    o = cost.get("others")
    return "" if o is None or o < 0.15 else f"   (others used {o:.1f} cores meanwhile)"


# --------------------------------------------------------------------- results

def collect(values):
    values = [v for v in values if v is not None]
    return dict(median=statistics.median(values), low=min(values), high=max(values), n=len(values)) if values else None


def dig(d, *keys):
    for k in keys:
        d = d.get(k) if isinstance(d, dict) else None
    return d


def figures(ours, peers):
    """The lines of the table of costs: name, unit, ours, peer."""
    def line(name, unit, ours_at, peer_at):
        mine = collect([dig(o, *ours_at) for o in ours])
        theirs = collect([dig(p, *peer_at) for p in peers])
        return dict(name=name, unit=unit, ours=mine, peer=theirs) if mine or theirs else None
    lines = [
        line("whole job: files in, topics out, one process", "s", ["wall"], ["cold", "wall"]),
        line("its CPU time", "s", ["cpu"], ["cold", "cpu"]),
        line("its peak memory", "MiB", ["peak_mib"], ["cold", "peak_mib"]),
        line("whole job, BERTopic warm (no start, no compiling, no files)", "s", ["wall"], ["warm", "wall"]),
        line("reduce to 5 dimensions alone, umap-learn warm", "s", ["reduce"], ["umap", "wall"]),
        line("cluster, hdbscan alone and warm (core_dist_n_jobs=1)", "s", ["steps", "cluster"], ["hdbscan", "wall"]),
    ]
    return [x for x in lines if x]


QUALITY = (
    ("topics", "topics", "d"), ("outlier_share", "outliers", "%"), ("trustworthiness", "trustworthiness, 15 neighbours", "f"),
    ("knn_accuracy", "15-NN accuracy of the classes in 5 dimensions", "f"), ("ari_all", "ARI, all rows", "f"), ("nmi_all", "NMI, all rows", "f"),
    ("ami_all", "AMI, all rows", "f"), ("ari_inside", "ARI, rows with a topic", "f"), ("nmi_inside", "NMI, rows with a topic", "f"),
    ("ami_inside", "AMI, rows with a topic", "f"), ("npmi", "NPMI of 10 words, whole documents", "f"), ("diversity", "diversity of 10 words", "f"),
)


def number(x, unit):
    if x is None:
        return "-"
    if unit == "d":
        return f"{x:,}"
    if unit == "%":
        return f"{100 * x:.1f} %"
    if unit == "MiB":
        return f"{x:,.0f} MiB"
    if unit == "s":
        return f"{x:.2f} s" if x < 100 else f"{x:.0f} s"
    if unit == "docs/s":
        return f"{x:.1f} docs/s"
    return f"{x:.3f}"


def spread(c, unit):
    if c is None:
        return "-"
    text = number(c["median"], unit)
    return text if c["n"] == 1 else f"{text} ({number(c['low'], unit)[:-len(unit) - 1]}-{number(c['high'], unit)[:-len(unit) - 1]})"


def tables(result):
    costs = [("", "ours", "peer", "peer / ours")]
    for x in result["costs"]:
        ratio = f"{x['peer']['median'] / x['ours']['median']:.1f}x" if x["ours"] and x["peer"] and x["ours"]["median"] > 0 else "-"
        costs.append((x["name"], spread(x["ours"], x["unit"]), spread(x["peer"], x["unit"]), ratio))
    q = result.get("quality") or {}
    quality = []
    if q:
        quality.append(("", "ours", "BERTopic", ""))
        for key, name, unit in QUALITY:
            if any(key in q.get(s, {}) for s in ("ours", "peer")):
                quality.append((name, number(dig(q, "ours", key), unit), number(dig(q, "peer", key), unit), ""))
        stop = dig(q, "peer", "stop_words_removed")
        if stop:
            quality.append(("the same with stop words removed from BERTopic's: NPMI", "", number(stop["npmi"], "f"), ""))
            quality.append(("  diversity", "", number(stop["diversity"], "f"), ""))
    return costs, quality


def text_table(lines):
    width = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join("  ".join(cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(line, width))).rstrip() for line in lines)


def markdown_table(lines):
    keep = [i for i in range(len(lines[0])) if any(line[i] for line in lines)]
    lines = [[line[i].strip() for i in keep] for line in lines]
    return "\n".join(["| " + " | ".join(lines[0]) + " |", "|---" + "|--:" * (len(keep) - 1) + "|"] + ["| " + " | ".join(line) + " |" for line in lines[1:]])


def facts(result):
    d, m, v = result["data"], result["machine"], result["versions"]
    lines = [f"{d['name']}: {d['rows']:,} documents x {d['dimension']} dimensions, seed {SEED}; median (lowest-highest) of "
             f"{result['runs']} round{'s' if result['runs'] != 1 else ''} of ours, peers, ours.",
             f"{m['cpu']}, {m['cores']} cores, {m['memory_gib']} GiB, {m['system']}; load {result['load'][0]:.2f} before, {result['load'][1]:.2f} after."]
    if "bertopic" in v:
        lines.append("Python {python}, bertopic {bertopic}, umap-learn {umap-learn}, hdbscan {hdbscan}, numba {numba}, numpy {numpy}, scikit-learn {scikit-learn}.".format(**v)
                     + (f" {' and '.join(result['unset'])} unset for the peers." if result["unset"] else ""))
    if "ours" in v:
        lines.append(f"{v['ours']}, {v.get('go', '')}.")
    others = [x for x in result["others"] if x is not None]
    if others and max(others) >= 0.15:
        lines.append(f"The machine was not quiet: other programs used up to {max(others):.1f} cores.")
    q = result.get("quality")
    if q:
        lines.append(f"Trustworthiness is of the same {q['sample']:,} rows on both sides"
                     + (f"; 15-NN accuracy in the given vectors is {q['vectors']['knn_accuracy']:.3f}." if "vectors" in q else "."))
    same = dig(result, "quality", "same_clusters")
    if same:
        lines.append(f"On our {same['rows']:,} points, our clusters and hdbscan's agree with ARI {same['ari']:.4f} (outliers as one cluster).")
    if result.get("repeats") is not None:
        lines.append("BERTopic's two fits in one process " + ("agree" if result["repeats"] else "differ") + ".")
    if result.get("our_steps"):
        lines.append("Our steps: " + ", ".join(f"{k} {v:.2f} s" for k, v in result["our_steps"].items()) + ".")
    return lines


def sha256_of(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def output_of(command):
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout.strip().splitlines()[0]
    except (OSError, IndexError, subprocess.TimeoutExpired):
        return "unknown"


def main():
    if sys.version_info < (3, 11) or os.name != "posix":
        fail("Python 3.11 or newer on Linux or macOS is needed")
    p = argparse.ArgumentParser(prog="bench.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--quick", action="store_true", help="2,000 documents and one round")
    p.add_argument("--runs", type=int, help="rounds (3; with --quick 1)")
    p.add_argument("--rows", type=int, help="first so many documents (all; with --quick 2,000)")
    p.add_argument("--only", help="comma list of " + ", ".join(PARTS))
    p.add_argument("--data", choices=("auto", "20ng", "bbc"), default="auto", help="corpus (auto: 20ng where it is there)")
    p.add_argument("--corpus", help="a corpus of your own: JSON lines with the key text")
    p.add_argument("--vectors", help="its vectors, .npy of float32")
    p.add_argument("--label", help="key of its classes, for the quality figures")
    p.add_argument("--binary", default=os.path.join(ROOT, "bin", "bertopic"), help="our program")
    p.add_argument("--limit", type=float, default=3600, help="seconds after which a process is stopped")
    p.add_argument("--keep", action="store_true", help="keep the files of both sides")
    args = p.parse_args()
    args.runs = args.runs or (1 if args.quick else 3)
    args.rows = args.rows or (2000 if args.quick else 0)
    args.only = [s for s in (args.only or ",".join(PARTS)).split(",") if s]
    if unknown := [s for s in args.only if s not in PARTS]:
        fail(f"--only {unknown[0]}: there are {', '.join(PARTS)}")
    if "ours" in args.only and not os.path.exists(args.binary):
        fail(f"there is no {args.binary}: run `make build` first, or --only bertopic,umap,hdbscan")
    python = peer_python()

    result = dict(runs=args.runs, only=args.only, machine=machine(), unset=[k for k in UNWANTED if k in os.environ], seed=SEED,
                  versions=json.loads(subprocess.run([python, os.path.join(HERE, "peer.py"), "versions", "-"], check=True, capture_output=True, text=True).stdout))
    if "ours" in args.only:
        result["versions"]["ours"], result["versions"]["go"] = output_of([args.binary, "version"]), output_of(["go", "version"])
    load = os.getloadavg()[0]
    if load > 0.5:
        say(f"The load is {load:.2f}: figures taken beside other work are not worth much.")
    work = tempfile.mkdtemp(prefix="bertopic-bench-")
    try:
        result["data"] = data = prepare(args, work, python)
        say(f"{data['name']}: {data['rows']:,} documents x {data['dimension']}")
        ours, peers, outs, spec = rounds(args, data, work, args.binary, python)
        if outs:
            say("scoring both sides")
            result["quality"], _ = peer_job(python, "score", dict(
                corpus=data["corpus"], vectors=data["vectors"], label=data["label"], sample=3000, sides=outs,
                labels=spec["labels"] if "ours" in outs else None), work, args.limit)
    finally:
        if args.keep:
            say(f"files kept in {work}")
        else:
            shutil.rmtree(work, ignore_errors=True)
    result["load"] = load, os.getloadavg()[0]
    result["others"] = [x.get("others") for x in ours + peers]
    result["costs"], result["ours"], result["peers"] = figures(ours, peers), ours, peers
    result["repeats"] = all(x["repeats"] for x in peers) if peers and "repeats" in peers[0] else None
    if ours:
        result["our_steps"] = {k: statistics.median(o["steps"].get(k, 0) for o in ours) for k in ours[0]["steps"]}
    for name in ("corpus", "vectors"):
        data.pop(name)
    report(result)


def report(result):
    costs, quality = tables(result)
    publish(result, [costs] + ([quality] if quality else []), facts(result))


def publish(result, tables, lines, kind=""):
    """Prints tables and lines; keeps them, and everything measured, in the folder of results."""
    for table in tables:
        say()
        say(text_table(table))
    say()
    for line in lines:
        say(line)
    os.makedirs(RESULTS, exist_ok=True)
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    path = os.path.join(RESULTS, f"{stamp}-{kind}{result['data']['rows']}.json")
    with open(path, "w") as f:
        json.dump(result, f, indent=1)
        f.write("\n")
    with open(path[:-5] + ".md", "w") as f:
        f.write("\n\n".join([markdown_table(table) for table in tables] + [" ".join(lines)]) + "\n")
    say(f"\n{os.path.relpath(path)} holds every figure, {os.path.relpath(path[:-5])}.md the tables for the README.")


if __name__ == "__main__":
    main()
