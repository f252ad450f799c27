"""Compares the evaluation's measures with scikit-learn, anomalib and torchmetrics; prints PASS or FAIL for each.

    python3 -m venv .venv && .venv/bin/pip install torch==2.11.0 anomalib==2.7.0 scikit-learn
    .venv/bin/python scripts/compare/compare_metrics.py

Needs the built package. Scores are raw, with ties, negative and large ones. Not a test of CI: it needs a Python with PyTorch.
"""
import json
import os
import subprocess

import numpy as np
import torch
from anomalib.metrics.aupro import _AUPRO
from sklearn.metrics import average_precision_score, f1_score, precision_recall_curve, precision_score, recall_score, roc_auc_score
from torchmetrics.image.kid import poly_mmd

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
REPLICATES = 1000
failed = 0


def check(name, ours, theirs, tolerance):
    global failed
    off = abs(ours - theirs)
    failed += not off <= tolerance
    print(f"{'PASS' if off <= tolerance else 'FAIL'} {name}: ours {ours:.9f}, theirs {theirs:.9f}, difference {off:.1e} (at most {tolerance:.0e})", flush=True)


def tensor(values):
    return {"data": np.asarray(values, np.float64).flatten().tolist(), "shape": list(values.shape)}


def engine(images, features, replicates=REPLICATES):
    generated, real, parts = features
    job = {"images": [{"set": i["set"], "map": tensor(i["map"]), "mask": i["mask"].flatten().tolist(), "score": i["score"], "part": i["part"]} for i in images],
           "generated": tensor(generated), "real": tensor(real), "parts": parts, "replicates": replicates}
    script = os.path.join(ROOT, "scripts", "compare", "metrics-engine.mjs")
    done = subprocess.run(["node", script], input=json.dumps(job), text=True, capture_output=True)
    if done.returncode != 0: raise SystemExit(done.stderr)
    return json.loads(done.stdout)


def make_images(rng, count, sizes, ties, scale, shift):
    """Half of the images have boxes as defects, whose scores are higher on average."""
    images = []
    for k in range(count):
        height, width = sizes[k % len(sizes)]
        mask = np.zeros((height, width), np.uint8)
        if k % 2 == 0:
            for _ in range(1 + k % 3):
                top, left = rng.integers(0, height - 6), rng.integers(0, width - 8)
                mask[top:top + 2 + k % 4, left:left + 3 + k % 5] = 1
        contrast = rng.uniform(0, 3)
        raw = rng.normal(size=(height, width)) + contrast * mask
        if ties: raw = np.round(raw * 2) / 2
        score = float(rng.normal() + 1.5 * (k % 2 == 0))
        images.append({"set": "good" if k % 2 else "defect", "map": (raw * scale + shift).astype(np.float32), "mask": mask,
                       "score": round(score) if ties else score, "part": k})
    return images


def f1_max(labels, scores):
    precision, recall, thresholds = precision_recall_curve(labels, scores)
    return np.nanmax(2 * precision * recall / np.maximum(precision + recall, 1e-300))


def aupro(images, limit):
    metric = _AUPRO(fpr_limit=limit)
    metric.update(torch.stack([torch.tensor(i["map"]) for i in images]).unsqueeze(1), torch.stack([torch.tensor(i["mask"]) for i in images]).unsqueeze(1).int())
    return float(metric.compute())


def compare(name, images, features, same_size):
    got = engine(images, features)
    scores, labels = np.concatenate([i["map"].flatten() for i in images]), np.concatenate([i["mask"].flatten() for i in images])
    image_scores, image_labels = np.array([i["score"] for i in images]), np.array([int(i["mask"].any()) for i in images])
    for kind, s, l in (("pixel", scores, labels), ("image", image_scores, image_labels)):
        check(f"{name}: {kind} AUROC (scikit-learn)", got["scores"][f"{kind}Auroc"], roc_auc_score(l, s), 1e-9)
        check(f"{name}: {kind} AP (scikit-learn)", got["scores"][f"{kind}Ap"], average_precision_score(l, s), 1e-9)
        check(f"{name}: {kind} F1-max (scikit-learn)", got["scores"][f"{kind}F1Max"], f1_max(l, s), 1e-9)
        called, decided = s >= got["thresholds"][kind], got["decisions"][f"{kind}s"]
        check(f"{name}: {kind} F1 at the best threshold", decided["f1"], f1_score(l, called), 1e-9)
        check(f"{name}: {kind} precision at it", decided["precision"], precision_score(l, called), 1e-9)
        check(f"{name}: {kind} recall at it", decided["recall"], recall_score(l, called), 1e-9)
    if same_size:  # anomalib sums in float32.
        check(f"{name}: AU-PRO at 0.3 (anomalib)", got["scores"]["pixelAuPro"], aupro(images, 0.3), 1e-4)
        check(f"{name}: AU-PRO at 0.05 (anomalib)", got["scores"]["pixelAuPro5"], aupro(images, 0.05), 1e-4)
    return got


def compare_intervals(images, got, rng):
    """Draws the images anew with NumPy and measures every pixel. The ends differ by chance, by about a tenth of the width."""
    kinds = [[i for i in images if i["set"] == which] for which in ("defect", "good")]
    values = {"pixelAuroc": [], "pixelAp": [], "imageAuroc": []}
    for _ in range(REPLICATES):
        drawn = [kind[k] for kind in kinds for k in rng.integers(0, len(kind), len(kind))]
        s, l = np.concatenate([i["map"].flatten() for i in drawn]), np.concatenate([i["mask"].flatten() for i in drawn])
        values["pixelAuroc"].append(roc_auc_score(l, s))
        values["pixelAp"].append(average_precision_score(l, s))
        values["imageAuroc"].append(roc_auc_score([int(i["mask"].any()) for i in drawn], [i["score"] for i in drawn]))
    for measure, drawn in values.items():
        low, high = np.percentile(drawn, [2.5, 97.5])
        for end, ours, theirs in zip(("low", "high"), got["intervals"][measure], (low, high)):
            check(f"interval of {measure}, {end} end (NumPy)", ours, theirs, 0.12 * (high - low))


def compare_features(got, features):
    generated, real, parts = (torch.tensor(f, dtype=torch.float64) for f in features)
    count = min(len(generated), len(real))
    assert count == len(generated) == len(real)  # torchmetrics takes sets of one size.
    check("KID (torchmetrics)", got["features"]["kernelDistance"], float(poly_mmd(real, generated, 3, None, 1.0)), 1e-9)
    a, b = (x / x.norm(dim=1, keepdim=True) for x in (generated, real))
    nearest, between = (1 - a @ b.T).min(1).values, 1 - b @ b.T
    between[parts.unsqueeze(0) == parts.unsqueeze(1)] = np.inf
    check("median distance to the nearest real one", got["features"]["nearest"], float(nearest.median()), 1e-9)
    check("median distance of real ones", got["features"]["nearestReal"], float(between.min(1).values.median()), 1e-9)
    check("share of copies", got["features"]["copies"], float((nearest < between.min()).double().mean()), 1e-9)


rng = np.random.default_rng(5)
real = rng.normal(size=(24, 64)).astype(np.float32)
generated = np.concatenate([real[:6] + 0.05 * rng.normal(size=(6, 64)), 0.3 + rng.normal(size=(18, 64))]).astype(np.float32)
features = (generated, real, [k // 2 for k in range(24)])
fine = make_images(rng, 40, [(32, 40)], False, 1, 0)
got = compare("raw scores", fine, features, True)
compare_features(got, features)
compare_intervals(fine, got, rng)
compare("ties", make_images(rng, 24, [(32, 40)], True, 1, 0), features, True)
compare("large negative scores", make_images(rng, 24, [(32, 40)], False, 1e6, -1e8), features, True)
compare("sizes that differ", make_images(rng, 24, [(32, 40), (17, 61), (50, 20)], False, 0.1, 3), features, False)
print(f"{failed} failed")
raise SystemExit(1 if failed else 0)
