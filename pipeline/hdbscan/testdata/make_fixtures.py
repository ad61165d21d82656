"""Makes hdbscan.json.gz and hdbscan_ties.json.gz from the golden file of all
steps and the library itself.

Mutual reachability ties wherever a point's core distance decides several of
its edges. The library sorts edges with numpy's default argsort, which is not
stable and follows the CPU's vector width, so which cluster such a bridging
point joins is an accident of the machine. Therefore two comparisons:
"settings" is the library as it comes, with its merge order beside it
("merge_order"), and hdbscan_ties.json.gz is the library with a stable sort.

usage: make_fixtures.py GOLDEN_DIR OUT_DIR
GOLDEN_DIR holds hdbscan.json.gz and points2000.npy. Versions: Python 3.11,
hdbscan 0.8.44, numpy 2.4.6, scikit-learn 1.9.1, scipy 1.17.1.
"""
import gzip, json, os, shutil, sys
import hdbscan, numpy as np

golden, out = sys.argv[1:3]
X = np.load(os.path.join(golden, "points2000.npy"))
src = json.load(gzip.open(os.path.join(golden, "hdbscan.json.gz")))


def r(x, digits=9):
    return [float(f"{v:.{digits}g}") for v in np.ravel(np.asarray(x, float))]



def save(name, doc):
    with gzip.GzipFile(os.path.join(out, name), "wb", 9, mtime=0) as f:
        f.write(json.dumps(doc, separators=(",", ":")).encode())


plain_argsort = np.argsort


def argsort(stable):
    """Makes the library sort edges with or without regard to their order."""
    np.argsort = (lambda a, **kw: plain_argsort(a, kind="stable")) if stable else plain_argsort


def fit(kw, stable=False, **more):
    argsort(stable)
    h = hdbscan.HDBSCAN(approx_min_span_tree=False, core_dist_n_jobs=1, gen_min_span_tree=True, **kw, **more).fit(X)
    argsort(False)
    return h


def true_selection(self):
    """The selected clusters: the lowest common ancestor of a label's rows.
    The library takes the least cluster that a row of the label falls out of,
    which is a mere part of the cluster where it splits before it loses a row."""
    t = self._raw_tree
    parent = dict(zip(t["child"].tolist(), t["parent"].tolist()))
    out = []
    for label in range(self._labels.max() + 1):
        common = None
        for row in np.flatnonzero(self._labels == label).tolist():
            path = [parent[row]]
            while path[-1] in parent:
                path.append(parent[path[-1]])
            common = path if common is None else [c for c in common if c in set(path)]
        out.append(common[0])
    return out


def merge_order(h):
    """The library's edges as it merges them, two row numbers an edge."""
    m = h.minimum_spanning_tree_._mst
    assert (np.diff(m[:, 2]) >= 0).all()
    return m[:, :2].astype(int).ravel().tolist()


doc = {"settings": {}, "shared_scores": {}, "merge_order": {}}
ties = {"settings": {}}
for name, g in src.items():
    e = dict(params=g["params"], labels=g["labels"], persistence=r(g["persistence"], 12))
    # Scores that settings share are stored once.
    for key in ("probabilities", "outlier_scores"):
        values = r(g[key], 8)
        e[key] = next((k for k, v in doc["shared_scores"].items() if v == values), None) or f"{name}/{key}"
        doc["shared_scores"][e[key]] = values
    if "condensed_tree" in g:
        t = g["condensed_tree"]
        e["condensed_tree"] = dict(parent=t["parent"], child=t["child"], child_size=t["child_size"], lambda_val=r(t["lambda_val"], 11))
        e["mst_weights_sorted"] = r(g["mst_weights_sorted"], 11)
    for key in ("approximate_predict", "membership_vectors_first50"):
        if key in g:
            e[key] = g[key]
    doc["settings"][name] = e
    h = fit(g["params"])
    assert h.labels_.tolist() == g["labels"], name
    e["merge_order"] = f"{g['params'].get('min_samples', g['params']['min_cluster_size'])} {g['params'].get('metric', 'euclidean')}"
    doc["merge_order"][e["merge_order"]] = merge_order(h)
    h = fit(g["params"], stable=True)
    ties["settings"][name] = dict(params=g["params"], labels=h.labels_.tolist(), persistence=r(h.cluster_persistence_, 12), probabilities_sum=float(h.probabilities_.sum()), outlier_scores_sum=float(h.outlier_scores_.sum()), probabilities=r(h.probabilities_[:200], 8), outlier_scores=r(h.outlier_scores_[:200], 8))

# What the golden file lacks: alpha, persistence, and predictions of new rows.
rng = np.random.RandomState(11)
Q = np.vstack([X[rng.permutation(2000)[:60]] + rng.normal(0, 0.4, (60, 5)), rng.uniform(-13, 13, (30, 5)), X[:10]]).round(6)
ties["query"] = [r(q, 12) for q in Q]
extra = dict(
    alpha13=dict(min_cluster_size=15, alpha=1.3),
    alpha08=dict(min_cluster_size=10, min_samples=4, alpha=0.8),
    persist=dict(min_cluster_size=5, min_samples=3, cluster_selection_persistence=0.02),
    persist_leaf=dict(min_cluster_size=5, min_samples=2, cluster_selection_method="leaf", cluster_selection_persistence=0.05),
    predict_mcs15=dict(min_cluster_size=15),
    predict_mcs5_leaf=dict(min_cluster_size=5, cluster_selection_method="leaf"),
    predict_eps=dict(min_cluster_size=15, min_samples=4, cluster_selection_epsilon=3.5),
    predict_manhattan=dict(min_cluster_size=15, metric="manhattan"),
)
ties["extra"] = {}
for name, kw in extra.items():
    # The Boruvka of the library divides squared distances by alpha; Prim does not.
    h = fit(kw, stable=True, **({"algorithm": "prims_kdtree"} if "alpha" in kw else {}))
    hdbscan.plots.CondensedTree._select_clusters = true_selection
    h.generate_prediction_data()
    e = dict(params=kw, labels=h.labels_.tolist(), probabilities=r(h.probabilities_[:300], 8), persistence=r(h.cluster_persistence_, 12))
    if "alpha" in kw:
        e["merge_order"] = merge_order(h)
    if name.startswith("predict"):
        l, p = hdbscan.approximate_predict(h, Q)
        e["approximate_predict"] = dict(labels=l.tolist(), probabilities=r(p))
        e["membership_vectors"] = r(hdbscan.membership_vector(h, Q))
        e["all_points_first100"] = r(hdbscan.all_points_membership_vectors(h)[:100])
    ties["extra"][name] = e
    print(name, h.labels_.max() + 1, (h.labels_ < 0).sum())

save("hdbscan.json.gz", doc)
save("hdbscan_ties.json.gz", ties)
shutil.copyfile(os.path.join(golden, "points2000.npy"), os.path.join(out, "points2000.npy"))
