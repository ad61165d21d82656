"""The Python side of bench/sbert.py; runs in the peers' own virtual environment.

    peer_sbert.py export SPEC   an ONNX file of the model, by sentence-transformers and optimum
    peer_sbert.py torch SPEC    sentence-transformers: start, load, encode; then encode again
    peer_sbert.py onnx SPEC     the same with backend="onnx"
    peer_sbert.py score SPEC    every side's vectors against torch's, and the accuracy of their neighbours
    peer_sbert.py versions -    the libraries' versions

SPEC is a JSON file written by sbert.py; a result goes to its "result" path.
"""
import json
import sys
import time
import warnings

from peer import Watch, read_corpus, usage

warnings.filterwarnings("ignore")


def versions():
    from importlib.metadata import PackageNotFoundError, version
    found = dict(python=sys.version.split()[0])
    for name in "sentence-transformers transformers tokenizers torch onnxruntime optimum optimum-onnx onnx numpy scikit-learn".split():
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            pass
    return found


def load(spec):
    """The model, as its library loads it from a folder; for onnx with the threads that torch takes from torch.set_num_threads."""
    import torch
    from sentence_transformers import SentenceTransformer
    torch.set_num_threads(spec["threads"])
    if spec["backend"] == "torch":
        return SentenceTransformer(spec["model"], device="cpu")
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = spec["threads"]
    return SentenceTransformer(spec["model"], device="cpu", backend="onnx",
                               model_kwargs=dict(provider="CPUExecutionProvider", session_options=options, **spec["kwargs"]))


def export(spec):
    model = load(dict(spec, backend="onnx", kwargs=dict(export=True)))
    model.save_pretrained(spec["out"])
    return {}


def encode(spec):
    result = {}
    with Watch() as w:
        import numpy as np
        import sentence_transformers  # noqa: F401
    result["import"] = w.dict()
    docs = [r["text"] for r in read_corpus(spec["corpus"])]
    with Watch() as w:
        model = load(spec)
    result["load"] = w.dict()

    def run():
        with Watch() as w:
            x = model.encode(docs, batch_size=spec["batch"], show_progress_bar=False)
        return x, w.dict()

    x, result["first"] = run()
    np.save(spec["vectors"], np.asarray(x, dtype=np.float32))
    # Here a process that wanted vectors of this corpus would end.
    cpu, peak = usage()
    result["cold"] = dict(wall=time.monotonic() - spec["started"], cpu=cpu, peak_mib=peak)
    again, result["warm"] = run()
    result.update(dimension=x.shape[1], max_tokens=model.max_seq_length, repeats=bool((x == again).all()))
    return result


def score(spec):
    import numpy as np
    from sklearn.model_selection import cross_val_score
    from sklearn.neighbors import KNeighborsClassifier
    rows = read_corpus(spec["corpus"])
    classes = np.array([str(r[spec["label"]]) for r in rows]) if spec["label"] else None
    enough = classes is not None and len(rows) >= 25 and np.unique(classes, return_counts=True)[1].max() >= 5  # of five parts and 15 neighbours
    sides = {name: np.load(path).astype(np.float64) for name, path in spec["sides"].items()}
    for name, x in sides.items():
        if len(x) != len(rows):
            raise SystemExit(f"{name} has {len(x)} vectors, the corpus {len(rows)} documents")
    # Rows that every side gives a vector, so that all are judged on the same.
    good = np.all([np.isfinite(x).all(1) & (np.abs(x).max(1) > 0) for x in sides.values()], axis=0)
    result = dict(rows=int(good.sum()), sides={})

    def beside(x, y):
        cosine = (x * y).sum(1) / np.linalg.norm(x, axis=1) / np.linalg.norm(y, axis=1)
        return dict(mean=float(cosine.mean()), low=float(cosine.min()), max_abs=float(np.abs(x - y).max()))

    for name, x in sides.items():
        q = result["sides"][name] = dict(without_vector=int((~np.isfinite(x).all(1) | (np.abs(x).max(1) == 0)).sum()))
        if name != "torch" and "torch" in sides:
            q["torch"] = beside(x[good], sides["torch"][good])
        if name == "int8" and "fp32" in sides:
            q["fp32"] = beside(x[good], sides["fp32"][good])
        if enough:
            q["knn_accuracy"] = float(cross_val_score(KNeighborsClassifier(15, metric="cosine"), x[good], classes[good], cv=5).mean())
    return result


def main(job, path):
    if job == "versions":
        print(json.dumps(versions()))
        return
    with open(path, encoding="utf-8") as f:
        spec = json.load(f)
    result = dict(export=export, torch=encode, onnx=encode, score=score)[job](spec)
    with open(spec["result"], "w", encoding="utf-8") as f:
        json.dump(result, f)


if __name__ == "__main__":
    main(*sys.argv[1:])
