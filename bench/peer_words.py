"""The Python side of bench/words.py; runs in the peers' own virtual environment.

    peer_words.py embed SPEC     gensim reads the vectors, BERTopic's GensimBackend embeds; then once more
    peer_words.py compare SPEC   ours against the peer's, row by row
    peer_words.py versions -     the libraries' versions

SPEC is a JSON file written by words.py; a result goes to its "result" path.
"""
import json
import sys
import time
import warnings

from peer import Watch, read_corpus, usage

warnings.filterwarnings("ignore")


def versions():
    from importlib.metadata import version
    return dict(python=sys.version.split()[0], **{n: version(n) for n in ("bertopic", "gensim", "numpy")})


def embed(spec):
    result = {}
    with Watch() as w:
        import numpy as np
        from bertopic.backend._gensim import GensimBackend
        from gensim.models import KeyedVectors
    result["import"] = w.dict()
    docs = [r["text"] for r in read_corpus(spec["corpus"])]
    with Watch() as w:
        backend = GensimBackend(KeyedVectors.load_word2vec_format(spec["model"], binary=True))
    result["load"] = w.dict()
    with Watch() as w:
        found = backend.embed(docs)
    result["first"] = w.dict()
    np.save(spec["vectors"], found)
    cpu, peak = usage()
    result["cold"] = dict(wall=time.monotonic() - spec["started"], cpu=cpu, peak_mib=peak)
    with Watch() as w:
        again = backend.embed(docs)
    result["warm"] = w.dict()
    assert np.array_equal(found, again)
    return result


def compare(spec):
    import numpy as np
    a, b = np.load(spec["ours"]).astype(np.float64), np.load(spec["peer"]).astype(np.float64)
    assert a.shape == b.shape, (a.shape, b.shape)
    return dict(rows=len(a), largest=float(np.abs(a - b).max()), zero_rows=[int((~x.any(axis=1)).sum()) for x in (a, b)])


if __name__ == "__main__":
    job, path = sys.argv[1:3]
    if job == "versions":
        print(json.dumps(versions()))
    else:
        with open(path) as f:
            spec = json.load(f)
        found = dict(embed=embed, compare=compare)[job](spec)
        with open(spec["result"], "w") as f:
            json.dump(found, f)
