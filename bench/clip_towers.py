#!/usr/bin/env python3
"""Holds our two towers of CLIP against transformers', in values and in speed, in one run.

    python3 bench/clip_towers.py                  64 pictures and 512 texts, one core, three rounds
    python3 bench/clip_towers.py --device cuda:0  fp32 and fp16 of ours on a GPU (ORT_LIBRARY names an ONNX Runtime with CUDA)
    python3 bench/clip_towers.py --help

No package carries CLIP's weights: the model is one of ViT-B/32's full size with
random weights, made by transformers for the run (600 MB, removed in the end). Both
sides get the same pixels and token ids, so nothing but the towers is measured:
captions of 5 to 18 tokens with their marks, and four of the least and greatest
length. The peer pads them by 32, the longest first, as sentence-transformers does.
Every row of ours is computed once more alone, and its bits compared.
"""
import argparse
import json
import os
import shutil
import subprocess
import tempfile

import bench
from bench import ROOT, collect, fail, say
from sbert import bind, peer_env


def ours(args, work, binary, precision, bits):
    out = {tower: os.path.join(work, f"{precision}-{tower}.f32") for tower in ("image", "text")}
    command = [binary, "--model", os.path.join(work, "model"), "--graphs", os.path.join(work, "graphs"), "--precision", precision, "--device", args.device,
               "--threads", str(args.threads), "--pictures", str(args.batch), "--pixels", os.path.join(work, "pixels.f32"),
               "--ids", os.path.join(work, "ids.json"), "--text-out", out["text"], "--image-out", out["image"]] + (["--bits"] if bits else [])
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=args.limit)
    if done.returncode:
        fail("the towers failed; their message is above")
    return json.loads(done.stdout), out


def torch(args, work, python):
    out = {tower: os.path.join(work, f"torch-{tower}.f32") for tower in ("image", "text")}
    spec = dict(model=os.path.join(work, "model"), pixels=os.path.join(work, "pixels.f32"), ids=os.path.join(work, "ids.json"), threads=args.threads,
                batch=args.batch, text_batch=32, out=out)
    found, _ = bench.peer_job(python, "torch", spec, work, args.limit, "peer_clip.py", peer_env(args.threads))
    return found, out


def rounds(args, work, binary, python):
    found, outs = {side: [] for side in ("torch", *args.precisions)}, {}
    for k in range(args.runs):
        for side in list(found)[::1 if k % 2 == 0 else -1]:
            x, outs[side] = torch(args, work, python) if side == "torch" else ours(args, work, binary, side, k == 0)
            found[side].append(x)
            say(f"round {k + 1}: {side:6s}" + "".join(f"  {x[t]['rows'] / x[t]['wall']:7.1f} {t}s/s, {x[t]['cpu']:6.2f} s CPU" for t in ("image", "text")))
    return found, outs


def span(c):
    return f"{c['median']:.1f}" + (f" ({c['low']:.1f}-{c['high']:.1f})" if c["n"] > 1 else "")


def report(args, found, score, result):
    rate = lambda side, tower, key: collect([x[tower]["rows"] / x[tower][key] for x in found[side]])
    speed = [("", "pictures a second", "/ torch", "a CPU second", "/ torch", "texts a second", "/ torch", "a CPU second", "/ torch")]
    values = [
        ("", "pictures: lowest cosine", "largest difference", "of unit vectors", "texts: lowest cosine", "largest difference", "of unit vectors")]
    for side in found:
        row, value = [side if side == "torch" else f"ours, {side}"], [side if side == "torch" else f"ours, {side}"]
        for tower in ("image", "text"):
            s = score[tower]["sides"][side]
            for key in ("wall", "cpu"):
                x, peer = rate(side, tower, key), rate("torch", tower, key)
                row += [span(x), f"{x['median'] / peer['median']:.2f}x"]
            value += [f"{s['low']:.7f}", f"{s['max_abs']:.1e}", f"{s['max_unit']:.1e}"]
        speed.append(tuple(row))
        values.append(tuple(value))
    m, v = result["machine"], result["versions"]
    same = all(x[0][t]["same_bits"] for side, x in found.items() if side != "torch" for t in ("image", "text"))
    lines = [f"ViT-B/32 of random weights, {args.pictures} pictures in batches of {args.batch} and {args.texts} texts, {args.threads} thread"
             f"{'s' if args.threads > 1 else ''}, {args.device}; median (lowest-highest) of {args.runs} round{'s' if args.runs > 1 else ''}, each the second pass of a process.",
             f"{m['cpu']}, {m['cores']} cores, {m['system']}; load {result['load'][0]:.2f} before, {result['load'][1]:.2f} after.",
             f"Python {v['python']}, transformers {v['transformers']}, torch {v['torch']}. Vectors are {score['image']['length']:.0f} and "
             f"{score['text']['length']:.0f} long; the cosine of two pictures is {score['image']['alike']:.2f} in the mean, of two texts {score['text']['alike']:.2f}.",
             f"Each row of ours alone has {'the bits' if same else 'OTHER BITS THAN'} it has in its batch."]
    result["same_bits"] = same
    bench.publish(result, [speed, values], lines, "clip-towers-")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--pictures", type=int, default=64)
    p.add_argument("--texts", type=int, default=512)
    p.add_argument("--runs", type=int, default=3, help="rounds (3)")
    p.add_argument("--threads", type=int, default=1, help="threads, and the cores that both are bound to (1)")
    p.add_argument("--batch", type=int, default=8, help="pictures of a batch, of both (8, the best of both)")
    p.add_argument("--device", default="cpu", help="of ours (cpu)")
    p.add_argument("--limit", type=float, default=3600, help="seconds after which a process is stopped")
    args = p.parse_args()
    if args.runs < 1 or args.threads < 1 or args.batch < 1 or args.pictures < 2 or args.texts < 5:
        fail("--runs, --threads and --batch start at 1, --pictures at 2, --texts at 5")
    args.precisions = ("fp32", "int8") if args.device == "cpu" else ("fp32", "fp16")
    python = bench.peer_python("sbert", "requirements-sbert.txt", 6, "--no-cache-dir")
    asked = subprocess.run([python, os.path.join(bench.HERE, "peer_clip.py"), "versions", "-"], check=True, capture_output=True, text=True)
    result = dict(machine=bench.machine(), versions=json.loads(asked.stdout), bound=bind(args.threads), data=dict(rows=args.pictures), args=vars(args))
    load = os.getloadavg()[0]
    if load > 0.5:
        say(f"The load is {load:.2f}: figures taken beside other work are not worth much.")
    work = tempfile.mkdtemp(prefix="bertopic-bench-")
    try:
        binary = os.path.join(work, "cliptowers")
        subprocess.run(["go", "build", "-o", binary, "./bench/cliptowers"], cwd=ROOT, check=True)
        spec = dict(seed=bench.SEED, model=os.path.join(work, "model"), pixels=os.path.join(work, "pixels.f32"), ids=os.path.join(work, "ids.json"),
                    pictures=args.pictures, texts=args.texts)
        bench.peer_job(python, "make", spec, work, args.limit, "peer_clip.py", peer_env(args.threads))
        found, outs = rounds(args, work, binary, python)
        sides = {tower: {side: files[tower] for side, files in outs.items()} for tower in ("image", "text")}
        score, _ = bench.peer_job(python, "score", dict(dimension=512, sides=sides), work, args.limit, "peer_clip.py", peer_env(args.threads))
    finally:
        shutil.rmtree(work, ignore_errors=True)
    result.update(found=found, score=score, load=(load, os.getloadavg()[0]))
    report(args, found, score, result)


if __name__ == "__main__":
    main()
