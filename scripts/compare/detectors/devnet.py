"""DevNet (arXiv 2108.00462) written plainly in PyTorch: writes the golden values of native/tests/deviation_test.cpp.

    python scripts/compare/detectors/devnet.py
"""
import torch
from common import Parameters, deviation_loss, gradients, resnet, top_share, wave, write


def score_maps(p, images, width, training):
    """The absolute scores of the places of the last stage, for the images and for the images at half their sides."""
    maps = []
    for scale in (1, 2):
        features = resnet(p, images[:, :, ::scale, ::scale], "backbone", width, training)[-1]
        maps.append(p.conv(features, "conv", 1, 1, bias=True)[:, 0].abs())
    return maps


def scores(maps):
    return sum(top_share(one) for one in maps) / len(maps)


if __name__ == "__main__":
    p, images = Parameters(), wave("images", [4, 3, 160, 160])
    labels, reference = torch.tensor([0.0, 1.0, 0.0, 1.0], dtype=torch.float64), wave("reference", [50])
    with torch.no_grad():
        maps = score_maps(p, images, 4, training=False)
    value = deviation_loss(scores(score_maps(p, images, 4, training=True)), labels, reference)
    value.backward()
    write("devnet", {"map0": maps[0], "map1": maps[1], "scores": scores(maps), "loss": value.item(),
                     "gradients": gradients(p)})
