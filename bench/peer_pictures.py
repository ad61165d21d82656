"""The peer's side of bench/pictures.py: Pillow and transformers' image processor for CLIP, in one process on one core.

    python peer_pictures.py versions
    python peer_pictures.py make FOLDER WIDTH HEIGHT COUNT SEED
    python peer_pictures.py measure FOLDER SETTINGS VALUES
"""
import json
import os
import platform
import sys
import time


def make(folder, width, height, count, seed):
    """Noise of several scales, as JPEG of quality 88 with half the colours each way, which is what cameras write; about two bits a pixel."""
    import numpy as np
    from PIL import Image
    os.makedirs(folder)
    for i in range(count):
        r = np.random.default_rng([seed, i])
        a = np.full((height, width, 3), 128, np.float32)
        for k in (4, 16, 64, 128):
            n = r.normal(size=(max(2, height * k // 640), max(2, width * k // 640), 3)).astype(np.float32)
            for c in range(3):
                a[..., c] += np.asarray(Image.fromarray(n[..., c]).resize((width, height), Image.BICUBIC)) * (60 / k ** 0.35)
        a += r.normal(size=(height, width, 1)) * 3
        Image.fromarray(np.clip(a, 0, 255).astype(np.uint8)).save(os.path.join(folder, f"{i:05d}.jpg"), quality=88)


def measure(folder, settings, values):
    import numpy as np
    from PIL import Image
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
    with open(settings) as f:
        processor = CLIPImageProcessorPil(**json.load(f))
    paths = [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
    processor(images=Image.open(paths[0]), return_tensors="np")  # what is imported late is imported now
    decode = preprocess = resize = 0.0
    begin = time.process_time()
    for i, path in enumerate(paths):
        start = time.process_time()
        with Image.open(path) as im:
            im = im.convert("RGB")
        middle = time.process_time()
        pixels = processor(images=im, return_tensors="np")["pixel_values"][0]
        end = time.process_time()
        decode += middle - start
        preprocess += end - middle
        if i == 0:
            np.asarray(pixels, "<f4").tofile(values)
    process = time.process_time() - begin
    for path in paths[:50]:  # Pillow's part of it, by itself
        with Image.open(path) as im:
            im = im.convert("RGB")
        short = min(im.size)
        start = time.process_time()
        im.resize((224 * im.width // short, 224 * im.height // short), Image.BICUBIC)
        resize += time.process_time() - start
    return dict(pictures=len(paths), decode=decode, preprocess=preprocess, process=process, resize=resize / len(paths[:50]) * len(paths))


def main():
    job, *rest = sys.argv[1:]
    if job == "versions":
        import PIL
        from PIL import features
        import transformers
        print(json.dumps(dict(python=platform.python_version(), pillow=PIL.__version__, libjpeg_turbo=features.version("libjpeg_turbo"), transformers=transformers.__version__)))
    elif job == "make":
        make(rest[0], *map(int, rest[1:]))
    else:
        print(json.dumps(measure(*rest)))


main()
