"""CFA (arXiv 2206.04325) written plainly in PyTorch: writes the golden values of native/tests/cfa_test.cpp, and with
--anomalib compares this writing with anomalib's modules.

    python scripts/compare/detectors/cfa.py [--anomalib]
"""
import sys

import torch
import torch.nn.functional as F
from common import Parameters, gradients, report, smoothed, wave, write

NAME = "descriptor.layer.conv2d"


def describe(p, stages):
    """Patch features with coordinates, through a convolution of 1 x 1."""
    size = stages[0].shape[2:]
    patches = torch.cat([F.interpolate(F.avg_pool2d(stage, 3, 1, 1), size, mode="bilinear", align_corners=False)
                         for stage in stages], 1)
    n, c, h, w = patches.shape
    rows = torch.linspace(-1, 1, h, dtype=patches.dtype).view(1, 1, h, 1).expand(n, 1, h, w)
    columns = torch.linspace(-1, 1, w, dtype=patches.dtype).view(1, 1, 1, w).expand(n, 1, h, w)
    return p.conv(torch.cat([patches, rows, columns], 1), NAME, c, 1, bias=True)


def places(features):
    return features.permute(0, 2, 3, 1).flatten(0, 2)


def distances(features, memory):
    """All squared distances, from near to far."""
    return ((features[:, None] - memory[None]) ** 2).sum(2).sort(1).values


def loss(found, radius, nearest=3, negatives=3, alpha=0.1, nu=1e-3):
    attract = (found[:, :nearest] - radius**2).clamp(min=0).mean()
    repel = (radius**2 - found[:, nearest : nearest + negatives] - alpha).clamp(min=0).mean()
    return (attract + repel) / nu


def maps(found, shape, side, nearest=3, sigma=4):
    lengths = found[:, :nearest].sqrt()
    scores = (torch.softmax(-lengths, 1)[:, 0] * lengths[:, 0]).view(shape)
    return smoothed(F.interpolate(scores[:, None], (side, side), mode="bilinear", align_corners=False)[:, 0], sigma)


def stages_of(name, count, channels, side):
    return [wave(f"{name}{i}", [count, c, side // (4 << i), side // (4 << i)]) for i, c in enumerate(channels)]


def golden():
    p, side = Parameters(), 32
    stages, good = stages_of("stage", 2, (4, 4, 6), side), stages_of("good", 3, (4, 4, 6), side)
    radius = p.take("radius", [1])
    with torch.no_grad():
        memory = places(describe(p, good).mean(0, keepdim=True))
        radius.fill_(0.8)
    found = distances(places(describe(p, stages)), memory)
    value = loss(found, radius)
    value.backward()
    write("cfa", {"distances": found[::8, :6], "map": maps(found, (2, 8, 8), side)[:, ::4, ::4], "loss": value.item(),
                  "gradients": gradients(p)})


def compare_with_anomalib():
    from anomalib.models.image.cfa.anomaly_map import AnomalyMapGenerator
    from anomalib.models.image.cfa.loss import CfaLoss
    from anomalib.models.image.cfa.torch_model import CfaModel, Descriptor

    torch.set_default_dtype(torch.float64)  # their coordinates follow it
    p, side = Parameters(), 64
    stages, good = (stages_of(name, 2, (64, 128, 256), side) for name in ("stage", "good"))
    memory = places(describe(p, good).mean(0, keepdim=True)).detach()
    descriptor = Descriptor(1, "resnet18").double()
    descriptor.layer.conv2d.load_state_dict({k[len(NAME) + 1:]: v.detach() for k, v in p.items()})
    model = CfaModel.__new__(CfaModel)
    torch.nn.Module.__init__(model)
    model.memory_bank = memory.T
    features = descriptor(stages)
    theirs = CfaModel.compute_distance(model, features)
    found = distances(places(describe(p, stages)), memory)
    report("distances", found, theirs.flatten(0, 1).sort(1).values)
    value, their = loss(found, torch.tensor([0.8])), CfaLoss(3, 3, 0.8)(theirs)
    report("loss", value, their)
    value.backward()
    their.backward()
    report("gradient", p[NAME + ".weight"].grad, descriptor.layer.conv2d.weight.grad)
    generator = AnomalyMapGenerator(num_nearest_neighbors=3)
    report("map", maps(found, (2, 16, 16), side), generator(distance=theirs, scale=(16, 16), image_size=(side, side))[:, 0])


if __name__ == "__main__":
    compare_with_anomalib() if "--anomalib" in sys.argv else golden()
