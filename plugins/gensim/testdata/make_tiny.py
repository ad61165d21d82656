"""Makes tiny.txt, vectors of 12 values that follow from the words' letters: python make_tiny.py > tiny.txt"""
import hashlib

WORDS = """the old lighthouse keeper a young violinist our neighbour's cat minister of finance every second goalkeeper team botanists
night train to coast my grandmother waited for rain on northern hills found letter in kitchen drawer played slow song until midnight
lost three votes and good friend counted seeds rare orchid crossed river before bridge was closed remembers price bread winter won
match last minute is it market garden report of with bank stage lamp sea storm city museum piano teacher""".split()
for word in dict.fromkeys(WORDS):
    digest = hashlib.sha256(word.encode()).digest()
    print(word, " ".join("%.4f" % (b / 127.5 - 1) for b in digest[:12]))
