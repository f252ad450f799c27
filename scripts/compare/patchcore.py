"""Compares PatchCore with anomalib's. Both get the same weights, pictures and memory bank. Writes golden cases and lets the golden runner check them.

    python3 -m venv .venv && .venv/bin/pip install anomalib timm safetensors
    .venv/bin/python scripts/compare/patchcore.py [--mobilenet FILE.pth]

`--mobilenet` is the file that `dualanodiff weights install mobilenet-v2` brings; without it, all weights are random. Needs the native build.
Distances, image scores and maps must agree to 1e-4 of the largest value. anomalib enlarges maps to the nearest neighbor, and the paper and
we do it bilinearly, so its maps are computed both ways: the first way is printed only.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import timm
import torch
import torch.nn.functional as F
from anomalib.models.image.patchcore.torch_model import PatchcoreModel
from safetensors.torch import save_file

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOLERANCE = 1e-4
SIDE, GOOD, TESTED = 128, 6, 3

parser = argparse.ArgumentParser()
parser.add_argument("--mobilenet")
args = parser.parse_args()
torch.manual_seed(0)


def pictures(count, defects):
    """Smooth noise, with a box of another texture if `defects` says so."""
    images = F.interpolate(torch.randn(count, 3, 16, 16), SIDE, mode="bicubic") + 0.1 * torch.randn(count, 3, SIDE, SIDE)
    if defects:
        for i in range(count): images[i, :, 30 + 10 * i : 60 + 10 * i, 50:80] = torch.randn(3, 30, 30)
    return images


def weights_of(name, file):
    """Returns a complete network of timm, whose first layers anomalib uses."""
    net = timm.create_model(name)
    for key, tensor in net.state_dict().items():
        if key.endswith("running_var"): tensor.uniform_(0.5, 2)
        elif key.endswith("running_mean"): tensor.uniform_(-0.3, 0.3)
    if file:
        values = [value for key, value in torch.load(file, weights_only=True).items() if "num_batches" not in key]
        keys = [key for key in net.state_dict() if "num_batches" not in key]
        net.load_state_dict(dict(zip(keys, values, strict=True)), strict=False)
    return net.state_dict()


def compare(label, name, timm_name, layers, file=None):
    tensors = weights_of(timm_name, file)
    model = PatchcoreModel(layers=layers, backbone=timm_name, pre_trained=False)
    extractor = model.feature_extractor.feature_extractor
    extractor.load_state_dict({key: tensors[key] for key in extractor.state_dict()})
    model.train()
    model.feature_extractor.eval()
    model(pictures(GOOD, False))
    model.subsample_embedding(sampling_ratio=0.05)
    model.eval()
    images = pictures(TESTED, True)
    with torch.no_grad():
        result = model(images)
        features = {layer: model.feature_pooler(value) for layer, value in model.feature_extractor(images).items()}
        embedding = model.generate_embedding(features)
        distances, _ = model.nearest_neighbors(model.reshape_embedding(embedding), n_neighbors=1)
        patches = distances.reshape(TESTED, 1, *embedding.shape[-2:])
        maps = model.anomaly_map_generator.blur(F.interpolate(patches, (SIDE, SIDE), mode="bilinear"))
    nearest = float((result.anomaly_map - maps).abs().max() / maps.max())
    outputs = {"distances": distances, "scores": result.pred_score, "maps": maps.squeeze(1)}
    with tempfile.TemporaryDirectory() as folder:
        save_file({key: value.contiguous() for key, value in tensors.items()}, os.path.join(folder, "weights.safetensors"))
        goldens, cases = {}, []
        for output, value in outputs.items():
            goldens.update({f"{output}/images": images.clone(), f"{output}/bank": model.memory_bank.clone(), f"{output}/{output}": value.contiguous()})
            cases.append({"case": output, "kind": "patchcore", "file": "golden.safetensors", "params": {"name": name, "weights": "weights.safetensors"},
                          "inputs": ["images", "bank"], "outputs": [output], "atol": TOLERANCE * float(value.max()), "rtol": 0})
        save_file(goldens, os.path.join(folder, "golden.safetensors"))
        with open(os.path.join(folder, "manifest.json"), "w") as manifest: json.dump(cases, manifest)
        run = subprocess.run([os.path.join(ROOT, "build", "dualanodiff-golden"), folder], capture_output=True, text=True)
    for line in run.stdout.splitlines():
        parts = line.split()
        if parts[0] in ("PASS", "FAIL"): print(f"{label} {parts[2]}: {float(parts[3]) / float(outputs[parts[2]].max()):.1e} of the largest value {parts[0]}")
    print(f"{label}: bank of {len(model.memory_bank)} patches; anomalib's nearest-neighbor maps differ from bilinear ones by {nearest:.1e}", flush=True)
    if run.returncode != 0: print(run.stdout, run.stderr)
    return run.returncode == 0


agree = compare("resnet18", "resnet18", "resnet18", ["layer2", "layer3"])
agree = compare("mobilenet-v2", "mobilenet-v2", "mobilenetv2_100", ["blocks.2", "blocks.4"]) and agree
if args.mobilenet: agree = compare("mobilenet-v2-installed", "mobilenet-v2", "mobilenetv2_100", ["blocks.2", "blocks.4"], args.mobilenet) and agree
sys.exit(0 if agree else 1)
