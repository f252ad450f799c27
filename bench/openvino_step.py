"""Times one call of Stable Diffusion 1.5's bare UNet (random weights, no LoRA, no SAIM) in OpenVINO on the CPU.

The batch, the size and the keys of the line of JSON are those of ../shared/peer/dual_step.py with --plain. diffusers'
UNet is converted once into the folder --ir, in a process of its own, so that the memory of PyTorch is not counted.

    python3 -m venv .venv && .venv/bin/pip install torch==2.11.0 diffusers==0.42.1 transformers openvino
    .venv/bin/python bench/openvino_step.py --ir /tmp/unet-ir --size 512 --cfg --dtype bfloat16 --threads 2
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time

SIZES = dict(
    sample_size=64,
    in_channels=4,
    out_channels=4,
    layers_per_block=2,
    block_out_channels=(320, 640, 1280, 1280),
    down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
    up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
    cross_attention_dim=768,
    attention_head_dim=8,
)


def read_config(path):
    """Returns the sizes of a diffusers config, or those of Stable Diffusion 1.5 if there is no path."""
    if path is None:
        return SIZES
    with open(path) as file:
        return {key: value for key, value in json.load(file).items() if not key.startswith("_")}


def convert(config, xml):
    """Writes the UNet as OpenVINO's files, in float32 and for any batch and size."""
    import openvino
    import torch
    from diffusers import UNet2DConditionModel

    class Plain(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.unet = UNet2DConditionModel(**config)

        def forward(self, sample, timestep, states):
            return self.unet(sample, timestep, states, return_dict=False)[0]

    torch.manual_seed(0)
    with torch.no_grad():
        model = Plain().eval()
        inputs = (torch.randn(2, 4, 16, 16), torch.tensor(500), torch.randn(2, 77, config["cross_attention_dim"]))
        openvino.save_model(openvino.convert_model(model, example_input=inputs), xml, compress_to_fp16=False)


def measure(args, config, xml):
    import numpy
    import openvino

    rows = args.pairs * 2 * (2 if args.cfg else 1)
    side = args.size // args.vae_scale
    shapes = [(rows, 4, side, side), (), (rows, 77, config["cross_attention_dim"])]
    core = openvino.Core()
    model = core.read_model(xml)
    model.reshape({port: list(shape) for port, shape in zip(model.inputs, shapes)})
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": "1",
        "INFERENCE_PRECISION_HINT": {"float32": "f32", "bfloat16": "bf16"}[args.dtype],
    }
    if args.threads:
        settings["INFERENCE_NUM_THREADS"] = str(args.threads)
    request = core.compile_model(model, "CPU", settings).create_infer_request()
    random = numpy.random.default_rng(0)
    sample, states = (random.standard_normal(shape, dtype=numpy.float32) for shape in (shapes[0], shapes[2]))
    inputs = [sample, numpy.array(500, dtype=numpy.int64), states]
    times = []
    for _ in range(args.reps + 1):
        start = time.perf_counter()
        result = request.infer(inputs)
        times.append(time.perf_counter() - start)
    if not numpy.isfinite(result[0]).all():
        sys.exit("OpenVINO's prediction is not finite")
    times = times[1:]  # The first call warms up.
    return dict(
        what="denoise_step",
        batch=rows,
        size=args.size,
        dtype=args.dtype,
        device="cpu",
        plain=True,
        median_s=statistics.median(times),
        min_s=min(times),
        max_s=max(times),
        peak_mib=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        trainable=0,
        openvino=openvino.__version__,
        threads=args.threads,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--ir", required=True, help="folder of the converted UNet")
    parser.add_argument("--config", help="config.json of a diffusers UNet")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--pairs", type=int, default=1)
    parser.add_argument("--cfg", action="store_true")
    parser.add_argument("--vae-scale", type=int, default=8)
    parser.add_argument("--dtype", default="float32", choices=("float32", "bfloat16"))
    parser.add_argument("--threads", type=int)
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--convert", action="store_true", help="only convert")
    args = parser.parse_args()
    config = read_config(args.config)
    xml = os.path.join(args.ir, "unet.xml")
    if args.convert:
        convert(config, xml)
        return
    if not os.path.exists(xml):
        os.makedirs(args.ir, exist_ok=True)
        subprocess.run([sys.executable, *sys.argv, "--convert"], check=True, stdout=subprocess.DEVNULL)
    print(json.dumps(measure(args, config, xml)))


if __name__ == "__main__":
    main()
