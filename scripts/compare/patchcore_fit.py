"""Compares the time of a whole fit of PatchCore with anomalib's: the same photographs, weights and number of kept patches.

    python3 -m venv .venv && .venv/bin/pip install anomalib timm
    .venv/bin/python scripts/compare/patchcore_fit.py --mobilenet FILE.pth --data DIR [--images 60] [--side 256]

`--mobilenet` is the file that `dualanodiff weights install mobilenet-v2` brings. `--data` is a category in MVTec AD's layout. Times are CPU
seconds of the process, because both run one after the other. anomalib's starts after the photographs are decoded; ours includes decoding,
thresholds and writing the file. anomalib passes over all patches for each one that it keeps, so its time grows with the square of the images.
"""
import argparse
import os
import resource
import subprocess
import tempfile
import time

import timm
import torch
from anomalib.models.image.patchcore.torch_model import PatchcoreModel
from PIL import Image
from torchvision.transforms.functional import normalize, pil_to_tensor

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LEAST_KEPT, SHARE, BATCH = 2000, 0.01, 8  # as in the fit of this package

parser = argparse.ArgumentParser()
parser.add_argument("--mobilenet", required=True)
parser.add_argument("--data", required=True)
parser.add_argument("--images", type=int, default=60)
parser.add_argument("--side", type=int, default=256)
args = parser.parse_args()
good = os.path.join(args.data, "train", "good")
paths = [os.path.abspath(os.path.join(good, name)) for name in sorted(os.listdir(good))][: args.images]
print(f"{len(paths)} photographs at {args.side} x {args.side}, {torch.get_num_threads()} threads", flush=True)


def decoded(path):
    image = Image.open(path).convert("RGB").resize((args.side, args.side), Image.Resampling.BILINEAR)
    return normalize(pil_to_tensor(image).float() / 255, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


def children_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


with tempfile.TemporaryDirectory() as folder:
    os.makedirs(os.path.join(folder, "train", "good"))
    for path in paths: os.symlink(path, os.path.join(folder, "train", "good", os.path.basename(path)))
    command = ["node", os.path.join(ROOT, "dist", "cli", "main.js"), "fit", "--detector", "patchcore", "--backbone", "mobilenet-v2"]
    command += ["--backbone-weights", args.mobilenet, "--data", folder, "--resolution", str(args.side), "--out", os.path.join(folder, "own.safetensors")]
    before, began = children_seconds(), time.time()
    subprocess.run(command, check=True, capture_output=True)
    own = children_seconds() - before
    print(f"dualanodiff fit: {own:.1f} CPU-s, {time.time() - began:.1f} s", flush=True)

images = torch.stack([decoded(path) for path in paths])
model = PatchcoreModel(layers=["blocks.2", "blocks.4"], backbone="mobilenetv2_100", pre_trained=False)
values = [value for key, value in torch.load(args.mobilenet, weights_only=True).items() if "num_batches" not in key]
net = timm.create_model("mobilenetv2_100")
keys = [key for key in net.state_dict() if "num_batches" not in key]
net.load_state_dict(dict(zip(keys, values, strict=True)), strict=False)  # The counts of batches are not in every file.
tensors = net.state_dict()
extractor = model.feature_extractor.feature_extractor
extractor.load_state_dict({key: tensors[key] for key in extractor.state_dict()})
model.train()
model.feature_extractor.eval()
before, began = time.process_time(), time.time()
with torch.no_grad():
    for first in range(0, len(images), BATCH): model(images[first : first + BATCH])
    patches = len(images) * (args.side // 8) ** 2
    model.subsample_embedding(sampling_ratio=min(1, max(SHARE, LEAST_KEPT / patches)))
other = time.process_time() - before
print(f"anomalib: {other:.1f} CPU-s, {time.time() - began:.1f} s, {len(model.memory_bank)} patches kept")
print(f"ratio of CPU time: {own / other:.3f}")
