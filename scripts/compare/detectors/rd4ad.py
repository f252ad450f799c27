"""Reverse distillation (RD4AD, arXiv 2201.10703) written plainly in PyTorch: writes the golden values of
native/tests/rd4ad_test.cpp, and with --anomalib compares this writing with anomalib's modules.

    python scripts/compare/detectors/rd4ad.py [--anomalib]
"""
import sys

import torch
import torch.nn.functional as F
from common import Parameters, gradients, report, smoothed, wave, write


def block(p, x, name, out, bottleneck, factor, resize, training):
    """A residual block; `resize` is "halve", "double" or None."""

    def resizing(h, conv, norm, width):
        if resize == "double":
            h = F.conv_transpose2d(h, p.take(conv + ".weight", [h.shape[1], width, 2, 2]), stride=2)
        else:
            h = p.conv(h, conv, width, 3, stride=2 if resize == "halve" else 1)
        return p.norm(h, norm, training)

    if bottleneck:
        width = out // 4 * factor
        h = F.relu(p.norm(p.conv(x, name + ".conv1", width, 1), name + ".bn1", training))
        h = F.relu(resizing(h, name + ".conv2", name + ".bn2", width))
        h = p.norm(p.conv(h, name + ".conv3", out, 1), name + ".bn3", training)
    else:
        h = F.relu(resizing(x, name + ".conv1", name + ".bn1", out))
        h = p.norm(p.conv(h, name + ".conv2", out, 3), name + ".bn2", training)
    if resize == "halve":
        x = p.norm(p.conv(x, name + ".downsample.0", out, 1, stride=2), name + ".downsample.1", training)
    if resize == "double":
        x = F.conv_transpose2d(x, p.take(name + ".upsample.0.weight", [x.shape[1], out, 2, 2]), stride=2)
        x = p.norm(x, name + ".upsample.1", training)
    return F.relu(h + x)


def layer(p, x, name, count, out, bottleneck, factor, resize, training):
    for i in range(count):
        x = block(p, x, f"{name}.{i}", out, bottleneck, factor, resize if i == 0 else None, training)
    return x


def reverse_distillation(p, stages, blocks, embedding, bottleneck, factor, training):
    fine, middle, coarse = (stage.shape[1] for stage in stages)

    def halved(h, i, out):
        name = f"bottleneck.%s{i}"
        return F.relu(p.norm(p.conv(h, name % "conv", out, 3, stride=2), name % "bn", training))

    h = torch.cat([halved(halved(stages[0], 1, middle), 2, coarse), halved(stages[1], 3, coarse), stages[2]], 1)
    h = layer(p, h, "bottleneck.bn_layer", embedding, 2 * coarse, bottleneck, factor, "halve", training)
    decoded = []
    for i, out in enumerate([coarse, middle, fine]):
        h = layer(p, h, f"decoder.layer{i + 1}", blocks[i], out, bottleneck, factor, "double", training)
        decoded.insert(0, h)
    return decoded


def loss(stages, decoded):
    """The mean over images of 1 - cosine between whole stages, summed over stages, as the published code has it."""
    total = 0
    for a, b in zip(stages, decoded):
        a, b = a.flatten(1), b.flatten(1)
        total = total + (1 - (a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1))).mean()
    return total


def maps(stages, decoded, side, sigma=4):
    total = 0
    for a, b in zip(stages, decoded):
        distance = 1 - (a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1))
        total = total + F.interpolate(distance[:, None], (side, side), mode="bilinear", align_corners=True)[:, 0]
    return smoothed(total, sigma)


def teacher(count, channels, side):
    return [1 + wave(f"stage{i}", [count, c, side // (4 << i), side // (4 << i)]) for i, c in enumerate(channels)]


def golden(name, channels, blocks, embedding, bottleneck, factor):
    p, stages = Parameters(), teacher(2, channels, 32)
    with torch.no_grad():
        decoded = reverse_distillation(p, stages, blocks, embedding, bottleneck, factor, training=False)
    value = loss(stages, reverse_distillation(p, stages, blocks, embedding, bottleneck, factor, training=True))
    value.backward()
    write(name, {"maps": maps(stages, decoded, 32)[:, ::4, ::4], "decoded": decoded[2], "loss": value.item(),
                 "gradients": gradients(p)})


def compare_with_anomalib():
    from anomalib.models.image.reverse_distillation.anomaly_map import AnomalyMapGenerationMode, AnomalyMapGenerator
    from anomalib.models.components.backbone import get_decoder
    from anomalib.models.image.reverse_distillation.components import get_bottleneck_layer
    from anomalib.models.image.reverse_distillation.loss import ReverseDistillationLoss

    for backbone, channels, blocks, embedding, bottleneck, factor in [
            ("resnet18", (64, 128, 256), (2, 2, 2), 2, False, 1),
            ("wide_resnet50_2", (256, 512, 1024), (3, 4, 6), 3, True, 2)]:
        p, stages = Parameters(), teacher(2, channels, 64)
        with torch.no_grad():
            ours = reverse_distillation(p, stages, blocks, embedding, bottleneck, factor, training=False)
        torch.set_grad_enabled(True)
        modules = torch.nn.ModuleDict({"bottleneck": get_bottleneck_layer(backbone, width_per_group=64 * factor),
                                        "decoder": get_decoder(backbone)})
        missing = modules.double().load_state_dict({k: v.detach() for k, v in p.items()}, strict=False)
        assert not missing.unexpected_keys and all("4" in k or "num_batches" in k for k in missing.missing_keys)
        with torch.no_grad():
            theirs = modules.eval()["decoder"](modules["bottleneck"](stages))
        generator = AnomalyMapGenerator((64, 64), mode=AnomalyMapGenerationMode.ADD)
        report(backbone + " maps", maps(stages, ours, 64), generator(theirs, stages)[:, 0])
        modules.train()
        theirs = ReverseDistillationLoss()(stages, modules["decoder"](modules["bottleneck"](stages)))
        theirs.backward()
        value = loss(stages, reverse_distillation(p, stages, blocks, embedding, bottleneck, factor, training=True))
        value.backward()
        report(backbone + " loss", value, theirs)
        named = dict(modules.named_parameters())
        worst = max(((v.grad - named[k].grad).norm() / named[k].grad.norm()).item() for k, v in p.items()
                    if v.grad is not None)
        print(f"{backbone} gradients of {len(named)} parameters: largest relative difference {worst:.1e}")


if __name__ == "__main__":
    if "--anomalib" in sys.argv:
        compare_with_anomalib()
    else:
        golden("rd4ad", (4, 8, 8), (1, 1, 2), 1, False, 1)
        golden("rd4ad-bottleneck", (8, 8, 8), (1, 2, 1), 2, True, 2)
