"""Tokens of hard texts and hashes of strings, by spaCy.
usage: python make_texts.py  (writes texts.json.gz and hashes.json beside itself; spacy 3.8.18)"""
import gzip, json, os, random
import spacy
from spacy.strings import get_string_id
from spacy.vectors import Vectors
import numpy

HERE = os.path.dirname(os.path.abspath(__file__))
R = random.Random(11)
WORDS = ("river don't can't isn't I'm we've they'd y'all Mr. Mrs. U.S. U.K. e.g. i.e. a.m. 10am 5p.m. o'clock well-known twin-a and/or 3,400 12.5% $9.99 £5 5km 10kg "
         "20°C 1990s '90s 3x4 a+b x=y info@example.org https://example.org/a?b=1 http://10.0.0.1:80/ www.example.com example.co.uk/ foo.bar :-) :) <3 ;-( \\o/ ... .. ?! -- --- – — "
         "(hello) [x] {y} \"quoted\" 'quoted' ``quoted'' “curly” ‘curly’ «a» Ph.D. Inc. Co. St. Jan. Dr.Smith end.Start a.b.c A.B.C. COVID-19 C++ C# .NET #tag @user $US US$5 "
         "gonna cannot lemme d'accord l'eau naïve café Straße ünder İstanbul ſ 東京 привет, مرحبا ₹500 5¢ ½ ² m² 100,000,000 1.000,50 -5 +5 * ** _under_score_ __ | || ~ ^ & && % / // \\ "
         "it's it’s that'll who's Who'd've shouldn't've ain't 'em 'cause 'Twas 'tis ma'am and— (e.g. [see https://x.org]. \"What?!\" 'No.' ...yes yes... ()(). ,, ;; :: !!! ??? (( )) "
         "rock'n'roll Rock’n’Roll 4:30pm 12:00 2004-11-05 5-6 5–6 a-b-c --flag -x /usr/bin C:\\dir <b>bold</b> &amp; fi.le.txt I.B.M. e-mail 1st 2nd 10/11/2004 AT&T Q&A R&D "
         "x:y :a a: ((a)) ''' \"\"\" '\" 's ’s 'S s' s'. s'; a.m.; U.S.; (U.S.) \"U.S.\" U.S.-based 10km/h 5m. 5m.; Kb 10Kb 10 % 10% .5 5. 5.. 5... °C. 30°C. f(x) x[1] a{b} $ $$ €5 5€ 5€. ABC. abc. éa. 東. a1. 1a.").split(" ")
SPACES = [" "] * 12 + ["  ", "\n", "\n\n", "\t", " \n ", "\u00a0", "\u2009", "\u3000", "\r\n", "\u0085", "\x1c", "   "]
nlp = spacy.blank("en")
texts = ["", " ", "  ", "\n", " a", "a ", " a ", "a\u00a0b", "x" * 6000 + " b", "don't" * 5]
for _ in range(1500):
    t = ""
    for _ in range(R.randint(1, 8)):
        x = R.random()
        t += R.choice(WORDS) if x < .8 else R.choice(WORDS) + R.choice(WORDS) if x < .95 else "".join(R.choice("aA1.,'\"-/()$é°%:;!?") for _ in range(R.randint(1, 8)))
        t += R.choice(SPACES) if R.random() < .95 else ""
    texts.append(t)
out = [[t, [x.text for x in nlp(t)], "".join("1" if x.whitespace_ else "0" for x in nlp(t))] for t in texts if len(t) < 5000]
with gzip.GzipFile(os.path.join(HERE, "texts.json.gz"), "wb", 9, mtime=0) as f:
    f.write(json.dumps(out, ensure_ascii=False, separators=(",", ":")).encode())
words = ["", "a", "river", "Straße", "東京", "ORG", "NOUN", "IS_ALPHA", "X", "DATE", "lamplight", "seventeen-bytes!", "x" * 15, "x" * 16, "x" * 17, "x" * 31, "x" * 32, "x" * 33, "🚀 rocket"]
v = Vectors(mode="floret", data=numpy.zeros((7, 2), "f"), minn=2, maxn=3, hash_count=4, hash_seed=2166136261)
with open(os.path.join(HERE, "hashes.json"), "w", encoding="utf-8") as f:
    json.dump({"keys": {w: str(get_string_id(w)) for w in words}, "floret": {w: v._get_ngram_hashes(w) for w in words}}, f, ensure_ascii=False)
    f.write("\n")
# Some other languages: rules as files, tokens of texts.
more = {"fr": ["L'été aujourd'hui qu'il n'est-ce pas c'est-à-dire vas-y grand-mère. Jean-Luc l’homme", "Entr'amis, anti-héros et A-sexualis; dis-moi! 5km 10% au-delà"], "it": ["I’m l'uomo dell'arte c'e' 50€ po' un'altra"],
        "hu": ["Ez a 3-as. 10-kor, 5%-os 1990-es", "a 12.-e kb. 5km-re"], "de": ["Das ist z.B. ein Test, d.h. 3.000 Häuser. 5.Mai Nr.7 geht's"], "ru": ["Привет, мир! т.е. и т.д. 5кг"]}
languages = {}
for code, own in more.items():
    n = spacy.blank(code)
    with gzip.GzipFile(os.path.join(HERE, "tokenizer-%s.gz" % code), "wb", 9, mtime=0) as f:
        f.write(n.tokenizer.to_bytes(exclude=["vocab"]))
    n.tokenizer.from_bytes(n.tokenizer.to_bytes(exclude=["vocab"]))
    languages[code] = [[t, [x.text for x in n(t)]] for t in own + texts[20:140]]
with gzip.GzipFile(os.path.join(HERE, "languages.json.gz"), "wb", 9, mtime=0) as f:
    f.write(json.dumps(languages, ensure_ascii=False, separators=(",", ":")).encode())
print(len(out))
