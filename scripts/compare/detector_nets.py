"""Writes golden cases of DRAEM and SuperSimpleNet: what anomalib's modules make of weights and pictures that formulas
give, and the loss and gradients of one training step. All numbers are float64. Prints a number for each result, which
native/tests/detector_nets_test.cpp expects of the same formulas.

    python scripts/compare/detector_nets.py DIR && npm run golden -- DIR

anomalib differs from the published code in three places, which this script changes to the published form: it joins the
image and its reconstruction in the other order, SSPCAB has no ReLU before its attention, and DRAEM's losses mirror the
image at its borders and give the background no weight.
"""
import json
import os
import sys

import torch
import torch.nn.functional as F
from anomalib.models.image.draem.torch_model import DraemModel
from anomalib.models.image.supersimplenet import torch_model as ssn
from anomalib.models.image.supersimplenet.loss import SSNLoss
from kornia.metrics import ssim
from safetensors.torch import save_file

torch.set_default_dtype(torch.float64)


def wave(shape, start, step):
    return torch.sin(start + step * torch.arange(int(torch.tensor(shape).prod()))).view(shape)


def noise(shape, start):
    """Numbers in -1 .. 1 that look random, from a formula."""
    return 2 * ((10000 * torch.sin(start + torch.arange(int(torch.tensor(shape).prod())))) % 1).view(shape) - 1


def fill(module, arrange=lambda name, tensor: tensor):
    """Gives each tensor other values, norms too, so that an exchange of any two shows."""
    tensors = {k: v for k, v in module.state_dict().items() if v.is_floating_point() and "kernel" not in k}
    for i, (name, tensor) in enumerate(sorted(tensors.items())):
        is_gain = tensor.dim() == 1 and name.endswith(("weight", "running_var"))
        size = 0.3 if tensor.dim() == 1 else 2.4 / tensor[0].numel() ** 0.5
        tensor.copy_(arrange(name, is_gain + size * noise(tensor.shape, i)))


def fingerprint(tensors):
    flat = torch.cat([tensor.double().flatten() for tensor in tensors])
    return (flat * torch.cos(torch.arange(flat.numel()))).sum().item()


def weights_of(module):
    return {k: v.clone().contiguous() for k, v in module.state_dict().items() if v.is_floating_point()}


def step_of(module, loss, rename=lambda name, tensor: tensor):
    loss.backward()
    out = {"loss": loss.detach().view(1)}
    for name, parameter in module.named_parameters():
        out[f"gradient.{name}"] = rename(name, parameter.grad)
    for name, buffer in module.named_buffers():
        if "running_" in name:
            out[f"statistic.{name}"] = buffer.clone()
    return out


def published_draem_loss(reconstruction, good, logits, mask):
    pad = lambda x: F.pad(x, (5,) * 4)  # Zeros beyond the border give the same windows as a convolution with padding.
    similarity = ssim(pad(reconstruction), pad(good), 11)[..., 5:-5, 5:-5].mean()
    wanted = F.one_hot(mask, 2).permute(0, 3, 1, 2).clamp(1e-5, 1 - 1e-5)
    p = (wanted * logits.softmax(1)).sum(1) + 1e-5
    return F.mse_loss(reconstruction, good) + 1 - similarity + (-((1 - p) ** 2) * p.log()).mean()


def draem(sspcab):
    model = DraemModel(sspcab=sspcab)
    widths = {"reconstructive": 8, "discriminative": 4}
    subnetworks = sys.modules[DraemModel.__module__]
    model.reconstructive_subnetwork = subnetworks.ReconstructiveSubNetwork(base_width=8, sspcab=sspcab)
    model.discriminative_subnetwork = subnetworks.DiscriminativeSubNetwork(6, 2, base_width=4)
    first = "discriminative_subnetwork.encoder_segment.block1.0.weight"
    published_order = lambda name, tensor: tensor[:, [3, 4, 5, 0, 1, 2]].contiguous() if name == first else tensor
    fill(model, published_order)
    weights = {name: published_order(name, tensor) for name, tensor in weights_of(model).items()}
    seen = {}
    encoder = model.reconstructive_subnetwork.encoder
    if sspcab:
        encoder.block5.attention_module.register_forward_pre_hook(lambda _, args: (args[0].relu(),))
        encoder.mp4.register_forward_hook(lambda _, args, out: seen.update(features=out))
        encoder.block5.register_forward_hook(lambda _, args, out: seen.update(predicted=out))
    shape = (2, 3, 64, 64)
    image, good = 0.5 + 0.5 * wave(shape, 0, 0.3), 0.5 + 0.5 * wave(shape, 1, 0.3)
    mask = (wave((2, 64, 64), 2, 0.3) > 0.6).long()
    model.eval()
    with torch.no_grad():
        out = {"eval.reconstruction": model.reconstructive_subnetwork(image), "eval.map": model(image).anomaly_map}
    model.train()
    reconstruction, logits = model(image)
    loss = published_draem_loss(reconstruction, good, logits, mask)
    if sspcab:
        loss = loss + 0.1 * F.mse_loss(seen["features"], seen["predicted"])
    out |= {"train.reconstruction": reconstruction.detach(), "train.logits": logits.detach()}
    out |= step_of(model, loss, published_order)
    return weights, {"image": image, "good": good, "mask": mask}, out, widths | {"sspcab": sspcab}


class StoredStages(torch.nn.Module):
    """Stands in for the backbone."""

    def __init__(self, stages):
        super().__init__()
        self.stages = stages

    def forward(self, _):
        return {str(i): stage for i, stage in enumerate(self.stages)}


def supersimplenet(supervised):
    side, stages = 64, [wave((2, 5, 8, 8), 0, 0.3), wave((2, 7, 4, 4), 1, 0.3)]
    model = ssn.SupersimplenetModel.__new__(ssn.SupersimplenetModel)
    torch.nn.Module.__init__(model)
    extractor = ssn.UpscalingFeatureExtractor.__new__(ssn.UpscalingFeatureExtractor)
    torch.nn.Module.__init__(extractor)
    extractor.feature_extractor, extractor.pooler = StoredStages(stages), torch.nn.AvgPool2d(3, 1, 1)
    model.feature_extractor, model.adapt_cls_features = extractor, True  # The paper adapts the features of both heads.
    model.adaptor = ssn.FeatureAdapter(12)
    model.segdec = ssn.SegmentationDetectionModule(12, stop_grad=not supervised)
    model.anomaly_generator = ssn.AnomalyGenerator(0, 0.015, 0.2)
    model.anomaly_map_generator = ssn.AnomalyMapGenerator(sigma=4)
    fill(model)
    weights = weights_of(model)
    weights.pop("anomaly_map_generator.smoothing.kernel", None)
    image = torch.zeros(2, 3, side, side)
    mask, label = torch.zeros(2, side, side, dtype=torch.long), torch.zeros(2)
    if supervised:
        mask[1, 8:40, 16:32], label[1] = 1, 1
    places, strength = (wave((4, 1, 16, 16), 2, 0.3) > 0.6).double(), 0.3 * wave((4, 12, 16, 16), 3, 0.3)
    places[[0, 3]] = 0  # So that not every image has a defect.
    model.anomaly_generator.generate_perlin = lambda *_: places
    draw, torch.normal = torch.normal, lambda **_: strength
    model.eval()
    with torch.no_grad():
        result = model(image)
        out = {"eval.map": result.anomaly_map.squeeze(1), "eval.score": result.pred_score}
    model.train()
    logits, score, masks, labels = model(image, mask.double(), label)
    torch.normal = draw
    loss = SSNLoss()(logits, score, masks, labels)
    out |= {"train.map": logits.detach(), "train.score": score.detach(), "train.mask": masks, "train.label": labels}
    out |= step_of(model, loss)
    inputs = {"stage0": stages[0], "stage1": stages[1], "mask": mask, "label": label, "places": places, "noise": strength}
    return weights, inputs, out, {"side": side, "separate_heads": not supervised}


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    cases = {"plain": ("draem", lambda: draem(False)), "sspcab": ("draem", lambda: draem(True)),
             "unsupervised": ("supersimplenet", lambda: supersimplenet(False)),
             "supervised": ("supersimplenet", lambda: supersimplenet(True))}
    manifest = []
    for name, (kind, make) in cases.items():
        weights, inputs, outputs, params = make()
        save_file(weights, os.path.join(folder, f"{name}-weights.safetensors"))
        tensors = {f"{name}/{k}": v.contiguous() for k, v in (inputs | outputs).items()}
        save_file(tensors, os.path.join(folder, f"{name}.safetensors"))
        manifest.append({"case": name, "kind": kind, "file": f"{name}.safetensors", "inputs": list(inputs),
                         "outputs": list(outputs), "params": params | {"weights": f"{name}-weights.safetensors"},
                         "atol": 1e-7, "rtol": 1e-6})
        for part in ("eval", "train", "loss", "gradient", "statistic"):
            print(kind, name, part, repr(fingerprint([outputs[k] for k in sorted(outputs) if k.startswith(part)])))
    with open(os.path.join(folder, "manifest.json"), "w") as file:
        json.dump(manifest, file, indent=1)


if __name__ == "__main__":
    main()
