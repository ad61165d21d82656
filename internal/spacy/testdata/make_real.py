"""Short hashes of the tokens that spaCy cuts documents of two corpora into: all of BBC News, every ninth of 20 Newsgroups.
usage: python make_real.py BBC_NEWS.jsonl 20NG.jsonl.gz  (writes real.json.gz beside itself; spacy 3.8.18)"""
import gzip, hashlib, json, os, sys
import spacy

nlp = spacy.blank("en")
nlp.max_length = 10 ** 8


def texts(path):
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8") as f:
        return [json.loads(line)["text"] for line in f]


def short(text):
    d = nlp.make_doc(text)
    return hashlib.sha256("\0".join(t.text + t.whitespace_ for t in d).encode()).hexdigest()[:8]


out = {"bbc": [short(t) for t in texts(sys.argv[1])], "newsgroups": [short(t) for t in texts(sys.argv[2])[::9]]}
with gzip.GzipFile(os.path.join(os.path.dirname(os.path.abspath(__file__)), "real.json.gz"), "wb", 9, mtime=0) as f:
    f.write(json.dumps({k: "".join(v) for k, v in out.items()}).encode())
print({k: len(v) for k, v in out.items()})
