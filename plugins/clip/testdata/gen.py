"""Expected vectors of emoji-clip (examples/mixed) by transformers. usage: python gen.py   (in this folder; pip install torch pillow numpy transformers)
expected.json.gz  texts with their token ids, and the pictures of internal/picture/testdata/images as they are to be seen: upright, on white"""
import gzip, json, os, sys
import numpy as np, torch
from PIL import Image, ImageOps
from transformers import AutoTokenizer, CLIPModel
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

HERE = os.path.dirname(os.path.abspath(__file__)); ROOT = os.path.join(HERE, "..", "..", "..")
MODEL, PICTURES = os.path.join(ROOT, "examples", "mixed", "emoji-clip"), os.path.join(ROOT, "internal", "picture", "testdata", "images")
torch.set_num_threads(1)
feat = lambda o: o if torch.is_tensor(o) else o.pooler_output
f32 = lambda t: [float(f"{x:.8g}") for x in t.tolist()]


def upright(path):
    im = Image.open(path); im.load()
    if im.mode.startswith("I"): im = Image.fromarray((np.asarray(im) >> 8).astype(np.uint8))  # Pillow would clip 16-bit gray to 255
    im = ImageOps.exif_transpose(im)
    if im.mode == "CMYK": return im.convert("RGB")
    im = im.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", im.size, (255, 255, 255)), im).convert("RGB")


def main():
    tok = AutoTokenizer.from_pretrained(MODEL); m = CLIPModel.from_pretrained(MODEL, dtype=torch.float32).eval(); ip = CLIPImageProcessorPil.from_pretrained(MODEL)
    word = "red apple green river "
    texts = ["river", "a picture of a red apple", "A Picture   of a RED apple!", "crème brûlée, naïve", "東京の図書館", "a rocket 🚀 and a cat 🐈", "it's 12.5% of $3,400", word * 3, word * 18 + "red apple green", word * 18 + "red apple green river", word * 120]
    out = {"texts": [], "pictures": {}}
    with torch.no_grad():
        for t in texts:
            whole = tok(t)["input_ids"]; ids = tok(t, truncation=True, max_length=m.config.text_config.max_position_embeddings)["input_ids"]
            out["texts"].append({"text": t, "lost": len(whole) - len(ids), "ids": ids, "vector": f32(feat(m.get_text_features(input_ids=torch.tensor([ids])))[0])})
        for f in sorted(os.listdir(PICTURES)):
            try: im = upright(os.path.join(PICTURES, f))
            except Exception: continue
            out["pictures"][f] = f32(feat(m.get_image_features(pixel_values=torch.tensor(ip(images=im, return_tensors="np")["pixel_values"])))[0])
    with open(os.path.join(HERE, "expected.json.gz"), "wb") as f: f.write(gzip.compress(json.dumps(out, separators=(",", ":")).encode(), mtime=0))
    print([(len(t["ids"]), t["lost"]) for t in out["texts"]], len(out["pictures"]))


main()
