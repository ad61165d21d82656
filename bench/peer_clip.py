"""The Python side of bench/clip_towers.py; runs in the peers' own virtual environment.

    peer_clip.py make SPEC     a CLIP of ViT-B/32's size with random weights, pixels and token ids
    peer_clip.py torch SPEC    transformers' towers on them
    peer_clip.py score SPEC    every side's vectors against torch's
    peer_clip.py versions -    the libraries' versions
"""
import json
import os
import sys
import time
import warnings

warnings.filterwarnings("ignore")


def versions():
    from importlib.metadata import version
    return dict(python=sys.version.split()[0], **{name: version(name) for name in "transformers torch numpy".split()})


def make(spec):
    """transformers' own defaults are ViT-B/32 and its text tower. Their scale of random weights leaves vectors that all look alike:
    here weights of matrices keep the size of what passes through."""
    import numpy as np
    import torch
    from transformers import CLIPConfig, CLIPModel
    torch.manual_seed(spec["seed"])
    g = torch.Generator().manual_seed(spec["seed"])
    model = CLIPModel(CLIPConfig()).eval()
    with torch.no_grad():
        for name, p in sorted(model.named_parameters()):
            if name == "logit_scale":
                continue
            w = torch.randn(p.shape, generator=g)
            if "norm" in name and name.endswith("weight"):
                p.copy_(1 + 0.2 * w)
            elif p.ndim > 1:
                p.copy_(w * (0.5 if "embedding" in name and "patch" not in name else 1.0 / np.prod(p.shape[1:]) ** 0.5))
            else:
                p.copy_(0.2 * w)
    model.save_pretrained(spec["model"])
    r = np.random.RandomState(spec["seed"])
    size = model.config.vision_config.image_size
    r.standard_normal((spec["pictures"], 3, size, size)).astype("<f4").tofile(spec["pixels"])
    rows = [[49406, *r.randint(0, 49406, n).tolist(), 49407] for n in r.randint(5, 19, spec["texts"] - 4)]
    rows += [[49406, *r.randint(0, 49406, n).tolist(), 49407] for n in (0, 1, 74, 75)]
    with open(spec["ids"], "w") as f:
        json.dump(rows, f)
    return {}


def towers(spec):
    import numpy as np
    import torch
    from transformers import CLIPModel
    torch.set_num_threads(spec["threads"])
    model = CLIPModel.from_pretrained(spec["model"]).eval()
    size, d = model.config.vision_config.image_size, model.config.projection_dim
    pixels = torch.from_numpy(np.fromfile(spec["pixels"], "<f4").reshape(-1, 3, size, size))
    with open(spec["ids"]) as f:
        rows = json.load(f)
    vector = lambda o: (o if torch.is_tensor(o) else o.pooler_output).numpy()

    def images():
        return np.concatenate([vector(model.get_image_features(pixel_values=pixels[i:i + spec["batch"]])) for i in range(0, len(pixels), spec["batch"])])

    def texts():  # the longest first, padded to the longest of a batch, as sentence-transformers does
        order, out = sorted(range(len(rows)), key=lambda i: -len(rows[i])), np.zeros((len(rows), d), np.float32)
        for at in range(0, len(order), spec["text_batch"]):
            part = order[at:at + spec["text_batch"]]
            long = len(rows[part[0]])
            ids = torch.tensor([rows[i] + [49407] * (long - len(rows[i])) for i in part])
            mask = torch.tensor([[1] * len(rows[i]) + [0] * (long - len(rows[i])) for i in part])
            out[part] = vector(model.get_text_features(input_ids=ids, attention_mask=mask))
        return out

    found = {}
    with torch.inference_mode():
        for name, work in (("image", images), ("text", texts)):
            out = work()
            cpu, wall = time.process_time(), time.monotonic()
            work()
            found[name] = dict(rows=len(out), wall=time.monotonic() - wall, cpu=time.process_time() - cpu)
            np.ascontiguousarray(out, "<f4").tofile(spec["out"][name])
    return found


def score(spec):
    import numpy as np
    read = lambda path: np.fromfile(path, "<f4").reshape(-1, spec["dimension"]).astype(np.float64)
    found = {}
    for name, sides in spec["sides"].items():
        want = read(sides["torch"])
        unit = want / np.linalg.norm(want, axis=1, keepdims=True)
        between = unit @ unit.T
        found[name] = dict(alike=float((between.sum() - len(want)) / (len(want) * (len(want) - 1))), length=float(np.linalg.norm(want, axis=1).mean()), sides={})
        for side, path in sides.items():
            got = read(path)
            cosine = (got * want).sum(1) / np.linalg.norm(got, axis=1) / np.linalg.norm(want, axis=1)
            found[name]["sides"][side] = dict(mean=float(cosine.mean()), low=float(cosine.min()), max_abs=float(np.abs(got - want).max()),
                                              max_unit=float(np.abs(got / np.linalg.norm(got, axis=1, keepdims=True) - unit).max()))
    return found


def main(job, path):
    if job == "versions":
        print(json.dumps(versions()))
        return
    with open(path, encoding="utf-8") as f:
        spec = json.load(f)
    os.environ["HF_HUB_OFFLINE"] = "1"
    result = dict(make=make, torch=towers, score=score)[job](spec)
    with open(spec["result"], "w", encoding="utf-8") as f:
        json.dump(result, f)


if __name__ == "__main__":
    main(*sys.argv[1:])
