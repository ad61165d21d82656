"""Words, lower case, stripped accents and patterns as Python itself has them. Run: python make_words.py (Python 3.11)"""
import gzip, json, random, re, sys, unicodedata

R = random.Random(20)
BLOCKS = [(0x20, 0x7F), (0x20, 0x7F), (0xA0, 0x250), (0x250, 0x370), (0x370, 0x400), (0x3A3, 0x3A4), (0x400, 0x530), (0x530, 0x600), (0x600, 0x700),
          (0x900, 0xA00), (0xE00, 0xF00), (0x10A0, 0x1100), (0x13A0, 0x1400), (0x1C80, 0x1D00), (0x1E00, 0x2000), (0x2000, 0x2070), (0x2070, 0x2190), (0x2460, 0x2500),
          (0x2C00, 0x2E00), (0x3000, 0x3100), (0x4E00, 0x5000), (0xA640, 0xA800), (0xAB30, 0xABC0), (0xAC00, 0xAD00), (0xF900, 0xFB00), (0xFB00, 0xFB50), (0xFF00, 0xFFF0),
          (0x10400, 0x10500), (0x118A0, 0x11900), (0x1D400, 0x1D500), (0x1F100, 0x1F200), (0x1F600, 0x1F640), (0x300, 0x320), (0x09, 0x0E), (0x1C, 0x21), (0x80, 0xA1)]


def char():
    while True:
        c = chr(R.randrange(*R.choice(BLOCKS)))
        if unicodedata.category(c) not in ("Cn", "Cs"): return c


def text():
    n, out = R.randrange(1, 40), []
    while len(out) < n:
        k = R.random()
        if k < 0.2: out.append(R.choice(" \t\n.,'-_\u00a0\u2019:"))
        elif k < 0.3: out.append(R.choice("ΣσAaİıſßǅ\u0301\u0345"))
        elif k < 0.6: out.append(R.choice("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"))
        else: out.append(char())
    return "".join(out)


def unaccent(s): return "".join(c for c in unicodedata.normalize("NFKD", s) if not unicodedata.combining(c))
def ascii_(s): return unicodedata.normalize("NFKD", s).encode("ASCII", "ignore").decode("ASCII")


WORD = re.compile(r"(?u)\b\w\w+\b")
texts = [text() for _ in range(600)] + ["ΑΣ", "ΑΣ.", "ΑΣΑ", "Σ", "Α'Σ", "ΑΣ'Α", "1Σ", "a" + "\u0301" * 40 + "bc", "각각 \u1100\u1161"]
patterns = [r"(?u)\b\w+\b", r"(\w+)ing\b", r"(?i)[A-F]+", r"\w*", r"[^\W\d_]+", r"\S+", r"(?:a|ab)(c|bcd)?", r"\b[a-z]\w{1,3}?", r"\d+|[\w-]+", r"[\W]+", r"[^\s]{2,}", r"x*?", r"(?s).{3}", r"\Bs\b|\w(?P<r>\w)", r"[\]a-]+", r"a{,2}b"]
subjects = ["singing the running ring, bringing in", "abcd abc ab a AbC-def 12_3 ४५६", "café naïve ½ İstanbul\u00a0x\x1cy", "", "xx aaab ab b", "a-b]c [d] s's"] + texts[:24]
out = dict(python=sys.version.split()[0], unicode=unicodedata.unidata_version, texts=texts, lower=[t.lower() for t in texts], words=[WORD.findall(t.lower()) for t in texts], words_keep=[WORD.findall(t) for t in texts],
           unicode_strip=[unaccent(t.lower()) for t in texts], ascii_strip=[ascii_(t.lower()) for t in texts], split=[re.sub(r"\s\s+", " ", t).split() for t in texts],
           patterns=patterns, subjects=subjects, found=[[re.compile(p).findall(s) for s in subjects] for p in patterns])
with gzip.GzipFile("words.json.gz", "wb", mtime=0) as f: f.write(json.dumps(out).encode())
