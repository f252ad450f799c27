# Usage: PYTHON scripts/compare/compare_formats.py [coco] [yolo] [ultralytics] [labelme] [anomalib] [cvat] [--data DIR]
# Exports a category with this package and reads it with the tools that the formats belong to. CVAT's XML is the other way
# round: Datumaro, which CVAT exports with, reads the same file as this package. Without --data it draws
# a category with hard masks: holes, islands in holes, lines of one pixel, specks, corners that touch, full images.
# coco needs pycocotools, yolo opencv-python, cvat datumaro, and the others the packages of their names. Exits with 1 if a mask differs where
# the format can keep it.
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parents[2]
TYPES = ["crack", "hole, 'big'"]


def draw_mask(rng, kind, size):
    width, height = size
    image = Image.new("L", size)
    pen = ImageDraw.Draw(image)
    point = lambda: (int(rng.integers(0, width)), int(rng.integers(0, height)))
    if kind == "noise":
        return rng.random((height, width)) < rng.uniform(0.05, 0.95)
    if kind == "full":
        return np.ones((height, width), bool)
    if kind == "row":
        pen.line([(2, 5), (width - 3, 5)], fill=255)
    if kind == "column":
        pen.line([(0, 0), (0, height - 1)], fill=255)
    if kind == "dot":
        pen.point([point()], fill=255)
    if kind == "scratches":
        for _ in range(4):
            pen.line([point() for _ in range(4)], fill=255, width=int(rng.integers(1, 4)))
    if kind == "rings":
        for grow in range(0, min(size) // 2 - 2, 3):
            pen.ellipse([grow, grow, width - 1 - grow, height - 1 - grow], outline=255)
    if kind == "swiss":
        pen.ellipse([1, 1, width - 2, height - 2], fill=255)
        for _ in range(25):
            x, y = point()
            r = int(rng.integers(1, 6))
            pen.ellipse([x - r, y - r, x + r, y + r], fill=int(rng.integers(0, 4) == 0) * 255)
    if kind == "blobs":
        for _ in range(6):
            x, y = point()
            r = int(rng.integers(1, min(size) // 4))
            pen.ellipse([x - r, y - r, x + r, y + r], fill=255)
    return np.array(image) > 0


KINDS = ["noise", "full", "row", "column", "dot", "scratches", "rings", "swiss", "blobs"]


def write_category(folder, rng, count=6):
    for place in ["train/good", "test/good"]:
        (folder / place).mkdir(parents=True)
        for i in range(3):
            Image.fromarray(rng.integers(0, 255, (40, 50, 3), dtype=np.uint8)).save(folder / place / f"{i:03}.png")
    for t in TYPES:
        (folder / "test" / t).mkdir(parents=True)
        (folder / "ground_truth" / t).mkdir(parents=True)
        for kind in KINDS:
            for i in range(count):
                size = (int(rng.integers(20, 90)), int(rng.integers(20, 90)))
                mask = draw_mask(rng, kind, size)
                if not mask.any():
                    continue
                pixels = rng.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
                # Some photographs lie on their side, with the turn in their EXIF data. Masks lie as the picture is seen.
                name = f"{kind}{i}"
                if i == 1:
                    exif = Image.Exif()
                    exif[0x0112] = 1
                    Image.fromarray(pixels).save(folder / "test" / t / f"{name}.jpg", exif=exif)
                else:
                    Image.fromarray(pixels).save(folder / "test" / t / f"{name}.png")
                Image.fromarray((mask * 255).astype(np.uint8)).save(folder / "ground_truth" / t / f"{name}_mask.png")


def export(data, fmt, out, *more):
    command = ["node", str(ROOT / "dist/cli/main.js"), "export", "--data", str(data), "--format", fmt]
    done = subprocess.run([*command, "--out", str(out), "--json", *more], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"export failed: {done.stderr}{done.stdout}")
    lines = [json.loads(line) for line in (out / "files.jsonl").read_text().splitlines()]
    assert all(isinstance(line["synthetic"], bool) for line in lines)
    return lines


def true_mask(data, source):
    path = Path(source)
    mask = data / "ground_truth" / path.parent.name / f"{path.stem}_mask.png"
    return np.array(Image.open(mask).convert("L")) > 127 if mask.exists() else None


failures = 0


def report(what, masks, differing, ious, more=""):
    global failures
    print(f"{what}: {masks} masks, {differing} differ, IoU mean {np.mean(ious):.4f}, least {np.min(ious):.4f}{more}")


def iou(a, b):
    union = (a | b).sum()
    return 1.0 if union == 0 else (a & b).sum() / union


def check_coco(data, out):
    global failures
    from pycocotools import mask as coco_mask
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    lines = export(data, "coco", out)
    coco = COCO(str(out / "annotations/instances.json"))
    differing, ious, codes = 0, [], 0
    for line in lines:
        [image] = [one for one in coco.imgs.values() if f"images/{one['file_name']}" == line["image"]]
        truth = true_mask(data, line["source"])
        found = np.zeros((image["height"], image["width"]), bool)
        for one in coco.imgToAnns[image["id"]]:
            mask = coco.annToMask(one)
            assert one["area"] == int(coco_mask.area(one["segmentation"])) == int(mask.sum())
            assert one["bbox"] == coco_mask.toBbox(one["segmentation"]).tolist()
            own = coco_mask.encode(np.asfortranarray(mask))["counts"].decode()
            codes += own != one["segmentation"]["counts"]
            found |= mask > 0
        if truth is None:
            assert not found.any()
            continue
        differing += not np.array_equal(found, truth)
        ious.append(iou(found, truth))
    keys = ["image_id", "category_id", "segmentation"]
    for kind in ["segm", "bbox"]:
        results = [{**{key: a[key] for key in keys}, "score": 1.0} for a in coco.anns.values()]
        evaluation = COCOeval(coco, coco.loadRes(results), kind)
        evaluation.params.maxDets = [1, 10, 1000]
        evaluation.evaluate()
        evaluation.accumulate()
        precision = evaluation.eval["precision"][..., -1]  # This is with the largest number of detections.
        assert precision[precision > -1].min() > 0.99, kind
    report("coco (pycocotools)", len(ious), differing, ious, f", {codes} codes differ, COCOeval of itself is 1")
    failures += differing + codes


def read_yolo(file, shape):
    """Fills polygons as Ultralytics documents it: corners are scaled, rounded down and filled with their border."""
    import cv2

    height, width = shape
    mask = np.zeros(shape, np.uint8)
    classes, corners = set(), 0
    for line in file.read_text().splitlines():
        number, *values = line.split()
        assert len(values) >= 6 and len(values) % 2 == 0
        points = np.array(values, np.float32).reshape(-1, 2)
        assert points.min() >= 0 and points.max() <= 1
        assert (points.max(0) - points.min(0) > 0).all(), "a box without an area"
        one = np.zeros(shape, np.uint8)
        cv2.fillPoly(one, [(points * np.array([width, height], np.float32)).astype(np.int32)], 1)
        mask |= one
        classes.add(int(number))
        corners += len(points)
    return mask > 0, classes, corners


def check_yolo(data, out):
    global failures
    for error in ["0", "0.5", "1", "2"]:
        folder = out / error
        lines = export(data, "yolo", folder, "--polygon-error", error)
        differing, ious, corners = 0, [], 0
        for line in lines:
            width, height = Image.open(folder / line["image"]).size
            label = folder / line["image"].replace("images/", "labels/", 1)
            mask, classes, more = read_yolo(label.with_suffix(".txt"), (height, width))
            truth = true_mask(data, line["source"])
            if truth is None:
                assert not mask.any()
                continue
            assert len(classes) == 1
            differing += not np.array_equal(mask, truth)
            ious.append(iou(mask, truth))
            corners += more
        report(f"yolo (OpenCV), error {error}", len(ious), differing, ious, f", {corners / len(ious):.0f} corners each")
        failures += differing if error == "0" else 0
    import yaml

    content = yaml.safe_load((folder / "data.yaml").read_text())
    assert "path" not in content and (folder / content["train"]).is_dir() and (folder / content["val"]).is_dir()


def check_ultralytics(data, out):
    global failures
    from ultralytics.data.dataset import YOLODataset
    from ultralytics.data.utils import check_det_dataset

    lines = export(data, "yolo", out)
    content = check_det_dataset(str(out / "data.yaml"), autodownload=False)
    assert list(content["names"].values()) == sorted({name for line in lines for name in line["types"]})
    dataset = YOLODataset(img_path=content["train"], data=content, task="segment", augment=False, imgsz=640)
    rows = [len((out / line["label"]).read_text().splitlines()) for line in lines]
    found = sum(len(label["cls"]) for label in dataset.labels)
    print(f"ultralytics (YOLODataset): {len(dataset)} of {len(lines)} images, {found} of {sum(rows)} polygons")
    failures += len(dataset) != len(lines) or found != sum(rows)
    for i in range(0, len(dataset), 10):
        item = dataset[i]
        assert len(item["cls"]) == 0 or item["masks"].max() > 0


def check_labelme(data, out):
    global failures
    from labelme import utils
    from labelme._label_file import LabelFile

    lines = export(data, "labelme", out)
    differing, ious = 0, []
    for line in lines:
        file = LabelFile(str(out / line["label"]))
        height, width = np.array(Image.open(out / line["image"])).shape[:2]
        names = {shape["label"]: i + 1 for i, shape in enumerate(file.shapes)}
        label, _ = utils.shapes_to_label((height, width), file.shapes, names)
        assert file.flags == {"synthetic": line["synthetic"]}
        truth = true_mask(data, line["source"])
        if truth is None:
            assert not label.any()
            continue
        differing += not np.array_equal(label > 0, truth)
        ious.append(iou(label > 0, truth))
    report("labelme (shapes_to_label)", len(ious), differing, ious)
    failures += differing


def check_anomalib(data, out):
    global failures
    import os

    from anomalib.data import AnomalibDataModule

    lines = export(data, "anomalib", out)
    os.chdir(out)
    module = AnomalibDataModule.from_config("folder.yaml")
    module.setup()
    sources = {str(line["image"]): line["source"] for line in lines}
    differing, ious, normal = 0, [], len(module.train_data)
    for part in [module.train_data, module.val_data, module.test_data]:
        for item in part:
            path = Path(item.image_path)
            relative = path.relative_to(out) if path.is_absolute() else path
            truth = true_mask(data, sources[str(relative)])
            if truth is None:
                assert not bool(item.gt_label)
                continue
            assert bool(item.gt_label)
            found = item.gt_mask.numpy() > 0
            differing += not np.array_equal(found, truth)
            ious.append(iou(found, truth))
    report("anomalib (Folder)", len(ious), differing, ious, f", {normal} images train")
    failures += differing


def cvat_mask(mask, label):
    """Writes a mask as CVAT does: run lengths row by row in the box around it, beginning with unmarked pixels."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    top, left = rows[0], columns[0]
    inside = mask[top : rows[-1] + 1, left : columns[-1] + 1]
    changes = np.flatnonzero(np.diff(np.concatenate([[0], inside.ravel().astype(int)])))
    runs = np.diff(np.concatenate([[0], changes, [inside.size]]))
    height, width = inside.shape
    numbers = ", ".join(str(run) for run in runs)
    return f'<mask label={label} occluded="0" rle="{numbers}" left="{left}" top="{top}" width="{width}" height="{height}" z_order="0"/>'


def cvat_shape(rng, label, size):
    """Draws a shape of a random kind, which may reach over the border of the image. Datumaro reads no ellipses."""
    width, height = size
    kind = str(rng.choice(["polygon", "box", "turned box"]))
    if kind == "polygon":
        from pycocotools import mask as coco_mask

        # A polygon that marks no pixel is an error, so such a one is drawn again.
        corners = np.zeros((3, 2))
        while not coco_mask.area(coco_mask.frPyObjects([corners.ravel().tolist()], height, width)[0]):
            corners = rng.uniform([-5, -5], [width + 5, height + 5], (int(rng.integers(3, 9)), 2)).round(2)
        points = ";".join(f"{x:.2f},{y:.2f}" for x, y in corners)
        return f'<polygon label={label} occluded="0" points="{points}" z_order="0"/>'
    x, y = rng.uniform([5, 5], [width - 5, height - 5]).round(2)
    rx, ry = rng.uniform(2, 12, 2).round(2)
    turn = f' rotation="{rng.uniform(0, 360):.2f}"' if kind == "turned box" else ""
    sides = f'xtl="{x - rx:.2f}" ytl="{y - ry:.2f}" xbr="{x + rx:.2f}" ybr="{y + ry:.2f}"'
    return f'<box label={label} occluded="0"{turn} {sides} z_order="0"/>'


def write_cvat(data, out, rng):
    """Writes CVAT's XML with the masks of a category, and as many images with other shapes. Returns the true masks."""
    from xml.sax.saxutils import quoteattr

    (out / "images").mkdir(parents=True)
    truths, images = {}, []
    for t in sorted(path.name for path in (data / "test").iterdir() if path.name != "good"):
        for source in sorted((data / "test" / t).iterdir()):
            truth, pixels = true_mask(data, source), Image.open(source).convert("RGB")
            for kind in ["mask", "shape"]:
                name = f"{kind}{len(images):04}.png"
                pixels.save(out / "images" / name)
                label = quoteattr(t)
                shape = cvat_mask(truth, label) if kind == "mask" else cvat_shape(rng, label, pixels.size)
                width, height = pixels.size
                images.append(
                    f'<image id="{len(images)}" name="{name}" width="{width}" height="{height}">{shape}</image>'
                )
                truths[name] = truth if kind == "mask" else None
    labels = "".join(f"<label><name>{quoteattr(t)[1:-1]}</name></label>" for t in TYPES)
    head = f"<version>1.1</version><meta><task><labels>{labels}</labels></task></meta>"
    text = f'<?xml version="1.0" encoding="utf-8"?><annotations>{head}{"".join(images)}</annotations>'
    (out / "annotations.xml").write_text(text)
    return truths


def drawn_by_cvat(annotation, shape):
    """Draws a shape as CVAT exports it to masks: through the polygon around it, with pycocotools."""
    from datumaro.components.annotation import AnnotationType
    from pycocotools import mask as coco_mask

    height, width = shape
    if annotation.type == AnnotationType.mask:
        return np.asarray(annotation.image).astype(bool)
    if annotation.type == AnnotationType.polygon:
        points = np.round(np.array(annotation.points, float), 2)  # Datumaro rounds them to 32 bits, and CVAT to two places.
    else:
        points = np.ravel(annotation.as_polygon())
    return coco_mask.decode(coco_mask.frPyObjects([list(points)], height, width)[0]).astype(bool)


def check_cvat(data, out):
    global failures
    from datumaro.components.dataset import Dataset

    truths = write_cvat(data, out / "cvat", np.random.default_rng(11))
    command = ["node", str(ROOT / "dist/cli/main.js"), "import", "--from", str(out / "cvat"), "--out", str(out / "tree")]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"import failed: {done.stderr}{done.stdout}")
    found = {path.name.replace("_mask.png", ".png"): path for path in (out / "tree/ground_truth").rglob("*.png")}
    theirs = {f"{item.id}.png": item for item in Dataset.import_from(str(out / "cvat"), "cvat")}
    assert set(found) == set(theirs) == set(truths)
    for kind in ["mask", "shape"]:
        differing, ious = 0, []
        for name in sorted(name for name in truths if name.startswith(kind)):
            ours = np.array(Image.open(found[name])) > 127
            [annotation] = theirs[name].annotations
            other = drawn_by_cvat(annotation, ours.shape)
            differing += not np.array_equal(ours, other)
            ious.append(iou(ours, other))
            failures += truths[name] is not None and not np.array_equal(ours, truths[name])
        report(f"cvat (Datumaro), {kind}s", len(ious), differing, ious)
        failures += differing


CHECKS = {
    "cvat": check_cvat,
    "coco": check_coco,
    "yolo": check_yolo,
    "ultralytics": check_ultralytics,
    "labelme": check_labelme,
    "anomalib": check_anomalib,
}

arguments = sys.argv[1:]
data = None
if "--data" in arguments:
    at = arguments.index("--data")
    data = Path(arguments[at + 1]).resolve()
    del arguments[at : at + 2]
with tempfile.TemporaryDirectory() as scratch:
    if data is None:
        data = Path(scratch) / "category"
        write_category(data, np.random.default_rng(7))
    for name in arguments or list(CHECKS):
        CHECKS[name](data, Path(scratch) / name)
sys.exit(1 if failures > 0 else 0)
