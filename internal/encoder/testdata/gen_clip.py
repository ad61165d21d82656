"""Expected values of CLIP towers. usage: python gen_clip.py (in this folder; torch 2.15.0, transformers 5.24.0)

clip/, siglip/    tiny folders of random weights with what the other fixtures leave out: the vector at the highest id with gelu,
                  pictures whose patches leave a rest; SigLIP with its padded texts and its pooling by a learned query
*.expected.json   input_ids, text_embeds, image_embeds of pictures that are made by a formula
emoji-clip.expected.json  the same of examples/mixed/emoji-clip
"""
import gzip, json, os, shutil
os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np, torch
from transformers import CLIPConfig, CLIPModel, SiglipConfig, SiglipModel
torch.set_num_threads(1)
HERE = os.path.dirname(os.path.abspath(__file__)); EMOJI = os.path.join(HERE, "..", "..", "..", "examples", "mixed", "emoji-clip")
PICTURES = 4


def pixels(n, size):
    """Values from -2 to 2 that are exact in float32, by a formula that the Go test repeats."""
    i = np.arange(n * 3 * size * size, dtype=np.uint32)
    h = (i * np.uint32(2654435761)) >> np.uint32(16)
    return torch.from_numpy(((h.astype(np.float32) - 32768) / 16384).reshape(n, 3, size, size))


def fill(model, seed):
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in sorted(model.named_parameters()):
            w = torch.randn(p.shape, generator=g)
            if name in ("logit_scale", "logit_bias"): p.fill_(2.5)
            elif "norm" in name.lower() and name.endswith("weight"): p.copy_(1 + 0.2 * w)
            elif p.ndim > 1: p.copy_(w * (0.5 if "embedding" in name and "patch" not in name else 1.0 / np.prod(p.shape[1:]) ** 0.5))
            else: p.copy_(0.2 * w)


def expected(model, name, ids, size):
    feat = lambda o: o if torch.is_tensor(o) else o.pooler_output
    px = pixels(PICTURES, size); out = dict(input_ids=ids, text_embeds=[], image_embeds=[], logit_scale=float(model.logit_scale.exp()))
    with torch.no_grad():
        for row in ids: out["text_embeds"].append(feat(model.get_text_features(input_ids=torch.tensor([row])))[0].tolist())
        for i in range(PICTURES): out["image_embeds"].append(feat(model.get_image_features(pixel_values=px[i:i + 1]))[0].tolist())
    with gzip.GzipFile(os.path.join(HERE, name + ".expected.json.gz"), "wb", mtime=0) as f: f.write(json.dumps(out).encode())


def save(model, name):
    d = os.path.join(HERE, name); shutil.rmtree(d, ignore_errors=True); model.save_pretrained(d)
    with open(f"{d}/model.safetensors", "rb") as f, gzip.GzipFile(f"{d}/model.safetensors.gz", "wb", mtime=0) as z: z.write(f.read())
    os.remove(f"{d}/model.safetensors")


def rows(seed, vocab, begin, end, lengths, pad=0):
    r = np.random.RandomState(seed); out = []
    for n in lengths:
        row = begin + r.randint(3, vocab - 3, n).tolist() + [end]; out.append(row + [1] * (pad - len(row)))
    return out


text = dict(hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=4, vocab_size=60)
vision = dict(hidden_size=24, intermediate_size=32, num_hidden_layers=2, num_attention_heads=3, image_size=20, patch_size=6)
m = CLIPModel(CLIPConfig(text_config=dict(text, max_position_embeddings=20, hidden_act="gelu", eos_token_id=2, bos_token_id=0, pad_token_id=1),
                         vision_config=dict(vision, hidden_act="gelu_pytorch_tanh"), projection_dim=12)).eval()
fill(m, 1); save(m, "clip")
ids = rows(1, 58, [58], 59, [0, 1, 5, 11, 18]); ids.append([58, 7, 59, 9, 4, 59])  # the end mark in the middle as well
expected(m, "clip", ids, 20)
m = SiglipModel(SiglipConfig(text_config=dict(text, max_position_embeddings=16, projection_size=24), vision_config=vision)).eval()
fill(m, 2); save(m, "siglip"); expected(m, "siglip", rows(2, 58, [], 1, [0, 1, 5, 15], pad=16), 20)
m = CLIPModel.from_pretrained(EMOJI, dtype=torch.float32).eval()
expected(m, "emoji-clip", rows(3, 1950, [1954], 1955, [0, 1, 5, 30, 75]), 64)
