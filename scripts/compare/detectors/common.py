"""What the comparisons of detectors share: values by a formula that native/tests/detector_golden.cpp knows too, so that
the golden files hold results only."""
import json
import os

import torch
import torch.nn.functional as F

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "test", "data", "detectors")


def wave(name, shape, step=0.91):
    """A tensor in -1 .. 1 whose phase depends on the name."""
    count = int(torch.tensor(shape).prod()) if len(shape) else 1
    i = torch.arange(count, dtype=torch.float64)
    return torch.sin(0.37 * sum(name.encode()) + step * i + 0.0013 * i * i).reshape(shape)


def weight(name, shape):
    """A parameter of usual size: kernels by their fan in, norms near the identity."""
    values = wave(name, shape)
    if len(shape) >= 2:
        return values * (3 * shape[0] / values.numel()) ** 0.5
    if name.endswith("running_var") or name.endswith("weight"):
        return 1 + 0.3 * values
    return 0.1 * values


class Parameters(dict):
    """Makes each parameter when it is first asked for, and keeps it."""

    def take(self, name, shape):
        if name not in self:
            self[name] = weight(name, list(shape))
            if "running_" not in name:
                self[name].requires_grad_()
        assert list(self[name].shape) == list(shape), name
        return self[name]

    def norm(self, x, name, training):
        c = x.shape[1]
        w, b = self.take(name + ".weight", [c]), self.take(name + ".bias", [c])
        if training:
            mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), unbiased=False)
        else:
            mean, var = self.take(name + ".running_mean", [c]), self.take(name + ".running_var", [c])
        shape = (1, c, 1, 1)
        return (x - mean.view(shape)) / (var.view(shape) + 1e-5).sqrt() * w.view(shape) + b.view(shape)

    def conv(self, x, name, out, kernel, stride=1, padding=None, bias=False):
        w = self.take(name + ".weight", [out, x.shape[1], kernel, kernel])
        b = self.take(name + ".bias", [out]) if bias else None
        return F.conv2d(x, w, b, stride=stride, padding=kernel // 2 if padding is None else padding)

    def linear(self, x, name, out):
        return x @ self.take(name + ".weight", [out, x.shape[1]]).T + self.take(name + ".bias", [out])


def gradients(parameters):
    """Two numbers for each trained parameter: its gradient's norm, and its product with a wave."""
    found = {}
    for name, tensor in parameters.items():
        if tensor.grad is not None:
            found[name] = [tensor.grad.norm().item(), (tensor.grad * wave(name + "'", list(tensor.shape))).sum().item()]
    return found


def smoothed(maps, sigma):
    """The sum that defines a Gaussian, term by term, over offsets up to 4 sigma, with mirrored borders."""
    radius = int(4 * sigma + 0.5)
    offsets = torch.arange(-radius, radius + 1, dtype=maps.dtype)
    kernel = torch.exp(-(offsets[:, None] ** 2 + offsets[None, :] ** 2) / (2 * sigma * sigma))
    padded = F.pad(maps[:, None], (radius,) * 4, mode="reflect")
    return F.conv2d(padded, (kernel / kernel.sum())[None, None])[:, 0]


def write(name, values):
    def plain(value):
        if isinstance(value, torch.Tensor):
            return {"shape": list(value.shape), "values": [float(f"{v:.9g}") for v in value.detach().flatten().tolist()]}
        return value

    os.makedirs(FOLDER, exist_ok=True)
    path = os.path.join(FOLDER, name + ".json")
    with open(path, "w") as file:
        json.dump({key: plain(value) for key, value in values.items()}, file)
        file.write("\n")
    print(f"{os.path.relpath(path)}: {os.path.getsize(path)} bytes")


def resnet(p, x, name, width, training, blocks=(2, 2, 2, 2)):
    """The four stages of a ResNet of basic blocks (arXiv 1512.03385), with torchvision's names."""
    h = F.relu(p.norm(p.conv(x, name + ".conv1", width, 7, stride=2), name + ".bn1", training))
    h = F.max_pool2d(h, 3, stride=2, padding=1)
    stages = []
    for stage, count in enumerate(blocks):
        out = width << stage
        for i in range(count):
            block, stride = f"{name}.layer{stage + 1}.{i}", 2 if stage > 0 and i == 0 else 1
            inner = F.relu(p.norm(p.conv(h, block + ".conv1", out, 3, stride), block + ".bn1", training))
            inner = p.norm(p.conv(inner, block + ".conv2", out, 3), block + ".bn2", training)
            if h.shape[1] != out:
                h = p.norm(p.conv(h, block + ".downsample.0", out, 1, stride), block + ".downsample.1", training)
            h = F.relu(inner + h)
        stages.append(h)
    return stages


def deviation_loss(scores, labels, reference, margin=5):
    """Good images should score like the mean of the reference scores, defects `margin` deviations above it."""
    deviation = (scores - reference.mean()) / reference.std()
    return ((1 - labels) * deviation.abs() + labels * (margin - deviation).clamp(min=0)).mean()


def top_share(maps, share=0.1):
    """The mean of the largest tenth of the scores of each map, (N, h, w), and at least of one."""
    flat = maps.flatten(1)
    return flat.sort(dim=1, descending=True).values[:, : max(int(share * flat.shape[1]), 1)].mean(1)


def report(name, ours, theirs):
    print(f"{name}: largest relative difference {((ours - theirs).abs().max() / theirs.abs().max()).item():.1e}")
