"""The Python side of the benchmark; runs in the peers' own virtual environment.

    peer.py vectors SPEC   TF-IDF + SVD vectors of a corpus, for a machine without better ones
    peer.py fit SPEC       BERTopic twice, then umap-learn and hdbscan alone, in one process
    peer.py score SPEC     the quality of every side's files, by one and the same code
    peer.py versions -     the libraries' versions

SPEC is a JSON file written by bench.py; a result goes to its "result" path.
"""
import json
import os
import resource
import sys
import time
import warnings

warnings.filterwarnings("ignore")


def usage():
    """CPU seconds and peak memory (MiB) of this process and its finished children so far."""
    me, kids = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return me.ru_utime + me.ru_stime + kids.ru_utime + kids.ru_stime, max(me.ru_maxrss, kids.ru_maxrss) / unit


class Watch:
    """Wall and CPU seconds of a with-block."""

    def __enter__(self):
        self.wall, (self.cpu, _) = time.perf_counter(), usage()
        return self

    def __exit__(self, *_):
        self.wall, self.cpu = time.perf_counter() - self.wall, usage()[0] - self.cpu

    def dict(self, **more):
        return dict(wall=self.wall, cpu=self.cpu, **more)


def read_corpus(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def versions():
    from importlib.metadata import version
    names = "bertopic umap-learn pynndescent hdbscan numba llvmlite numpy scipy scikit-learn pandas".split()
    return dict(python=sys.version.split()[0], **{n: version(n) for n in names})


def vectors(spec):
    import numpy as np
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize
    docs = [r["text"] for r in read_corpus(spec["corpus"])]
    x = TfidfVectorizer(min_df=2, stop_words="english", sublinear_tf=True).fit_transform(docs)
    x = TruncatedSVD(min(100, x.shape[1] - 1), random_state=42).fit_transform(x)
    np.save(spec["out"], normalize(x).astype(np.float32))
    return {}


def fit(spec):
    # BERTopic's own defaults, with a seed (so that it can be compared at all)
    # and with one job in hdbscan: the default of four starts a pool of
    # processes, which takes longer than the clustering here.
    seed, only = spec["seed"], set(spec["only"])
    result = {}
    with Watch() as w:
        import numpy as np
        from bertopic import BERTopic
        from hdbscan import HDBSCAN
        from sklearn.feature_extraction.text import CountVectorizer
        from umap import UMAP
    result["import"] = w.dict()
    with Watch() as w:
        docs = [r["text"] for r in read_corpus(spec["corpus"])]
        x = np.load(spec["vectors"])
    result["read"] = w.dict()

    def reducer():
        return UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", low_memory=False, random_state=seed)

    def clusterer():
        return HDBSCAN(min_cluster_size=10, metric="euclidean", cluster_selection_method="eom", prediction_data=True, core_dist_n_jobs=1)

    steps = {}

    def watch(name):
        inner = getattr(BERTopic, name)

        def outer(*args, **kwargs):
            start = time.perf_counter()
            out = inner(*args, **kwargs)
            steps[name] = steps.get(name, 0) + time.perf_counter() - start
            return out
        setattr(BERTopic, name, outer)

    for name in ("_reduce_dimensionality", "_cluster_embeddings", "_extract_topics", "_save_representative_docs"):
        watch(name)

    def whole():
        steps.clear()
        with Watch() as w:
            model = BERTopic(umap_model=reducer(), hdbscan_model=clusterer())
            labels, _ = model.fit_transform(docs, x)
        return model, labels, w.dict(steps=dict(
            reduce=steps.get("_reduce_dimensionality"), cluster=steps.get("_cluster_embeddings"),
            describe=steps.get("_extract_topics", 0) + steps.get("_save_representative_docs", 0)))

    def words(model):
        return [dict(id=int(t), words=[dict(word=w, weight=float(v)) for w, v in ws if w]) for t, ws in sorted(model.get_topics().items())]

    if "bertopic" in only:
        out = spec["out"]
        os.makedirs(out, exist_ok=True)
        model, labels, result["first"] = whole()
        with open(os.path.join(out, "documents.csv"), "w") as f:
            f.write("id,topic\n" + "".join(f"{i},{t}\n" for i, t in enumerate(labels)))
        with open(os.path.join(out, "topics.json"), "w") as f:
            json.dump(words(model), f)
        np.save(os.path.join(out, "reduced.npy"), model.umap_model.embedding_)
        # Here a process that wanted topics of these files would end.
        cpu, peak = usage()
        result["cold"] = dict(wall=time.monotonic() - spec["started"], cpu=cpu, peak_mib=peak)
        _, again, result["warm"] = whole()
        result["repeats"] = bool(list(again) == list(labels))
        model.update_topics(docs, vectorizer_model=CountVectorizer(stop_words="english"))
        with open(os.path.join(out, "topics_stop.json"), "w") as f:
            json.dump(words(model), f)
    if "umap" in only:
        if "bertopic" not in only:  # compile first
            with Watch() as w:
                reducer().fit_transform(x)
            result["umap_first"] = w.dict()
        with Watch() as w:
            reducer().fit_transform(x)
        result["umap"] = w.dict()
    if "hdbscan" in only:
        # The same points for both sides where ours are there: equal rows once,
        # as ours counts them.
        path = spec.get("points") or os.path.join(spec["out"], "reduced.npy")
        if os.path.exists(path):
            points = np.load(path).astype(np.float64)
            good = np.flatnonzero(np.isfinite(points).all(1))
            _, first = np.unique(points[good], axis=0, return_index=True)
            rows = good[np.sort(first)]
            clusterer().fit(points[rows])
            with Watch() as w:
                model = clusterer().fit(points[rows])
            result["hdbscan"] = w.dict(points=len(rows))
            np.savez(spec["labels"], rows=rows, labels=model.labels_)
    return result


def npmi_diversity(docs, topics, k=10):
    """Coherence and diversity of the topics' first k words.

    NPMI (Bouma 2009) of word pairs over whole documents: -1 for a pair that
    never shares one; the mean over a topic's pairs, then over topics with two
    or more words that the corpus has.
    """
    import numpy as np
    from sklearn.feature_extraction.text import CountVectorizer
    cv = CountVectorizer(binary=True)
    x = cv.fit_transform(docs).tocsc()
    n, scores, unknown, total = x.shape[0], [], 0, 0
    for words in topics:
        words = words[:k]
        at = [cv.vocabulary_[w] for w in words if w in cv.vocabulary_]
        unknown, total = unknown + len(words) - len(at), total + len(words)
        if len(at) < 2:
            continue
        sub = x[:, at].astype(np.float64)
        p = (sub.T @ sub).toarray() / n
        pairs = []
        for i in range(len(at)):
            for j in range(i):
                if p[i, j] == 0:
                    pairs.append(-1.0)
                elif p[i, j] == 1:
                    pairs.append(1.0)
                else:
                    pairs.append(np.log(p[i, j] / (p[i, i] * p[j, j])) / -np.log(p[i, j]))
        scores.append(np.mean(pairs))
    flat = [w for words in topics for w in words[:k]]
    return dict(npmi=float(np.mean(scores)) if scores else None, diversity=len(set(flat)) / len(flat) if flat else None,
                words_unknown=unknown / total if total else None)


def topic_words(path):
    with open(path, encoding="utf-8") as f:
        return [[w["word"] for w in t["words"]] for t in json.load(f) if t["id"] >= 0]


def score(spec):
    import csv
    import numpy as np
    from sklearn.manifold import trustworthiness
    from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score, normalized_mutual_info_score
    from sklearn.model_selection import cross_val_score
    from sklearn.neighbors import KNeighborsClassifier
    rows = read_corpus(spec["corpus"])
    docs, n = [r["text"] for r in rows], len(rows)
    x = np.load(spec["vectors"])
    classes = np.array([str(r[spec["label"]]) for r in rows]) if spec["label"] else None
    sides = {}
    for name, folder in spec["sides"].items():
        with open(os.path.join(folder, "documents.csv"), encoding="utf-8", newline="") as f:
            topics = np.array([int(line["topic"]) for line in csv.DictReader(f)])
        if len(topics) != n:
            raise SystemExit(f"{name} has {len(topics)} rows in documents.csv, the corpus {n}")
        sides[name] = topics, np.load(os.path.join(folder, "reduced.npy"))
    # Rows that every side has placed, so that all are judged on the same.
    placed = np.all([np.isfinite(y).all(1) for _, y in sides.values()], axis=0)
    sample = np.random.RandomState(0).permutation(n)[: spec["sample"]]
    sample = sample[placed[sample]]
    result = dict(sample=len(sample))
    for name, (topics, y) in sides.items():
        inside = topics >= 0
        q = dict(topics=len(set(topics[inside])), outlier_share=float(1 - inside.mean()), not_placed=int((~np.isfinite(y).all(1)).sum()))
        k = min(15, (len(sample) - 1) // 2)
        q["trustworthiness"] = float(trustworthiness(x[sample], y[sample], n_neighbors=k, metric="cosine"))
        if classes is not None:
            q["knn_accuracy"] = float(cross_val_score(KNeighborsClassifier(15), y[placed], classes[placed], cv=5).mean())
            for which, keep in (("all", np.ones(n, bool)), ("inside", inside)):
                if keep.any():
                    q["ari_" + which] = float(adjusted_rand_score(classes[keep], topics[keep]))
                    q["nmi_" + which] = float(normalized_mutual_info_score(classes[keep], topics[keep]))
                    q["ami_" + which] = float(adjusted_mutual_info_score(classes[keep], topics[keep]))
        q.update(npmi_diversity(docs, topic_words(os.path.join(spec["sides"][name], "topics.json"))))
        stop = os.path.join(spec["sides"][name], "topics_stop.json")
        if os.path.exists(stop):
            q["stop_words_removed"] = npmi_diversity(docs, topic_words(stop))
        result[name] = q
    if classes is not None:
        result["vectors"] = dict(knn_accuracy=float(cross_val_score(KNeighborsClassifier(15, metric="cosine"), x, classes, cv=5).mean()))
    labels = spec.get("labels")
    if labels and os.path.exists(labels) and "ours" in sides:
        z = np.load(labels)
        result["same_clusters"] = dict(ari=float(adjusted_rand_score(z["labels"], sides["ours"][0][z["rows"]])), rows=len(z["rows"]))
    return result


def main(job, path):
    if job == "versions":
        print(json.dumps(versions()))
        return
    with open(path, encoding="utf-8") as f:
        spec = json.load(f)
    result = dict(vectors=vectors, fit=fit, score=score)[job](spec)
    with open(spec["result"], "w", encoding="utf-8") as f:
        json.dump(result, f)


if __name__ == "__main__":
    main(*sys.argv[1:])
