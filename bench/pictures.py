#!/usr/bin/env python3
"""Measures how fast pictures are made ready for a vision model, ours beside Pillow and transformers, in one run.

    python3 bench/pictures.py                         1,000 pictures of 640 x 480 and 24 of 4000 x 3000, three rounds
    python3 bench/pictures.py --small 100 --large 4 --runs 1
    python3 bench/pictures.py --help

Both sides read the same generated JPEG files and make the pixel values of CLIP's
settings (shortest side to 224 by bicubic, centre cropped, normalised), each in one
process on one core. Times are CPU seconds, so that other work on the machine
counts little. Needs Python 3.11 or newer and Linux.
"""
import argparse
import array
import json
import os
import shutil
import subprocess
import tempfile

import bench
from bench import HERE, ROOT, collect, fail, say

SETTINGS = dict(size=dict(shortest_edge=224), crop_size=dict(height=224, width=224), resample=3)
SIZES = (("640 x 480", 640, 480), ("4000 x 3000", 4000, 3000))


def call(command, env):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=env)
    if done.returncode:
        fail(f"{os.path.basename(command[0])} failed; its message is above")
    return json.loads(done.stdout) if done.stdout else None


def difference(a, b):
    """The largest difference between two files of float32."""
    values = []
    for path in (a, b):
        v = array.array("f")
        with open(path, "rb") as f:
            v.frombytes(f.read())
        values.append(v)
    if len(values[0]) != len(values[1]):
        fail("the sides give different numbers of pixel values")
    return max(abs(x - y) for x, y in zip(*values))


def measure(args, work, python, binary, env):
    settings = os.path.join(work, "preprocessor_config.json")
    with open(settings, "w") as f:
        json.dump(SETTINGS, f)
    script = os.path.join(HERE, "peer_pictures.py")
    found = {}
    for (name, width, height), count in zip(SIZES, (args.small, args.large)):
        folder = os.path.join(work, name.replace(" ", ""))
        say(f"drawing {count} pictures of {name}")
        call([python, script, "make", folder, str(width), str(height), str(count), str(bench.SEED)], env)
        sides = {"ours": [], "peer": []}
        values = {side: os.path.join(work, side + ".f32") for side in sides}
        for k in range(args.runs):
            for side in list(sides)[::1 if k % 2 == 0 else -1]:
                command = [binary, "-pictures", folder, "-settings", settings, "-values", values[side]] if side == "ours" else \
                    [python, script, "measure", folder, settings, values[side]]
                x = call(command, env)
                sides[side].append(x)
                say(f"round {k + 1}: {side}  {x['pictures'] / x['process']:8.1f} pictures a second of a core")
        found[name] = dict(sides=sides, difference=difference(values["ours"], values["peer"]),
                           kilobytes=sum(os.path.getsize(os.path.join(folder, f)) for f in os.listdir(folder)) / count / 1000)
        shutil.rmtree(folder)
    return found


def report(args, found, result):
    table = [("pictures a second of a core", "decode", "preprocess", "both", "ms a picture: decode", "preprocess", "both", "Pillow's resize alone")]
    ratios, parity = [], []
    for name, f in found.items():
        each = {side: {k: collect([x[k] / x["pictures"] for x in runs]) for k in ("decode", "preprocess", "process")} for side, runs in f["sides"].items()}
        for side, title in (("ours", "ours"), ("peer", "Pillow + transformers")):
            c = each[side]
            resize = f"{1e3 * collect([x['resize'] / x['pictures'] for x in f['sides']['peer']])['median']:.2f}" if side == "peer" else ""
            table.append((f"{name}, {title}", *(f"{1 / c[k]['median']:.0f}" if c[k]["median"] < .02 else f"{1 / c[k]['median']:.1f}" for k in c),
                          *(f"{1e3 * c[k]['median']:.2f}" for k in c), resize))
        table.append((f"{name}, ratio", *(f"{each['peer'][k]['median'] / each['ours'][k]['median']:.2f}x" for k in each["ours"]), "", "", "", ""))
        f["ratio"] = each["peer"]["process"]["median"] / each["ours"]["process"]["median"]
        f["resize_below_decode"] = each["ours"]["preprocess"]["median"] < each["ours"]["decode"]["median"]
        ratios.append(f"{name}: {f['ratio']:.1f} times the peer's; preprocessing costs {'less' if f['resize_below_decode'] else 'MORE'} than decoding")
        parity.append(f"{f['difference']:.1e} at {name}")
    m, v = result["machine"], result["versions"]
    sizes = ", ".join(f"{f['kilobytes']:.0f} kB" for f in found.values())
    lines = [". ".join(ratios) + ".",
             f"Largest difference of a pixel value between the two sides: {', '.join(parity)} (a step of 8 bits is 1.4e-2).",
             f"{args.small} and {args.large} JPEG files of {sizes} each; medians of {args.runs} rounds, CPU time of one process on one core.",
             f"{m['cpu']}, {m['cores']} cores, {m['system']}. Python {v['python']}, Pillow {v['pillow']} (libjpeg-turbo {v['libjpeg_turbo']}), transformers {v['transformers']} (its processor on Pillow).",
             f"Load {result['load'][0]:.2f} before, {result['load'][1]:.2f} after."]
    bench.publish(result, [table], lines, "pictures-")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--small", type=int, default=1000, help="pictures of 640 x 480 (1000)")
    p.add_argument("--large", type=int, default=24, help="pictures of 4000 x 3000 (24)")
    p.add_argument("--runs", type=int, default=3, help="rounds (3)")
    args = p.parse_args()
    if min(args.small, args.large, args.runs) < 1:
        fail("--small, --large and --runs start at 1")
    python = bench.peer_python("pictures", "requirements-pictures.txt", 0.25)
    env = bench.peer_environment()
    env.update(OMP_NUM_THREADS="1", HF_HUB_OFFLINE="1", PYTHONDONTWRITEBYTECODE="1", TRANSFORMERS_NO_ADVISORY_WARNINGS="1", TRANSFORMERS_VERBOSITY="error")
    versions = call([python, os.path.join(HERE, "peer_pictures.py"), "versions"], env)
    result = dict(machine=bench.machine(), versions=versions, data=dict(rows=args.small), args=vars(args))
    load = os.getloadavg()[0]
    work = tempfile.mkdtemp(prefix="bertopic-bench-")
    try:
        binary = os.path.join(work, "pictures")
        subprocess.run(["go", "build", "-o", binary, "./bench/pictures"], cwd=ROOT, check=True)
        result["found"] = found = measure(args, work, python, binary, env)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    result["load"] = (load, os.getloadavg()[0])
    report(args, found, result)


if __name__ == "__main__":
    main()
