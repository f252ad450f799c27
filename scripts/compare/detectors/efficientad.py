"""EfficientAD-S (arXiv 2303.14535) written plainly in PyTorch: writes the golden values of
native/tests/efficientad_test.cpp, and with --anomalib compares this writing with anomalib's modules.

    python scripts/compare/detectors/efficientad.py [--anomalib]
"""
import sys

import torch
import torch.nn.functional as F
from common import Parameters, gradients, report, wave, write


def describe(p, x, name, width, outputs):
    """The patch description network, without padding."""
    h = F.avg_pool2d(F.relu(p.conv(x, name + ".conv1", 2 * width, 4, padding=0, bias=True)), 2)
    h = F.avg_pool2d(F.relu(p.conv(h, name + ".conv2", 4 * width, 4, padding=0, bias=True)), 2)
    h = F.relu(p.conv(h, name + ".conv3", 4 * width, 3, padding=0, bias=True))
    return p.conv(h, name + ".conv4", outputs, 4, padding=0, bias=True)


def autoencode(p, x, name, width, outputs):
    side = x.shape[-1]
    for i, out in enumerate([width // 2, width // 2, width, width, width]):
        x = F.relu(p.conv(x, f"{name}.encoder.enconv{i + 1}", out, 4, stride=2, padding=1, bias=True))
    x = p.conv(x, name + ".encoder.enconv6", width, 8, padding=0, bias=True)
    for i, size in enumerate([side // 64 - 1, side // 32, side // 16 - 1, side // 8, side // 4 - 1, side // 2 - 1]):
        x = F.interpolate(x, (size, size), mode="bilinear", align_corners=False)
        x = F.relu(p.conv(x, f"{name}.decoder.deconv{i + 1}", width, 4, padding=2, bias=True))
    x = F.interpolate(x, (side // 4 - 8,) * 2, mode="bilinear", align_corners=False)
    x = F.relu(p.conv(x, name + ".decoder.deconv7", width, 3, bias=True))
    return p.conv(x, name + ".decoder.deconv8", outputs, 3, bias=True)


def losses(teacher, student, teacher_changed, student_changed, autoencoder_changed):
    """The hard loss of the student, and both losses of the autoencoder on a changed image."""
    outputs = teacher.shape[1]
    distance = (teacher - student[:, :outputs]) ** 2
    hard = distance[distance >= torch.quantile(distance, 0.999)].mean()
    return (hard + ((teacher_changed - autoencoder_changed) ** 2).mean()
            + ((autoencoder_changed - student_changed[:, outputs:]) ** 2).mean())


def maps(teacher, student, autoencoder, side):
    """The student's and the autoencoder's map at the image's size."""
    outputs = teacher.shape[1]
    found = [((teacher - student[:, :outputs]) ** 2).mean(1), ((autoencoder - student[:, outputs:]) ** 2).mean(1)]
    return [F.interpolate(F.pad(one, (4,) * 4)[:, None], (side, side), mode="bilinear", align_corners=False)[:, 0]
            for one in found]


def normalised(map, low, high):
    """0 at the 90 % quantile of good images, 0.1 at the 99.5 % quantile."""
    return 0.1 * (map - low) / (high - low)


def run(p, images, changed, width, outputs):
    nets = {"teacher": describe(p, images, "teacher", width, outputs).detach(),
            "student": describe(p, images, "student", width, 2 * outputs),
            "autoencoder": autoencode(p, images, "ae", width, outputs)}
    value = losses(nets["teacher"], nets["student"], describe(p, changed, "teacher", width, outputs).detach(),
                   describe(p, changed, "student", width, 2 * outputs), autoencode(p, changed, "ae", width, outputs))
    return nets, value


def golden():
    p, images, changed = Parameters(), wave("images", [1, 3, 256, 256]), wave("changed", [1, 3, 256, 256])
    nets, value = run(p, images, changed, 4, 6)
    value.backward()
    student, autoencoder = maps(nets["teacher"], nets["student"], nets["autoencoder"], 256)
    combined = (normalised(student, 0.1, 0.4) + normalised(autoencoder, 0.2, 0.3)) / 2
    write("efficientad", {"autoencoder": nets["autoencoder"][:, :, ::8, ::8], "map": combined[:, ::16, ::16],
                          "loss": value.item(), "gradients": gradients(p)})


def compare_with_anomalib():
    from anomalib.models.image.efficient_ad.torch_model import EfficientAdModel

    model = EfficientAdModel().double()
    mean = torch.tensor([0.485, 0.456, 0.406], dtype=torch.float64)[None, :, None, None]
    deviation = torch.tensor([0.229, 0.224, 0.225], dtype=torch.float64)[None, :, None, None]
    p, images = Parameters(), (1 + wave("images", [1, 3, 256, 256])) / 2
    prepared = (images - mean) / deviation
    nets, value = run(p, prepared, prepared, 64, 384)
    model.load_state_dict({k: v.detach() for k, v in p.items()}, strict=False)
    model.choose_random_aug_image = lambda image: image
    for module in model.ae.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0
    ours = maps(nets["teacher"], nets["student"], nets["autoencoder"], 256)
    model.eval()
    for name, our, their in zip(("student", "autoencoder"), ours, model.get_maps(images)):
        report(name + " map", our, their[:, 0])
    model.train()
    _, distance = model.compute_student_teacher_distance(images)
    student, autoencoder, both = model.compute_losses(images, images, distance)
    penalty = (nets["student"][:, :384] ** 2).mean()  # of ImageNet's images, which we do not have
    report("loss", value, student + autoencoder + both - penalty)


if __name__ == "__main__":
    compare_with_anomalib() if "--anomalib" in sys.argv else golden()
