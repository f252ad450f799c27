"""Compares the backbones with torchvision and timm. Both get the same random weights. Writes golden cases and lets the golden runner check them.

    python3 -m venv .venv && .venv/bin/pip install torch torchvision timm safetensors
    .venv/bin/python scripts/compare/backbones.py [--mobilenet FILE.pth] [--efficientnet FILE.pth] [NAME...]

`--mobilenet` and `--efficientnet` also compare the files that `dualanodiff weights install` brings. Needs the native build. Prints,
for each stage, the largest difference as a share of the largest value, which must stay below 1e-5.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

import timm
import torch
import torchvision
from safetensors.torch import save_file

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOLERANCE = 1e-5
SIZES = [(64, 96), (61, 75)]  # even sides, and sides that no stride divides

parser = argparse.ArgumentParser()
parser.add_argument("names", nargs="*")
parser.add_argument("--mobilenet")
parser.add_argument("--efficientnet")
args = parser.parse_args()
torch.manual_seed(0)


def randomize(net):
    """Gives norms statistics that matter, and keeps activations of the size of one."""
    for name, tensor in net.state_dict().items():
        if name.endswith("running_var"): tensor.uniform_(0.5, 2)
        elif name.endswith("running_mean") or (name.endswith("bias") and tensor.dim() == 1): tensor.uniform_(-0.3, 0.3)
        elif tensor.dim() == 1 and not name.endswith("gamma"): tensor.uniform_(0.5, 1.5)
        elif name.endswith("gamma"): tensor.uniform_(0.1, 0.5)
    return net.eval()


def hooked(net, layers):
    def run(images):
        outputs = {}
        handles = [net.get_submodule(layer).register_forward_hook(lambda _, __, y, layer=layer: outputs.update({layer: y})) for layer in layers]
        net(images)
        for handle in handles: handle.remove()
        return [outputs[layer] for layer in layers]
    return run


def timm_stages(net):
    return hooked(net, ["blocks.1", "blocks.2", "blocks.4", "blocks.6"])


def torchvision_resnet(make):
    net = randomize(make(weights=None))
    return net, hooked(net, ["layer1", "layer2", "layer3", "layer4"])


def dinov2():
    net = randomize(timm.create_model("vit_small_patch14_dinov2", img_size=70, dynamic_img_size=True))
    def run(images):
        height, width = [max((side + 7) // 14, 1) * 14 for side in images.shape[2:]]
        if (height, width) != tuple(images.shape[2:]): images = torch.nn.functional.interpolate(images, (height, width), mode="bilinear")
        return net.forward_intermediates(images, indices=[2, 5, 8, 11], norm=True, intermediates_only=True)
    return net, run


def mobilenet_torchvision(file=None):
    net = torchvision.models.mobilenet_v2(weights=None)
    if file: net.load_state_dict(torch.load(file, weights_only=True))
    else: randomize(net)
    return net.eval(), hooked(net, ["features.3", "features.6", "features.13", "features.17"])


def mobilenet_timm():
    net = randomize(timm.create_model("mobilenetv2_100"))
    return net, timm_stages(net)


def lite_timm():
    net = randomize(timm.create_model("efficientnet_lite0"))
    return net, timm_stages(net)


def published_name(name):
    """Returns timm's name of a tensor under the naming of EfficientNet-PyTorch."""
    counts, first = [1, 2, 2, 3, 3, 4, 1], 0
    match = re.match(r"blocks\.(\d+)\.(\d+)\.(\w+)\.(.*)", name)
    if not match:
        layers = {"conv_stem": "_conv_stem", "bn1": "_bn0", "conv_head": "_conv_head", "bn2": "_bn1", "classifier": "_fc"}
        layer, rest = name.split(".", 1)
        return f"{layers[layer]}.{rest}"
    stage, block, layer, rest = match.groups()
    first = sum(counts[: int(stage)]) + int(block)
    narrow = {"conv_dw": "_depthwise_conv", "bn1": "_bn1", "conv_pw": "_project_conv", "bn2": "_bn2"}
    wide = {"conv_pw": "_expand_conv", "bn1": "_bn0", "conv_dw": "_depthwise_conv", "bn2": "_bn1", "conv_pwl": "_project_conv", "bn3": "_bn2"}
    return f"_blocks.{first}.{(narrow if stage == '0' else wide)[layer]}.{rest}"


def lite_published(file=None):
    """timm's network of the weights from TensorFlow expects pixels in -1 .. 1, so the images are converted for it."""
    net = timm.create_model("tf_efficientnet_lite0")
    if file:
        tensors = torch.load(file, weights_only=True)
        net.load_state_dict({name: tensors[published_name(name)] for name in net.state_dict()})
    else: randomize(net)
    mean, std = [torch.tensor(values).view(1, 3, 1, 1) for values in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])]
    stages = timm_stages(net.eval())
    return net, lambda images: stages(2 * (images * std + mean) - 1)


NETWORKS = {
    "resnet18": ("resnet18", lambda: torchvision_resnet(torchvision.models.resnet18)),
    "resnet50": ("resnet50", lambda: torchvision_resnet(torchvision.models.resnet50)),
    "wide-resnet50-2": ("wide-resnet50-2", lambda: torchvision_resnet(torchvision.models.wide_resnet50_2)),
    "resnet50-timm": ("resnet50", lambda: (lambda net: (net, hooked(net, ["layer1", "layer2", "layer3", "layer4"])))(randomize(timm.create_model("resnet50")))),
    "mobilenet-v2": ("mobilenet-v2", mobilenet_torchvision),
    "mobilenet-v2-timm": ("mobilenet-v2", mobilenet_timm),
    "efficientnet-lite0": ("efficientnet-lite0", lite_published),
    "efficientnet-lite0-timm": ("efficientnet-lite0", lite_timm),
    "dinov2-vit-s14": ("dinov2-vit-s14", dinov2),
}
if args.mobilenet: NETWORKS["mobilenet-v2-installed"] = ("mobilenet-v2", lambda: mobilenet_torchvision(args.mobilenet))
if args.efficientnet: NETWORKS["efficientnet-lite0-installed"] = ("efficientnet-lite0", lambda: lite_published(args.efficientnet))


def compare(label, folder):
    """Returns True if all stages agree at all sizes."""
    name, make = NETWORKS[label]
    net, run = make()
    tensors = net.state_dict()
    if label == "efficientnet-lite0": tensors = {published_name(key): value for key, value in tensors.items()}
    weights = os.path.join(folder, "weights.pth")
    if label.endswith("-installed"): os.symlink(os.path.abspath(args.mobilenet if "mobilenet" in label else args.efficientnet), weights)
    elif label.endswith("-timm"): save_file({key: value.contiguous() for key, value in tensors.items()}, weights)
    else: torch.save(tensors, weights)
    goldens, cases = {}, []
    for height, width in SIZES:
        images = torch.randn(2, 3, height, width)
        with torch.no_grad(): stages = run(images)
        for stage, features in enumerate(stages):
            case = f"{label}-{height}x{width}-stage{stage}"
            goldens.update({f"{case}/images": images.clone(), f"{case}/features": features.contiguous()})
            cases.append({"case": case, "kind": "backbone", "file": "golden.safetensors", "params": {"name": name, "weights": "weights.pth", "stage": stage},
                          "inputs": ["images"], "outputs": ["features"], "atol": TOLERANCE * float(features.abs().max()), "rtol": 0})
    save_file(goldens, os.path.join(folder, "golden.safetensors"))
    with open(os.path.join(folder, "manifest.json"), "w") as file: json.dump(cases, file)
    result = subprocess.run([os.path.join(ROOT, "build", "dualanodiff-golden"), folder], capture_output=True, text=True)
    largest = {case["case"]: case["atol"] / TOLERANCE for case in cases}
    worst = 0
    for line in result.stdout.splitlines():
        parts = line.split()
        if parts[0] == "FAIL": print(line)
        if parts[0] in ("PASS", "FAIL"): worst = max(worst, float(parts[3]) / largest[parts[2]])
    print(f"{label}: {worst:.1e} of the largest value, {'agrees' if result.returncode == 0 else 'DIFFERS ' + result.stderr}", flush=True)
    return result.returncode == 0


agree = True
for label in args.names or NETWORKS:
    with tempfile.TemporaryDirectory() as folder: agree = compare(label, folder) and agree
sys.exit(0 if agree else 1)
