"""DRA (arXiv 2203.14506) written plainly in PyTorch: writes the golden values of native/tests/deviation_test.cpp.

    python scripts/compare/detectors/dra.py
"""
import torch
import torch.nn.functional as F
from common import Parameters, deviation_loss, gradients, resnet, top_share, wave, write

GOOD, SEEN, PSEUDO = 0, 1, 2


def heads(p, images, references, width, training):
    """For both scales: the holistic scores, and the score maps of the seen, the pseudo and the residual head."""
    found = []
    for scale in (1, 2):
        both = torch.cat([references, images])[:, :, ::scale, ::scale]
        features = resnet(p, both, "backbone", width, training)[-1]
        reference, features = features[: len(references)].mean(0), features[len(references):]
        hidden = F.relu(p.linear(features.mean((2, 3)), "holistic_head.fc1", 256))
        holistic = p.linear(hidden, "holistic_head.fc2", 1)[:, 0].abs()
        seen = p.conv(features, "seen_head.scoring", 1, 1, bias=True)[:, 0].abs()
        pseudo = p.conv(features, "pseudo_head.scoring", 1, 1, bias=True)[:, 0].abs()
        residual = p.conv(reference - features, "composite_head.conv.0", features.shape[1], 3, bias=True)
        residual = F.relu(p.norm(residual, "composite_head.conv.1", training))
        residual = p.conv(residual, "composite_head.scoring", 1, 1, bias=True)[:, 0].abs()
        found.append((holistic, seen, pseudo, residual))
    return found


def scores(found):
    """The four heads' scores of each image, averaged over the scales."""
    scaled = [[h, top_share(s), top_share(p), top_share(r)] for h, s, p, r in found]
    return [sum(parts) / len(parts) for parts in zip(*scaled)]


def loss(found, labels, references):
    """Each head learns from its own examples. The holistic head scores what is good, the others what is not."""
    holistic, seen, pseudo, residual = scores(found)
    not_good = (labels != GOOD).double()
    not_pseudo, not_seen = labels != PSEUDO, labels != SEEN
    return (deviation_loss(holistic, 1 - not_good, references[0])
            + deviation_loss(seen[not_pseudo], not_good[not_pseudo], references[1])
            + deviation_loss(pseudo[not_seen], not_good[not_seen], references[2])
            + deviation_loss(residual, not_good, references[3]))


if __name__ == "__main__":
    p, images, references = Parameters(), wave("images", [6, 3, 160, 160]), wave("references", [2, 3, 160, 160])
    labels, reference_scores = torch.tensor([0, 1, 2, 0, 1, 2]), wave("reference", [4, 50])
    with torch.no_grad():
        found = heads(p, images, references, 4, training=False)
    holistic, seen, pseudo, residual = scores(found)
    value = loss(heads(p, images, references, 4, training=True), labels, reference_scores)
    value.backward()
    write("dra", {"map0": sum(found[0][1:]), "map1": sum(found[1][1:]), "scores": seen + pseudo + residual - holistic,
                  "loss": value.item(), "gradients": gradients(p)})
