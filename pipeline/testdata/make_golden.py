# Topics over time and per class by BERTopic 0.17.4, over given topics: prints
# over.json. evolution_tuning is shown twice: as it is, where it does nothing,
# and with its assignment made to take effect.
import inspect, json, textwrap
import numpy as np, pandas as pd
import bertopic
from bertopic import BERTopic, _bertopic
from bertopic.backend import BaseEmbedder
from bertopic.cluster import BaseCluster
from bertopic.dimensionality import BaseDimensionalityReduction

words = {0: "anchor boat coral dolphin estuary ferry gull harbour".split(),
         1: "apple bread cheese dough egg flour garlic honey".split(),
         -1: "noise anchor apple static hiss".split()}
state = 7
def draw(n):
    global state
    state = (state * 1103515245 + 12345) % 2**31
    return (state >> 8) % n
rows = []
for i in range(48):
    topic = [0, 1, 0, 1, 1, -1][draw(6)]
    year = 2015 + draw(5)
    w = words[topic]
    drift = (year - 2015) % len(w)
    text = " ".join(w[(drift + min(draw(4), draw(6))) % len(w)] for _ in range(5 + draw(4)))
    rows.append(dict(topic=topic, year=year, cls=["north", "south", "west"][draw(3)], text=text))
docs = [r["text"] for r in rows]
y = [r["topic"] for r in rows]
stamps = [pd.Timestamp(r["year"], 1, 1) for r in rows]

def fit():
    m = BERTopic(embedding_model=BaseEmbedder(), umap_model=BaseDimensionalityReduction(), hdbscan_model=BaseCluster())
    m.fit(docs, embeddings=np.zeros((len(docs), 2)), y=y)
    return m

captured = []
def capture(self, words, documents, c_tf_idf=None, **kw):
    labels = sorted(documents.Topic.unique())
    captured.append((list(words), labels, c_tf_idf.toarray()))
    return original(self, words, documents, c_tf_idf, **kw)

m = fit()
out = dict(bertopic=bertopic.__version__, rows=[dict(r, mapped=int(t)) for r, t in zip(rows, m.topics_)], cases=[])
original = BERTopic._extract_words_per_topic
source = textwrap.dedent(inspect.getsource(BERTopic.topics_over_time))
mended = source.replace("c_tf_idf.tolil()[current_overlap_idx] =", "lil = c_tf_idf.tolil(); lil[current_overlap_idx] =").replace(
    "# Fine-tune the timestamp c-TF-IDF", "if evolution_tuning and index != 0: c_tf_idf = lil.tocsr()\n        # Fine-tune the timestamp c-TF-IDF", 1)
assert mended.count("lil") >= 3
space = dict(vars(_bertopic)); exec(mended, space)

def rowsof(frame, key):
    # One captured matrix a part, in the order of the frame.
    parts = list(dict.fromkeys(frame[key]))
    res = []
    for part, (vocabulary, labels, matrix) in zip(parts, captured):
        for label, values in zip(labels, matrix):
            n = int(frame[(frame[key] == part) & (frame.Topic == label)].Frequency.iloc[0])
            w = {vocabulary[j]: float("%.12g" % v) for j, v in enumerate(values) if v != 0}
            res.append(dict(topic=int(label), part=str(part.year) if key == "Timestamp" else part, count=n, weights=w))
    return sorted(res, key=lambda r: (r["part"], r["topic"]))

BERTopic._extract_words_per_topic = capture
for name, f, kw in [
    ("plain", BERTopic.topics_over_time, dict(global_tuning=False, evolution_tuning=False)),
    ("global", BERTopic.topics_over_time, dict(global_tuning=True, evolution_tuning=False)),
    ("both, as it is", BERTopic.topics_over_time, dict(global_tuning=True, evolution_tuning=True)),
    ("evolution, mended", space["topics_over_time"], dict(global_tuning=False, evolution_tuning=True)),
    ("both, mended", space["topics_over_time"], dict(global_tuning=True, evolution_tuning=True)),
]:
    captured.clear()
    frame = f(m, docs, stamps, **kw)
    out["cases"].append(dict(name=name, **kw, rows=rowsof(frame, "Timestamp")))
for g in (False, True):
    captured.clear()
    frame = m.topics_per_class(docs, [r["cls"] for r in rows], global_tuning=g)
    out["cases"].append(dict(name="class", per_class=True, global_tuning=g, evolution_tuning=False, rows=rowsof(frame, "Class")))
print(json.dumps(out, indent=None, separators=(",", ":")).replace('{"name"', '\n{"name"').replace('{"topic"', '\n{"topic"'))
