"""Random expressions and texts, and what Python's re makes of them.
usage: python make_cases.py  (writes cases.json.gz beside itself)"""
import gzip, json, os, random, re

R = random.Random(7)
LETTERS = list("aabbcA.1- \n_") + ["é", "É", "ß", "ſ", "s", "İ", "ı", "i", "I", "東", "२", "½", "’", "\x1c", "\u00a0", "K", "\u212a"]
ATOMS = ["a", "b", "c", "A", "i", "I", "s", "é", ".", r"\.", r"\d", r"\w", r"\s", r"\W", r"\S", r"\D", "[ab]", "[^a]", "[a-c]", "[^\\w]", "[\\d_-]", "[]a]", "[A-Z]", "[a-zé-ÿ]", "東", r"\u00e9", r"\x61", "-", r"\n", "{", "a{,}b", "[i]", "[^I]", "[ſ]", "k"]
PLACES = ["^", "$", r"\b", r"\B", r"\A", r"\Z"]
QUANTIFIERS = ["*", "+", "?", "{2}", "{1,2}", "{0,2}", "{,2}", "{1,}", "*?", "+?", "??", "{1,2}?"]


def expression(depth, behind=False):
    parts = []
    for _ in range(R.randint(1, 3)):
        x = R.random()
        if behind:
            parts.append(R.choice([a for a in ATOMS if "{" not in a])); continue
        if x < .12: parts.append(R.choice(PLACES)); continue
        if x < .22 and depth:
            kind = R.choice(["?=", "?!", "?<=", "?<!"])
            parts.append("(%s%s)" % (kind, expression(depth - 1, "<" in kind))); continue
        a = "(%s%s)" % (R.choice(["", "?:", "?P<g%d>" % R.randint(0, 10**6)]), alternation(depth - 1)) if x < .45 and depth else R.choice(ATOMS)
        parts.append(a + (R.choice(QUANTIFIERS) if R.random() < .4 else ""))
    return "".join(parts)


def alternation(depth):
    return "|".join(expression(depth) for _ in range(R.choice([1, 1, 2, 3])))


cases = []
while len(cases) < 4000:
    e = R.choice(["", "", "(?u)", "(?i)", "(?iu)", "(?m)", "(?s)"]) + alternation(3)
    try: c = re.compile(e)
    except (re.error, OverflowError): continue
    for _ in range(2):
        t = "".join(R.choice(LETTERS) for _ in range(R.randint(0, 9)))
        m, s = c.match(t), c.search(t)
        cases.append([e, t, m.end() if m else -1, list(s.span()) if s else None, [list(x.span()) for x in c.finditer(t)]])
with gzip.GzipFile(os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases.json.gz"), "wb", 9, mtime=0) as f:
    f.write(json.dumps(cases, ensure_ascii=False, separators=(",", ":")).encode())
print(len(cases))
