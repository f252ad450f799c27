"""Compares the masks that the readers draw with those of pycocotools, labelme and OpenCV, with which Ultralytics draws; prints the agreement by kind of shape.

    python3 -m venv .venv && .venv/bin/pip install numpy pillow pycocotools==2.0.11 opencv-python-headless && .venv/bin/pip install --no-deps labelme==6.3.1
    .venv/bin/python scripts/compare/compare_masks.py [--write test/data/annotation-masks.json]

Needs the built package. `--write` stores small cases for test/unit/annotation-masks.test.ts. Exit 1 unless polygons and run
lengths of COCO agree bit for bit, and so do polygons of YOLO and the shapes of labelme, except some pixels at sharp corners of polygons.
"""
import base64
import importlib.util
import json
import os
import random
import subprocess
import sys
import tempfile
import types

import cv2
import numpy as np
from PIL import Image
from pycocotools import mask as coco_masks

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COUNT, STORED, SMALL = 150, 2, 1200
rng = random.Random(1)


def labelme_shapes():
    """Loads labelme's drawing alone, because the package itself opens windows."""
    folder = importlib.util.find_spec("labelme").submodule_search_locations[0]
    for name in ("labelme", "labelme._label_file"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules["labelme._label_file"].ShapeDict = dict
    spec = importlib.util.spec_from_file_location("shape", os.path.join(folder, "utils", "shape.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def points(count, width, height, low=0.0, high=1.0):
    return [[rng.uniform(low, high) * width, rng.uniform(low, high) * height] for _ in range(count)]


def coco_cases(width, height):
    """Polygons that leave the image, cross themselves, repeat points or have whole numbers; and noise as run lengths."""
    polygons = []
    for _ in range(rng.randint(1, 3)):
        corners = points(rng.randint(3, 12), width, height, -0.1, 1.1)
        if rng.random() < 0.3:
            corners = [[round(x), round(y)] for x, y in corners]
        if rng.random() < 0.2:
            corners.insert(1, corners[0])
        polygons.append([value for corner in corners for value in corner])
    runs = coco_masks.merge(coco_masks.frPyObjects(polygons, height, width))
    yield "coco polygon", polygons, coco_masks.decode(runs)
    noise = (np.random.RandomState(rng.randrange(2**31)).rand(height, width) > 0.5).astype(np.uint8)
    for mask in (noise, coco_masks.decode(runs)):
        counts = coco_masks.encode(np.asfortranarray(mask))["counts"].decode()
        yield "coco runs, compressed", {"counts": counts, "size": [height, width]}, mask
    flat = noise.flatten(order="F")
    changes = np.flatnonzero(np.diff(np.concatenate([[0], flat, [2]])))
    yield "coco runs, plain", {"counts": np.diff(np.concatenate([[0], changes])).tolist(), "size": [height, width]}, noise


def yolo_cases(width, height):
    corners = [[np.round(x / width, 6), np.round(y / height, 6)] for x, y in points(rng.randint(3, 10), width, height)]
    if rng.random() < 0.3:  # a thin crack
        (x, y), (u, v) = corners[:2]
        corners = [[x, y], [u, v], [min(u + 1 / width, 1), v]]
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [np.asarray([[x * width, y * height] for x, y in corners], dtype=np.int32)], 1)
    yield "yolo polygon", [float(value) for corner in corners for value in corner], mask


def labelme_cases(width, height, draw):
    kinds = {"polygon": rng.randint(3, 10), "rectangle": 2, "circle": 2, "point": 1, "line": 2, "linestrip": rng.randint(2, 6)}
    for kind, count in kinds.items():
        inside = (0.2, 0.8) if kind == "circle" else (0.0, 1.0)
        corners = points(count, width, height, *inside)
        yield f"labelme {kind}", corners, draw((height, width), corners, kind)


def write_data(folder, cases):
    """Writes each case as an image with one annotation: a COCO file, and a file for each shape of labelme."""
    coco = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "defect"}]}
    for i, (kind, shape, mask) in enumerate(cases):
        height, width = mask.shape
        part = os.path.join(folder, kind.split()[0])
        os.makedirs(part, exist_ok=True)
        Image.new("L", (width, height), 128).save(os.path.join(part, f"{i:05}.png"))
        if kind.startswith("coco"):
            coco["images"].append({"id": i, "file_name": f"{i:05}.png", "width": width, "height": height})
            coco["annotations"].append({"id": i, "image_id": i, "category_id": 1, "segmentation": shape})
            continue
        if kind.startswith("yolo"):
            os.makedirs(os.path.join(part, "images"), exist_ok=True)
            os.makedirs(os.path.join(part, "labels"), exist_ok=True)
            os.rename(os.path.join(part, f"{i:05}.png"), os.path.join(part, "images", f"{i:05}.png"))
            with open(os.path.join(part, "labels", f"{i:05}.txt"), "w") as out:
                out.write(" ".join(map(str, [0, *shape])) + "\n")
            continue
        label = {"label": "defect", "shape_type": kind.split()[1], "points": shape}
        file = {"shapes": [label], "imagePath": f"{i:05}.png", "imageData": None, "imageWidth": width, "imageHeight": height}
        with open(os.path.join(part, f"{i:05}.json"), "w") as out:
            json.dump(file, out)
    with open(os.path.join(folder, "coco", "coco.json"), "w") as out:
        json.dump(coco, out)
    with open(os.path.join(folder, "yolo", "data.yaml"), "w") as out:
        out.write("names: [defect]\ntrain: images\n")


def drawn(path):
    program = os.path.join(ROOT, "scripts", "compare", "masks-engine.mjs")
    return json.loads(subprocess.check_output(["node", program, path]))["defect"]


draw = labelme_shapes().shape_to_mask
cases = []
for _ in range(COUNT):
    width, height = rng.randint(5, 160), rng.randint(5, 120)
    cases += [case for case in [*coco_cases(width, height), *yolo_cases(width, height), *labelme_cases(width, height, draw)] if case[2].any()]
with tempfile.TemporaryDirectory() as folder:
    write_data(folder, cases)
    ours = {}
    for part in ("coco", "labelme", "yolo"):
        ours.update(drawn(os.path.join(folder, part)))
agreement = {}
for i, (kind, _, mask) in enumerate(cases):
    got = np.frombuffer(base64.b64decode(ours[f"{i:05}"]), np.uint8).reshape(mask.shape) > 0
    wanted = mask.astype(bool)
    agreement.setdefault(kind, []).append((got & wanted).sum() / (got | wanted).sum())
failed = 0
for kind, ious in agreement.items():
    equal = sum(iou == 1 for iou in ious)
    is_exact = equal == len(ious)
    may_differ = kind in ("labelme polygon", "labelme line", "labelme linestrip") and np.mean(ious) > 0.995
    failed += not (is_exact or may_differ)
    print(f"{'PASS' if is_exact or may_differ else 'FAIL'} {kind}: {equal} of {len(ious)} equal, IoU {min(ious):.4f} at least, {np.mean(ious):.5f} on average")
if "--write" in sys.argv:
    stored, counts = [], {}
    for kind, shape, mask in cases:
        counts[kind] = counts.get(kind, 0) + (mask.size < SMALL)
        if mask.size < SMALL and counts[kind] <= STORED:
            rounded = shape
            if not kind.startswith("yolo"):
                rounded = json.loads(json.dumps(shape), parse_float=lambda text: round(float(text), 3))
            if kind == "coco polygon":
                mask = coco_masks.decode(coco_masks.merge(coco_masks.frPyObjects(rounded, *mask.shape)))
            elif kind.startswith("labelme"):
                mask = draw(mask.shape, rounded, kind.split()[1])
            bits = base64.b64encode(np.packbits(mask.astype(bool))).decode()
            stored.append({"kind": kind, "width": mask.shape[1], "height": mask.shape[0], "shape": rounded, "bits": bits})
    with open(sys.argv[sys.argv.index("--write") + 1], "w") as out:
        out.write("[\n" + ",\n".join(json.dumps(one) for one in stored) + "\n]\n")
sys.exit(failed > 0)
