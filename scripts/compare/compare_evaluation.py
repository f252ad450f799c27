"""Compares the evaluation's networks, their training and scores with PyTorch, torchvision, lpips, torchmetrics and scikit-learn; prints PASS or FAIL for each.

    python3 -m venv .venv && .venv/bin/pip install torch==2.11.0 torchvision==0.26.0 lpips==0.1.4 torchmetrics==1.9.0 scikit-learn safetensors
    .venv/bin/python scripts/compare/compare_evaluation.py

Needs the built package. All weights are random, except LPIPS's own layers. Not a test of CI: it needs a Python with PyTorch.
"""
import copy
import json
import os
import subprocess
import sys
import tempfile

import lpips
import numpy as np
import torch
import torchvision.models as tv
from safetensors.torch import load_file, save_file
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score
from torchmetrics.image.kid import poly_mmd

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SIDE, COUNT, CLASSES = 64, 7, 3
failed = 0


def check(name, ours, theirs, tolerance):
    global failed
    off = np.abs(np.asarray(ours, np.float64) - np.asarray(theirs, np.float64)).max()
    failed += not off <= tolerance
    print(f"{'PASS' if off <= tolerance else 'FAIL'} {name}: largest difference {off:.2e} (at most {tolerance:.0e})", flush=True)


def engine(**job):
    script = os.path.join(ROOT, "scripts", "compare", "evaluation-engine.mjs")
    done = subprocess.run(["node", script], input=json.dumps(job), text=True, capture_output=True)
    if done.returncode != 0: raise SystemExit(done.stderr)
    return json.loads(done.stdout)


def pool(images, masks=None):
    """(N, 3, H, W) bytes as the engine takes them."""
    flat = images.permute(0, 2, 3, 1).flatten().tolist()
    return {"images": flat, "masks": masks is not None and masks.flatten().tolist(), "count": len(images), "side": SIDE}


def randomize(net):
    """Running statistics and gains that tell a mistake, at any depth."""
    for name, value in net.state_dict().items():
        if name.endswith("running_mean"): value.normal_(0, 0.1)
        if name.endswith("running_var"): value.uniform_(0.5, 1.5)
        if name.endswith(("bn.weight", "bn1.weight", "bn2.weight")): value.uniform_(0.7, 1.3)
    return net.eval()


def save(state, path):
    save_file({name: value.contiguous() for name, value in state.items() if value.dtype == torch.float32}, path)
    return path


class PublishedDetector(torch.nn.Module):
    """DRAEM's discriminative sub-network (arXiv 2108.07610), which the published evaluation trains."""

    def __init__(self, c):
        super().__init__()
        nn, conv = torch.nn, lambda i, o: [torch.nn.Conv2d(i, o, 3, padding=1), torch.nn.BatchNorm2d(o), torch.nn.ReLU()]
        block = lambda i, o: nn.Sequential(*conv(i, o), *conv(o, o))  # noqa: E731
        down, up = [c, 2 * c, 4 * c, 8 * c, 8 * c, 8 * c], [8 * c, 4 * c, 2 * c, c, c]
        names = ["b", "1", "2", "3", "4"]
        self.encoder_segment = nn.ModuleDict({f"block{k + 1}": block(i, o) for k, (i, o) in enumerate(zip([3] + down, down))})
        layers = {}
        for k, (i, o) in enumerate(zip(down[-1:] + up, up)):
            layers[f"up{'_' if k == 0 else ''}{names[k]}"] = nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True), *conv(i, o))
            layers[f"db{'_' if k == 0 else ''}{names[k]}"] = block(o + down[4 - k], o)
        self.decoder_segment = nn.ModuleDict({**layers, "fin_out": nn.Sequential(nn.Conv2d(up[-1], 2, 3, padding=1))})

    def forward(self, x):
        skips = []
        for block in self.encoder_segment.values():
            x = block(torch.nn.functional.max_pool2d(x, 2) if skips else x)
            skips.append(x)
        layers = list(self.decoder_segment.values())
        for k in range(5): x = layers[2 * k + 1](torch.cat([layers[2 * k](x), skips[4 - k]], 1))
        return layers[-1](x)


def compare_detector(images, work):
    """Updates at each of the three learning rates, from the engine's state before them: over many steps rounding grows to a thousandth, in PyTorch's own precisions, too."""
    steps, rate, batch = 30, 1e-4, 6
    mask = torch.zeros(1, SIDE, SIDE, dtype=torch.long)
    mask[:, 10:25, 20:50] = 255
    options = dict(channels=8, batchSize=batch, iterations=steps, learningRate=rate, flips=False, seed=3, source="pairs", flipDefects=False, device="cpu")
    rates = {0: rate, 23: rate, 24: rate / 5, 27: rate / 25}
    kept = {step: f"{work}/detector-{step}.safetensors" for first in rates for step in (first, first + 1)}
    losses = engine(pool={**pool(images[:1], mask), "good": pool(images[1:2])}, detector=dict(options=options, kept=kept))["losses"]

    def loss_with(net, defects):
        x = torch.cat([images[:1]] * defects + [images[1:2]] * (batch - defects)) / 255
        target = torch.cat([(mask > 0).long()] * defects + [torch.zeros_like(mask)] * (batch - defects))
        truth = torch.nn.functional.one_hot(target, 2).permute(0, 3, 1, 2).clamp(1e-5, 1 - 1e-5)
        p = (truth * net(x).softmax(1)).sum(1) + 1e-5  # the published focal loss, gamma 2
        return (-(1 - p) ** 2 * p.log()).mean()

    for step, lr in rates.items():
        before, after = load_file(kept[step]), load_file(kept[step + 1])
        net = PublishedDetector(8)
        net.load_state_dict({n: before.get(f"network/{n}", torch.tensor(0)) for n in net.state_dict()})
        # How many of the batch show the defect is the engine's draw: of all counts, the one whose loss is its.
        with torch.no_grad(): tried = [abs(loss_with(copy.deepcopy(net).train(), d).item() - losses[step]) for d in range(batch + 1)]
        optimizer = torch.optim.Adam(net.train().parameters(), lr=lr)
        for name, parameter in net.named_parameters():
            optimizer.state[parameter] = {k: before[f"optimizer/{k}/{name}"].clone() for k in ("exp_avg", "exp_avg_sq", "step")}
        loss_with(net, int(np.argmin(tried))).backward()
        optimizer.step()
        check(f"the detector's loss at step {step} ({losses[step]:.5f}, {np.argmin(tried)} of {batch} defective)", min(tried), 0, 1e-6)
        # Where a bias is before a norm, its gradient is all rounding.
        moved = [(after[f"network/{n}"] - before[f"network/{n}"], v - before[f"network/{n}"]) for n, v in net.state_dict().items() if n.endswith("weight") or "running" in n]
        ours, theirs = (torch.cat([pair[i].flatten() for pair in moved]) for i in (0, 1))
        check(f"the detector's update at step {step}, relative", ((ours - theirs).norm() / theirs.norm()).item(), 0, 2e-2 if step == 0 else 1e-3)


def compare_classifier(images, work):
    backbone = save(randomize(tv.resnet18(weights=None)).state_dict(), f"{work}/resnet18.safetensors")
    checkpoint = f"{work}/classifier.safetensors"
    options = dict(channels=64, batchSize=4, iterations=10, learningRate=1e-3, flips=True, seed=3, source="pairs", flipDefects=True, device="cpu")
    masks = {"images": pool(images)["images"], "masks": [255] * (COUNT * SIDE * SIDE), "count": COUNT, "side": SIDE}
    job = dict(options=options, classes=CLASSES, backbone=backbone, types=[i % CLASSES for i in range(COUNT)], steps=2, checkpoint=checkpoint)
    ours = engine(pool=masks, classifier=job)["probabilities"]
    net = tv.resnet18(weights=None, num_classes=CLASSES)
    trained = {name[len("network/"):]: value for name, value in load_file(checkpoint).items() if name.startswith("network/")}
    print("missing or unexpected:", [name for name in net.load_state_dict(trained, strict=False)[0] if "num_batches" not in name])
    mean, std = torch.tensor([.485, .456, .406]), torch.tensor([.229, .224, .225])
    x = (images / 255 - mean.view(1, 3, 1, 1)) / std.view(1, 3, 1, 1)
    check("ResNet-18 after two updates", ours, net.eval()(x).softmax(1).flatten().tolist(), 1e-5)


def take_statistics(net, x):
    """Gives norms the statistics of the images themselves: through made-up ones, nothing of an image is left at this depth."""
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d): module.momentum = 1.0
    net.train()(x)
    return net.eval()


def compare_inception(images, work):
    net = randomize(tv.inception_v3(weights=None, init_weights=False))
    x = torch.nn.functional.interpolate(2 * (images / 255) - 1, size=(299, 299), mode="bilinear", align_corners=False)
    net.transform_input = False
    take_statistics(net, x).fc.weight.data *= 50  # so that the images' probabilities differ
    weights = save(net.state_dict(), f"{work}/inception.safetensors")
    p = net(x).softmax(1).double()
    score = (p * (p.log() - p.mean(0, keepdim=True).log())).sum(1).mean().exp().item()
    ours = engine(pool=pool(images), inception=weights)["inception"]
    check(f"Inception Score ({score:.6f})", ours / score, 1, 1e-4)


def compare_features(images, work):
    """The mean of the last stage over all places, of images that are resized to 224 pixels."""
    mean, deviation = (torch.tensor(values).view(1, 3, 1, 1) for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    resized = torch.nn.functional.interpolate(images / 255, (224, 224), mode="bilinear", antialias=True)
    for name, make, last in (("mobilenet-v2", tv.mobilenet_v2, "features.17"), ("resnet18", tv.resnet18, "layer4")):
        x, outputs = (resized - mean) / deviation, []
        net = take_statistics(randomize(make(weights=None)), x)
        net.get_submodule(last).register_forward_hook(lambda _, __, y: outputs.append(y.mean((2, 3))))
        net(x)
        weights = save(net.state_dict(), f"{work}/{name}.safetensors")
        answer = engine(pool=pool(images), features={"network": name, "weights": weights, "generated": pool(images[3:6]), "real": pool(images[:3])})
        scale = float(outputs[0].abs().max())
        check(f"features, {name}", np.array(answer["features"]).reshape(COUNT, -1) / scale, outputs[0] / scale, 1e-3)  # These norms amplify rounding.
        kid = float(poly_mmd(outputs[0].double()[:3], outputs[0].double()[3:6], 3, None, 1.0))
        check(f"KID of torchmetrics by them ({kid:.6f})", answer["kernelDistance"], kid, 1e-3 * abs(kid))


def compare_lpips(images, real, work):
    for name, make in {"alex": tv.alexnet, "vgg": tv.vgg16, "squeeze": tv.squeezenet1_1}.items():
        backbone = make(weights=None)
        net = lpips.LPIPS(net=name, pnet_rand=True, verbose=False).eval()
        for target, source in zip([m for m in net.net.modules() if isinstance(m, torch.nn.Conv2d)],
                                  [m for m in backbone.features.modules() if isinstance(m, torch.nn.Conv2d)]):
            target.load_state_dict(source.state_dict())
        files = {"backbone": save(backbone.state_dict(), f"{work}/{name}.safetensors"),
                 "linear": save({k: v for k, v in net.state_dict().items() if k.startswith("lin") and not k.startswith("lins")}, f"{work}/{name}-linear.safetensors")}
        scaled = lambda x: 2 * (x / 255) - 1  # noqa: E731
        with torch.no_grad():
            to_real = torch.stack([net(scaled(images[i:i + 1]), scaled(real)).flatten() for i in range(COUNT)])
            between = torch.stack([net(scaled(images[i:i + 1]), scaled(images)).flatten() for i in range(COUNT)])
        nearest, values = to_real.argmin(1), []
        for r in range(len(real)):
            members = (nearest == r).nonzero().flatten().tolist()
            pairs = [between[a, b].item() for i, a in enumerate(members) for b in members[i + 1:]]
            if pairs: values.append(np.mean(pairs))
        ours = engine(pool=pool(images), lpips={**files, "real": pool(real)})["icLpips"]
        check(f"IC-LPIPS, {name} ({np.mean(values):.5f})", ours, np.mean(values), 1e-5)


def compare_scores():
    generator = np.random.default_rng(5)
    maps = generator.random((6, SIDE, SIDE), dtype=np.float32)
    masks = np.zeros((6, SIDE, SIDE), np.uint8)
    for i in range(4):
        masks[i, 5 + i:20, 8:30 - i] = 255
        maps[i] = np.clip(maps[i] + 0.3 * (masks[i] > 0), 0, 1)
    ours = engine(scores=dict(maps=maps.flatten().tolist(), masks=masks.flatten().tolist(), count=6, side=SIDE))["scores"]
    images = torch.nn.functional.avg_pool2d(torch.tensor(maps)[:, None], 21, 1, 10).amax((1, 2, 3)).numpy()
    for level, score, truth in (("pixel", maps.flatten(), masks.flatten() > 0), ("image", images, masks.any((1, 2)))):
        precision, recall, _ = precision_recall_curve(truth, score)
        check(f"{level} AUROC", ours[f"{level}Auroc"], roc_auc_score(truth, score), 1e-9)
        check(f"{level} AP", ours[f"{level}Ap"], average_precision_score(truth, score), 1e-9)
        check(f"{level} F1-max", ours[f"{level}F1Max"], np.max(2 * precision * recall / np.maximum(precision + recall, 1e-12)), 1e-9)


def main():
    torch.manual_seed(11)
    # Smooth, so that deep features of random networks differ from one image to the next.
    coarse = torch.randint(0, 256, (COUNT + 2, 3, 3, 3)).float()
    everything = torch.nn.functional.interpolate(coarse, size=(SIDE, SIDE), mode="bilinear").round()
    images, real = everything[:COUNT], everything[COUNT:]
    with tempfile.TemporaryDirectory() as work:
        compare_classifier(images, work)
        with torch.no_grad(): compare_inception(images, work)
        with torch.no_grad(): compare_features(images, work)
        compare_lpips(images, real, work)
        compare_detector(images, work)
    compare_scores()
    sys.exit(1 if failed else 0)


main()
