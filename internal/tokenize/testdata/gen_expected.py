"""Makes folders.json.gz and components.json.gz. usage: python gen_expected.py GOLDEN_FOLDER (tokenizers 0.23.3)
folders: the small tokenizers of the golden embedders with the ids their Python libraries gave; the character map, equal in all, is left out.
components: small tokenizers made here, one for each component, with the ids of the 300 strings."""
import glob, gzip, json, sys
from tokenizers import Tokenizer, models, normalizers as N, pre_tokenizers as P, processors, trainers, AddedToken, Regex

G = sys.argv[1]
load = lambda p: json.load(gzip.open(p) if p.endswith("gz") else open(p, encoding="utf-8"))


def dump(path, value):
    with open(path, "wb") as f: f.write(gzip.compress(json.dumps(value, ensure_ascii=False).encode(), 9, mtime=0))


def bare(path):
    j = load(path)
    if j["normalizer"] and "precompiled_charsmap" in j["normalizer"]: j["normalizer"]["precompiled_charsmap"] = ""
    return j


out = []
flair = load(f"{G}/embedders/flair/expected.json.gz")
for name in "bert bert-cased distilbert roberta xlm-roberta mpnet modernbert nomic-bert deberta-v2".split():
    e = load(f"{G}/embedders/encoders/{name}/expected.json.gz")
    r = {"name": name, "tokenizer": bare(f"{G}/embedders/encoders/{name}/tokenizer.json"), "max_tokens": e["max_tokens"], "pad_id": e["pad_id"],
         "texts": e["texts"], "ids": e["input_ids"], "untruncated": e["untruncated_length"]}
    if "input_ids" in flair["document"].get(name, {}):
        r["words"] = [t if x else ["an", "empty", "document"] for x, t in zip(flair["texts"], flair["flair_tokens"])]
        r["word_ids"] = flair["document"][name]["input_ids"]
    out.append(r)
for name in ("tiny", "tiny-eos"):
    e = load(f"{G}/embedders/clip/expected{name[4:]}.json.gz")
    out.append({"name": "clip/" + name, "tokenizer": bare(f"{G}/embedders/clip/{name}/tokenizer.json"), "max_tokens": 77, "pad_id": -1,
                "texts": e["texts"], "ids": e["input_ids"], "untruncated": e["untruncated_length"]})
for name in ("st/lower-case", "clip/st-new"):
    path = f"{G}/embedders/{name}/tokenizer.json"
    t = Tokenizer.from_file(path); t.no_truncation(); t.no_padding()
    r = {"name": name, "tokenizer": bare(path), "max_tokens": 0, "pad_id": -1, "texts": out[0]["texts"], "ids": [t.encode(x).ids for x in out[0]["texts"]]}
    r["untruncated"] = [len(x) for x in r["ids"]]
    out.append(r)
dump("folders.json.gz", out)

S = load(f"{G}/tokenizers/strings.json")
made = []


def make(name, model, trainer, normalizer=None, pre=None, post=None, added=(), **kw):
    t = Tokenizer(model)
    if normalizer: t.normalizer = normalizer
    if pre: t.pre_tokenizer = pre
    t.train_from_iterator(S, trainer)
    if added: t.add_tokens(list(added))
    if post: t.post_processor = post(t)
    j = json.loads(t.to_str())
    j["model"].update(kw)
    t = Tokenizer.from_str(json.dumps(j))
    made.append({"name": name, "tokenizer": j, "ids": [t.encode(x).ids for x in S]})


bpe = lambda n=700, **k: trainers.BpeTrainer(vocab_size=n, show_progress=False, **k)
level = lambda n=500: trainers.WordLevelTrainer(vocab_size=n, special_tokens=["<unk>"], show_progress=False)
piece = lambda n=500: trainers.WordPieceTrainer(vocab_size=n, special_tokens=["[UNK]"], show_progress=False)
uni = lambda n=700: trainers.UnigramTrainer(vocab_size=n, special_tokens=["<unk>"], unk_token="<unk>", show_progress=False)
alphabet = dict(initial_alphabet=P.ByteLevel.alphabet())
WL = lambda: models.WordLevel(unk_token="<unk>")
GPT4 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
runs = [AddedToken(" " * n, normalized=True) for n in (2, 3, 4, 8)]
marked = [AddedToken("hello", single_word=True, normalized=False), AddedToken("<mask>", lstrip=True, rstrip=True, normalized=False), AddedToken("World", normalized=True),
          AddedToken("café", normalized=True, rstrip=True), AddedToken("[SEP]", lstrip=True, normalized=False), AddedToken("wor", single_word=True, normalized=True)]
make("modernbert", models.BPE(), bpe(special_tokens=["[UNK]", "[CLS]", "[SEP]"], **alphabet), N.NFC(), P.ByteLevel(add_prefix_space=False),
     lambda t: processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]), runs)
make("prefix space", models.BPE(), bpe(**alphabet), None, P.ByteLevel(add_prefix_space=True), None, [AddedToken("<mask>", lstrip=True, normalized=False)])
make("gpt4 words", models.BPE(ignore_merges=True), bpe(**alphabet), N.NFKC(), P.Sequence([P.Split(Regex(GPT4), "isolated"), P.ByteLevel(add_prefix_space=False, use_regex=False)]),
     lambda t: processors.Sequence([processors.ByteLevel(trim_offsets=False), processors.TemplateProcessing(single="a $A:1 b:2", special_tokens=[("a", t.token_to_id("a")), ("b", t.token_to_id("b"))])]))
fallback = [f"<0x{i:02X}>" for i in range(256)]
make("llama", models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True), bpe(900, special_tokens=["<unk>"] + fallback, limit_alphabet=60), N.Sequence([N.Prepend("▁"), N.Replace(" ", "▁")]))
make("bpe unknown fused", models.BPE(unk_token="<unk>", fuse_unk=True, end_of_word_suffix="</w>"), bpe(300, special_tokens=["<unk>"], limit_alphabet=40, end_of_word_suffix="</w>"), N.NFKD(), P.Whitespace())
make("bpe unknown", models.BPE(unk_token="<unk>"), bpe(300, special_tokens=["<unk>"], limit_alphabet=40), N.StripAccents(), P.WhitespaceSplit())
make("word level", WL(), level(), N.Sequence([N.NFD(), N.Lowercase(), N.StripAccents()]), P.Whitespace())
make("strip, nmt", WL(), level(), N.Sequence([N.Nmt(), N.Strip()]), P.Sequence([P.Whitespace(), P.Punctuation(), P.Digits(individual_digits=False)]), None, marked)
make("digits", WL(), level(), N.NFKC(), P.Sequence([P.WhitespaceSplit(), P.Digits(individual_digits=True), P.Punctuation("contiguous")]))
for b in ("removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"):
    make("punctuation " + b, WL(), level(800), None, P.Sequence([P.CharDelimiterSplit(" "), P.Punctuation(b)]))
    make("split " + b, WL(), level(800), None, P.Split(Regex(r"\d|[\s.]"), b))
    make("inverted split " + b, WL(), level(800), None, P.Split(Regex(r"\w+"), b, invert=True))
make("wordpiece", models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=6), piece(), N.BertNormalizer(strip_accents=False), P.BertPreTokenizer(), None, marked)
make("wordpiece cased", models.WordPiece(unk_token="[UNK]"), piece(), N.BertNormalizer(lowercase=False, strip_accents=True, clean_text=False, handle_chinese_chars=False), P.BertPreTokenizer(), None, marked)
for scheme in ("first", "never", "always"):
    for cut in (True, False):
        make(f"unigram {scheme} {cut}", models.Unigram(), uni(), N.NFKC(), P.Metaspace(prepend_scheme=scheme, split=cut), None, marked)
make("no pre-tokeniser", models.Unigram(), uni(400), N.Replace(Regex(r"\s{2,}|[\n\t]"), "_"))
dump("components.json.gz", {"strings": len(S), "tokenizers": made})
