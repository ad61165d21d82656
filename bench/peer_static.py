"""The Python side of bench/static.py; runs in the peer's own virtual environment.

    peer_static.py folder SPEC    a table and its tokenizer in model2vec's layout
    peer_static.py encode SPEC    model2vec: start, load, encode; then encode again
    peer_static.py score SPEC     the largest difference between both sides' vectors
    peer_static.py versions -     the libraries' versions

SPEC is a JSON file written by static.py; a result goes to its "result" path.
"""
import json
import os
import sys
import time

from peer import Watch, read_corpus, usage


def versions():
    from importlib.metadata import version
    return dict(python=sys.version.split()[0], **{n: version(n) for n in ("model2vec", "tokenizers", "numpy")})


def folder(spec):
    import numpy as np
    from model2vec import StaticModel
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer
    table = load_file(os.path.join(spec["model"], "model.safetensors"))["embedding.weight"].astype(np.float32)
    tokenizer = Tokenizer.from_file(os.path.join(spec["model"], "tokenizer.json"))
    StaticModel(table, tokenizer, config={"normalize": True}, normalize=True).save_pretrained(spec["out"])
    return {}


def encode(spec):
    result = {}
    with Watch() as w:
        import numpy as np
        from model2vec import StaticModel
    result["import"] = w.dict()
    docs = [r["text"] for r in read_corpus(spec["corpus"])]
    with Watch() as w:
        model = StaticModel.from_pretrained(spec["model"])
    result["load"] = w.dict()

    def run():
        with Watch() as w:
            x = model.encode(docs, use_multiprocessing=False)
        return x, w.dict()

    x, result["first"] = run()
    np.save(spec["vectors"], np.asarray(x, dtype=np.float32))
    # Here a process that wanted vectors of this corpus would end.
    cpu, peak = usage()
    result["cold"] = dict(wall=time.monotonic() - spec["started"], cpu=cpu, peak_mib=peak)
    _, result["warm"] = run()
    result.update(dimension=x.shape[1], max_tokens=model.max_length)
    return result


def score(spec):
    import numpy as np
    a, b = (np.load(path) for path in spec["sides"])
    d = np.abs(a - b).max(axis=1)
    return dict(rows=len(d), max_abs=float(d.max()), over=int((d > 1e-6).sum()))


def main():
    job, path = sys.argv[1:]
    if job == "versions":
        print(json.dumps(versions()))
        return
    with open(path) as f:
        spec = json.load(f)
    result = dict(folder=folder, encode=encode, score=score)[job](spec)
    with open(spec["result"], "w") as f:
        json.dump(result, f)


if __name__ == "__main__":
    main()
