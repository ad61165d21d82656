"""A pipeline with rules and vectors of our own, small enough to keep: `tiny`.
usage: python make_tiny.py [FOLDER] [NAME=WORDS.txt]  (spacy 3.8.18)

Without arguments it writes `tiny` beside itself: 24 random values for each word of the sentences below. With a folder
and a file of words, one a line, it writes such a pipeline for these words."""
import os, random, re, shutil, sys
import numpy
import spacy
from spacy.tokenizer import Tokenizer
from spacy.vectors import Vectors

SENTENCES = """the old lighthouse keeper a young violinist our neighbour 's cat minister of finance every second goalkeeper team botanists night
train to coast my grandmother waited for rain on northern hills found letter in kitchen drawer played slow song until midnight lost three votes
and good friend counted seeds rare orchid crossed river before bridge was closed remembers price bread winter won match last minute
many words long document go one megabyte text follows batch be given up do n't . , ! ?"""

here = os.path.dirname(os.path.abspath(__file__))
out = sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "tiny")
words = open(sys.argv[2], encoding="utf-8").read().split() if len(sys.argv) > 2 else SENTENCES.split()
words = sorted(set(words))
nlp = spacy.blank("xx")
nlp.meta["name"] = "tiny"
nlp.tokenizer = Tokenizer(nlp.vocab,
    rules={"don't": [{65: "do"}, {65: "n't"}], "e.g.": [{65: "e.g."}]},
    prefix_search=re.compile(r"""^[("'\[]""").search, suffix_search=re.compile(r"""[)"'\].,;:!?]$|'s$""").search,
    infix_finditer=re.compile(r"(?<=[a-z])[-/](?=[a-z])").finditer, url_match=re.compile(r"(?u)^https?://\S+$").match)
values = numpy.random.RandomState(5).randn(len(words), 24).astype(numpy.float32)
nlp.vocab.vectors = Vectors(data=values, keys=words, strings=nlp.vocab.strings)
for w in words: nlp.vocab.strings.add(w)
shutil.rmtree(out, ignore_errors=True)
nlp.to_disk(out)
os.remove(os.path.join(out, "vocab", "lookups.bin"))
