"""Expected pixels by Pillow and transformers. usage: python gen.py   (in this folder; pip install pillow numpy transformers simplejpeg)
expected.json.gz  of each picture in images/: the SHA-256 of its upright RGB pixels on white, and of its bytes after each way of resizing
jpegs.json.gz     small JPEG files of every sampling, baseline and progressive, with and without restarts, and the SHA-256 of their pixels"""
import base64, gzip, hashlib, io, json, os
import numpy as np
import simplejpeg
from PIL import Image, ImageOps
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

HERE = os.path.dirname(os.path.abspath(__file__))
SETTINGS = {
    "bicubic-224": dict(size={"shortest_edge": 224}, crop_size={"height": 224, "width": 224}, resample=3),
    "bicubic-32": dict(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}, resample=3),
    "bilinear-56-48": dict(size={"shortest_edge": 56}, crop_size={"height": 48, "width": 48}, resample=2),
    "lanczos-fixed": dict(size={"height": 50, "width": 70}, do_center_crop=False, resample=1),
    "box-40": dict(size={"shortest_edge": 40}, crop_size={"height": 33, "width": 37}, resample=4),
    "hamming-29": dict(size={"shortest_edge": 29}, crop_size={"height": 29, "width": 29}, resample=5),
    "nearest-21": dict(size={"shortest_edge": 21}, crop_size={"height": 21, "width": 21}, resample=0),
    "padded": dict(size={"shortest_edge": 20}, crop_size={"height": 45, "width": 64}, resample=3),
    "as-it-is": dict(do_resize=False, crop_size={"height": 41, "width": 50}),
}
sha = lambda b: hashlib.sha256(b).hexdigest()


def upright(path):
    im = Image.open(path); im.load()
    if im.mode.startswith("I"):                     # Pillow would clip 16-bit gray to 255: the high byte is meant
        im = Image.fromarray((np.asarray(im) >> 8).astype(np.uint8))
    im = ImageOps.exif_transpose(im)
    if im.mode == "CMYK": return im.convert("RGB")
    im = im.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", im.size, (255, 255, 255)), im).convert("RGB")


def write(name, o):
    with open(os.path.join(HERE, name), "wb") as f:
        f.write(gzip.compress(json.dumps(o, separators=(",", ":")).encode(), mtime=0))


def main():
    out = {"settings": SETTINGS, "pictures": {}}
    plain = {k: CLIPImageProcessorPil(**s, do_rescale=False, do_normalize=False) for k, s in SETTINGS.items()}
    for f in sorted(os.listdir(os.path.join(HERE, "images"))):
        try: im = upright(os.path.join(HERE, "images", f))
        except Exception as e:
            out["pictures"][f] = {"error": type(e).__name__}
            continue
        e = out["pictures"][f] = {"size": im.size, "rgb": sha(im.tobytes()), "resized": {}}
        for k, p in plain.items():
            e["resized"][k] = sha(p(images=im, return_tensors="np")["pixel_values"][0].round().astype(np.uint8).tobytes())
        if f in ("rgb.png", "small-5x7.png"):
            v = CLIPImageProcessorPil(**SETTINGS["padded"])(images=im, return_tensors="np")["pixel_values"][0]
            e["pixel_values"] = base64.b64encode(v.astype("<f4").tobytes()).decode()
    write("expected.json.gz", out)

    r = np.random.default_rng(5); jpegs = []
    for w, h in [(1, 1), (3, 5), (4, 4), (8, 8), (9, 16), (17, 33), (31, 31), (40, 12), (5, 60), (60, 5)]:
        noise = Image.fromarray(r.integers(0, 256, (h, w, 3), dtype=np.uint8))
        smooth = noise.resize((max(1, w // 4), max(1, h // 4))).resize((w, h), Image.BICUBIC)
        for k, kw in enumerate([dict(subsampling=0), dict(subsampling=1), dict(subsampling=2), dict(subsampling=2, progressive=True), dict(subsampling=0, progressive=True),
                   dict(subsampling=1, progressive=True, optimize=True), dict(subsampling=2, restart_marker_blocks=1), dict(progressive=True, restart_marker_blocks=2)]):
            for im, q, mode in [(smooth, 80, "RGB"), (noise, 97 if k % 2 else 30, "RGB"), (smooth, 75, "CMYK" if k % 2 else "L")]:
                b = io.BytesIO(); im.convert(mode).save(b, "JPEG", quality=q, **kw)
                jpegs.append({"data": base64.b64encode(b.getvalue()).decode(), "rgb": sha(Image.open(b).convert("RGB").tobytes())})
    for w, h in [(1, 1), (3, 5), (4, 4), (8, 8), (9, 16), (17, 33), (31, 31), (40, 12), (5, 60), (60, 5)]:
        for sampling in ("440", "411"):             # Pillow reads these, but does not write them
            b = simplejpeg.encode_jpeg(r.integers(0, 256, (h, w, 3), dtype=np.uint8), quality=60, colorsubsampling=sampling)
            jpegs.append({"data": base64.b64encode(b).decode(), "rgb": sha(Image.open(io.BytesIO(b)).convert("RGB").tobytes())})
    write("jpegs.json.gz", jpegs)


main()
