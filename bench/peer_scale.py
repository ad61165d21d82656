"""The Python side of bench/scale.py; runs in the peers' own virtual environment.

    peer_scale.py distinct SPEC     the rows of a layout that clustering can take, equal rows once
    peer_scale.py hdbscan SPEC      fast_hdbscan and hdbscan on given points; ours held against hdbscan exact
    peer_scale.py knn SPEC          numpy's and pynndescent's neighbours; recall of all
    peer_scale.py seeds SPEC        BERTopic once a seed
    peer_scale.py agreement SPEC    mean ARI between the labels of several files
    peer_scale.py umap SPEC         umap-learn, and hdbscan on its layout
    peer_scale.py classes SPEC      labels against known classes
    peer_scale.py membership SPEC   hdbscan's membership vectors and approximate_predict
    peer_scale.py tfidf SPEC        scikit-learn's TfidfVectorizer; our matrix held against its own
    peer_scale.py sparse SPEC       BERTopic on a sparse matrix
    peer_scale.py sparse_score SPEC both sides' topics of a sparse matrix
    peer_scale.py versions -        the libraries' versions

SPEC is a JSON file written by scale.py; a result goes to its "result" path. A
library that compiles itself does so on a few rows before it is measured.
"""
import csv
import itertools
import json
import os
import sys

from peer import Watch, npmi_diversity, read_corpus, topic_words, usage, versions as base_versions

WARM_UP = 5000  # rows, for umap-learn and pynndescent


def versions():
    from importlib.metadata import version
    return dict(base_versions(), fast_hdbscan=version("fast_hdbscan"))


def timed(f, runs):
    """Runs f; returns the last result, and the seconds of each run."""
    costs = []
    for _ in range(runs):
        with Watch() as w:
            out = f()
        costs.append(w.dict())
    return out, costs


def topics_of(path):
    """The topic of each row: of a documents.csv, or a .npy of one column."""
    import numpy as np
    if path.endswith(".npy"):
        return np.load(path).reshape(-1).astype(np.int64)
    with open(path, encoding="utf-8", newline="") as f:
        return np.array([int(line["topic"]) for line in csv.DictReader(f)])


def matching(a, b):
    """The cluster of b that each cluster of a is best matched with, -1 for none: numbers depend on the order of the rows."""
    import numpy as np
    from scipy.optimize import linear_sum_assignment
    table = np.zeros((a.max() + 1, b.max() + 1), np.int64)
    both = (a >= 0) & (b >= 0)
    np.add.at(table, (a[both], b[both]), 1)
    out = np.full(len(table), -1)
    rows, columns = linear_sum_assignment(-table)
    out[rows] = columns
    return out


def compare(a, b):
    """Two partitions, outliers as one cluster more: ARI, and the share of rows with the same label after the best matching."""
    import numpy as np
    from sklearn.metrics import adjusted_rand_score
    renamed = np.append(np.where(matching(a, b) < 0, -2, matching(a, b)), -1)[a]  # the last for outliers
    return dict(ari=float(adjusted_rand_score(a, b)), same=float((renamed == b).mean()))


def clusters_of(labels):
    return dict(clusters=int(labels.max()) + 1, outlier_share=float((labels < 0).mean()))


def distinct(spec):
    import numpy as np
    y = np.load(spec["in"])
    y = y[np.isfinite(y).all(1)]
    _, first = np.unique(y, axis=0, return_index=True)
    np.save(spec["out"], y[np.sort(first)])
    return dict(rows=len(first))


def hdbscan(spec):
    import numpy as np
    x = np.load(spec["in"]).astype(np.float64)
    runs, result = spec["runs"], {}
    ours = topics_of(spec["ours"])
    import fast_hdbscan
    import hdbscan as h
    fast_hdbscan.HDBSCAN(min_cluster_size=10).fit(x[:3000])
    fast, result["fast"] = timed(lambda: fast_hdbscan.HDBSCAN(min_cluster_size=10).fit(x), runs)

    def make(**more):
        return h.HDBSCAN(min_cluster_size=10, core_dist_n_jobs=1, **more)

    if spec["hdbscan"]:
        make().fit(x[:3000])
        # As BERTopic runs it: an approximate spanning tree, data for predictions.
        _, result["hdbscan"] = timed(lambda: make(prediction_data=True).fit(x), runs)
    # Truth: the exact spanning tree.
    exact, result["exact"] = timed(lambda: make(approx_min_span_tree=False).fit(x), 1)
    result["ours_exact"] = compare(ours, exact.labels_)
    result["fast_exact"] = compare(fast.labels_, exact.labels_)
    # Equal weights are sorted in no set order, so hdbscan disagrees with itself when rows come in another one.
    order = np.random.RandomState(0).permutation(len(x))
    again = np.empty(len(x), np.int64)
    again[order] = make(approx_min_span_tree=False).fit(x[order]).labels_
    result["exact_shuffled"] = compare(again, exact.labels_)
    result["shape"] = dict(exact=clusters_of(exact.labels_), fast=clusters_of(fast.labels_), ours=clusters_of(ours))
    return result


def numpy_neighbours(x, k, block=2000):
    """The k rows nearest to each by cosine, itself first, by blocks of a matrix product."""
    import numpy as np
    out = np.empty((len(x), k), np.int64)
    for lo in range(0, len(x), block):
        s = x[lo:lo + block] @ x.T
        near = np.argpartition(-s, k, axis=1)[:, :k]
        order = np.argsort(-np.take_along_axis(s, near, 1), axis=1, kind="stable")
        out[lo:lo + block] = np.take_along_axis(near, order, 1)
    return out


def recall(x, rows, found, k):
    """The share of true neighbours among found (rows x k, the row itself left out), ties counted as found."""
    import numpy as np
    hits = total = 0
    for i, near in zip(rows, found):
        d = 1 - x[i].astype(np.float64) @ x.T.astype(np.float64)
        d[i] = np.inf
        bar = np.partition(d, k - 1)[k - 1]
        near = [j for j in near if j != i and j >= 0][:k]
        hits += int((d[near] <= bar + 1e-6).sum())
        total += k
    return hits / total


def knn(spec):
    import numpy as np
    x, k, runs = np.load(spec["in"]), spec["k"], spec["runs"]
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    found, costs = timed(lambda: numpy_neighbours(x, k), runs)
    result = dict(numpy=costs)
    rows = np.random.RandomState(0).permutation(len(x))[:500]
    result["numpy_recall"] = recall(x, rows, found[rows], k - 1)
    ours = np.load(spec["ours"]).astype(np.int64)
    result["ours_recall"] = recall(x, rows, ours[rows], k - 1)
    if spec["pynndescent"]:
        found, result["pynndescent"], result["pynndescent_first"] = descent(x, k, runs)
        result["pynndescent_recall"] = recall(x, rows, found[rows], k - 1)
    return result


def descent(x, k, runs):
    import numpy as np
    import pynndescent

    def make(z):  # as umap-learn calls it
        return pynndescent.NNDescent(z, n_neighbors=k, metric="cosine", random_state=42, n_trees=min(64, 5 + int(round(len(z) ** 0.5 / 20.0))),
                                     n_iters=max(5, int(round(np.log2(len(z))))), max_candidates=60, low_memory=False)
    with Watch() as first:
        make(x[:WARM_UP])
    graph, costs = timed(lambda: make(x), runs)
    return graph.neighbor_graph[0], costs, first.dict()


def reducer(seed, metric="cosine"):
    from umap import UMAP
    return UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric=metric, low_memory=False, random_state=seed)


def clusterer():
    from hdbscan import HDBSCAN
    return HDBSCAN(min_cluster_size=10, metric="euclidean", cluster_selection_method="eom", prediction_data=True, core_dist_n_jobs=1)


def write_topics(folder, labels, model=None):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "documents.csv"), "w") as f:
        f.write("id,topic\n" + "".join(f"{i},{t}\n" for i, t in enumerate(labels)))
    if model is not None:
        words = [dict(id=int(t), words=[dict(word=w, weight=float(v)) for w, v in ws if w]) for t, ws in sorted(model.get_topics().items())]
        with open(os.path.join(folder, "topics.json"), "w") as f:
            json.dump(words, f)


def seeds(spec):
    import numpy as np
    from bertopic import BERTopic
    docs, x = [r["text"] for r in read_corpus(spec["corpus"])], np.load(spec["vectors"])
    costs = []
    for seed in spec["seeds"]:
        with Watch() as w:
            labels, _ = BERTopic(umap_model=reducer(seed), hdbscan_model=clusterer()).fit_transform(docs, x)
        costs.append(w.dict(seed=seed))
        write_topics(os.path.join(spec["out"], str(seed)), labels)
    return dict(costs=costs)


def agreement(spec):
    import numpy as np
    from sklearn.metrics import adjusted_rand_score
    labels = [topics_of(path) for path in spec["files"]]
    everything, inside = [], []
    for a, b in itertools.combinations(labels, 2):
        everything.append(adjusted_rand_score(a, b))
        both = (a >= 0) & (b >= 0)
        inside.append(adjusted_rand_score(a[both], b[both]))
    return dict(ari=float(np.mean(everything)), low=float(np.min(everything)), ari_inside=float(np.mean(inside)),
                outliers=[float((a < 0).mean()) for a in labels], clusters=[int(a.max()) + 1 for a in labels])


def umap(spec):
    import numpy as np
    x = np.load(spec["vectors"])
    with Watch() as first:
        y = reducer(42).fit_transform(x[:WARM_UP])
        clusterer().fit(y)
    with Watch() as w:
        model = reducer(42)
        y = model.fit_transform(x)
    result = dict(first=first.dict(), umap=w.dict())
    good = np.isfinite(y).all(1)
    with Watch() as w:
        labels = np.full(len(y), -1)
        labels[good] = clusterer().fit(y[good].astype(np.float64)).labels_
    result["hdbscan"], result["peak_mib"] = w.dict(), usage()[1]
    write_topics(spec["out"], labels)
    near = getattr(model, "_knn_indices", None)
    if near is not None and len(near) == len(x):
        x = x / np.linalg.norm(x, axis=1, keepdims=True)
        rows = np.random.RandomState(0).permutation(len(x))[:300]
        result["recall"] = recall(x, rows, near[rows], near.shape[1] - 1)
    return result


def classes(spec):
    import numpy as np
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
    known = np.array([str(r["class"]) for r in read_corpus(spec["corpus"])])
    truth = known != "-1"
    result = {}
    for side, folder in spec["sides"].items():
        topics = topics_of(os.path.join(folder, "documents.csv"))
        inside = truth & (topics >= 0)
        result[side] = dict(
            topics=int(topics.max()) + 1, outlier_share=float((topics < 0).mean()), lost=float((topics[truth] < 0).mean()),
            noise_found=float((topics[~truth] < 0).mean()) if (~truth).any() else None,
            nmi=float(normalized_mutual_info_score(known, topics)), nmi_inside=float(normalized_mutual_info_score(known[inside], topics[inside])),
            ari=float(adjusted_rand_score(known, topics)))
    return result


def membership(spec):
    import numpy as np
    import hdbscan as h
    x, q = np.load(spec["in"]).astype(np.float64), np.load(spec["queries"]).astype(np.float64)[: spec["new"]]
    model = h.HDBSCAN(min_cluster_size=10, core_dist_n_jobs=1, approx_min_span_tree=False, prediction_data=True).fit(x)
    h.approximate_predict(model, q[:5])
    (labels, _), predict = timed(lambda: h.approximate_predict(model, q), 1)
    with Watch() as one:
        h.membership_vector(model, q[: spec["one"]])
    with Watch() as w:
        shares = h.all_points_membership_vectors(model)
    result = dict(rows=len(x), new=len(q), one=min(spec["one"], len(q)), clusters=int(model.labels_.max()) + 1, predict=predict[0], all=w.dict(), predict_membership=one.dict())
    ours, fit, fresh = np.load(spec["ours"]), topics_of(spec["ours"] + ".fit.npy"), topics_of(spec["ours"] + ".new.npy")[: len(q)]
    result["fit"], result["predicted"] = compare(fit, model.labels_), compare(fresh, labels)
    columns = matching(fit, model.labels_)
    if ours.shape == shares.shape and columns.min() >= 0:
        d = np.abs(ours - shares[:, columns]).max(axis=1)
        result["difference"] = dict(median=float(np.median(d)), over=float((d > 1e-6).mean()), most=float(d.max()))
    return result


def our_matrix(path):
    import scipy.sparse
    m = scipy.sparse.load_npz(path).tocsr()
    m.sort_indices()
    return m


def tfidf(spec):
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer
    docs = [r["text"] for r in read_corpus(spec["corpus"])]
    made = {}

    def fit():
        made["v"] = TfidfVectorizer(min_df=spec["min_df"])
        return made["v"].fit_transform(docs)

    x, fits = timed(fit, spec["runs"])
    _, again = timed(lambda: made["v"].transform(docs), spec["runs"])
    x.sort_indices()
    ours = our_matrix(spec["ours"])
    with open(spec["ours"] + ".terms.json", encoding="utf-8") as f:
        terms = json.load(f)
    same = terms == list(made["v"].get_feature_names_out()) and ours.shape == x.shape and np.array_equal(ours.indptr, x.indptr) and np.array_equal(ours.indices, x.indices)
    return dict(fit=fits, transform=again, shape=x.shape, values=int(x.nnz), same=bool(same),
                difference=float(np.abs(ours.data - x.data).max()) if same and x.nnz else None)


def sparse(spec):
    from bertopic import BERTopic
    from time import monotonic
    docs = [r["text"] for r in read_corpus(spec["corpus"])]
    x = our_matrix(spec["matrix"])
    result = {}
    for name in ("first", "warm")[: spec["fits"]]:
        with Watch() as w:
            model = BERTopic(umap_model=reducer(42, "hellinger"), hdbscan_model=clusterer())
            labels, _ = model.fit_transform(docs, x)
        result[name] = w.dict()
        if name == "first":
            write_topics(spec["out"], labels, model)
            cpu, peak = usage()
            result["cold"] = dict(wall=monotonic() - spec["started"], cpu=cpu, peak_mib=peak)
            import numpy as np
            np.save(os.path.join(spec["out"], "reduced.npy"), model.umap_model.embedding_)
    return result


def sparse_score(spec):
    import numpy as np
    from sklearn.manifold import trustworthiness
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
    rows = read_corpus(spec["corpus"])
    docs, known = [r["text"] for r in rows], np.array([str(r[spec["label"]]) for r in rows])
    x = our_matrix(spec["matrix"])
    sides = {}
    for side, folder in spec["sides"].items():
        topics, y = topics_of(os.path.join(folder, "documents.csv")), np.load(os.path.join(folder, "reduced.npy"))
        sides[side] = topics, y
    placed = np.all([np.isfinite(y).all(1) for _, y in sides.values()], axis=0) & (x.getnnz(1) > 0)
    sample = np.flatnonzero(placed)[np.random.RandomState(0).permutation(int(placed.sum()))[:3000]]
    # The hellinger distance orders rows as the cosine of their square roots does.
    z = np.sqrt(x[sample].toarray())
    result = {}
    for side, (topics, y) in sides.items():
        inside = topics >= 0
        q = dict(clusters_of(topics), not_placed=int((~np.isfinite(y).all(1)).sum()))
        q["trustworthiness"] = float(trustworthiness(z, y[sample], n_neighbors=min(15, (len(sample) - 1) // 2), metric="cosine"))
        q["nmi_all"] = float(normalized_mutual_info_score(known, topics))
        if inside.any():
            q["nmi_inside"], q["ari_inside"] = float(normalized_mutual_info_score(known[inside], topics[inside])), float(adjusted_rand_score(known[inside], topics[inside]))
        q.update(npmi_diversity(docs, topic_words(os.path.join(spec["sides"][side], "topics.json"))))
        result[side] = q
    return result


JOBS = dict(distinct=distinct, hdbscan=hdbscan, knn=knn, seeds=seeds, agreement=agreement, umap=umap, classes=classes, membership=membership,
            tfidf=tfidf, sparse=sparse, sparse_score=sparse_score)


def main():
    job, path = sys.argv[1:]
    if job == "versions":
        print(json.dumps(versions()))
        return
    with open(path, encoding="utf-8") as f:
        spec = json.load(f)
    result = JOBS[job](spec)
    with open(spec["result"], "w", encoding="utf-8") as f:
        json.dump(result, f)


if __name__ == "__main__":
    main()
