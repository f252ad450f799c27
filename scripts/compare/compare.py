"""Compares the engine with PyTorch, diffusers and transformers, file by file; prints PASS or FAIL per comparison.

    python3 -m venv .venv && .venv/bin/pip install torch==2.11.0 diffusers==0.42.1 transformers
    .venv/bin/python scripts/compare/compare.py --conversion convert_diffusers_to_original_stable_diffusion.py

Needs the built package, ../shared (fixtures, peer) and, for the checkpoint files, diffusers' own conversion script, which
is in the `scripts` folder of its repository and not in its wheel. Not a test of CI: it needs a Python with PyTorch.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import torch
from diffusers import AutoencoderKL, AutoencoderTiny, DDIMScheduler, UNet2DConditionModel
from diffusers.utils import SAFETENSORS_WEIGHTS_NAME, logging
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHARED = os.path.join(ROOT, "..", "shared")
TINY = os.path.join(SHARED, "fixtures-detail", "tiny-sd")
sys.path.insert(0, os.path.join(SHARED, "peer"))
from dual_step import DualAttention  # noqa: E402  (the method as a PyTorch user writes it)

logging.disable_progress_bar()
failed = passed = 0


def check(name, ours, theirs, tolerance):
    global failed, passed
    ours, theirs = torch.as_tensor(ours, dtype=torch.float64), theirs.detach().to(torch.float64)
    off = float("inf") if ours.numel() != theirs.numel() else (ours.flatten() - theirs.flatten()).abs().max().item()
    passed, failed = (passed + 1, failed) if off <= tolerance else (passed, failed + 1)
    print(f"{'PASS' if off <= tolerance else 'FAIL'} {name}: largest difference {off:.2e} (at most {tolerance:.0e})", flush=True)


def engine(**job):
    done = subprocess.run(["node", os.path.join(ROOT, "scripts", "compare", "engine.mjs")], input=json.dumps(job), text=True,
                          capture_output=True)
    if done.returncode != 0: raise SystemExit(done.stderr)
    return json.loads(done.stdout)


def cli(*args):
    subprocess.run(["node", os.path.join(ROOT, "dist", "cli", "main.js"), *args], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def tensor(value): return torch.tensor(value["data"]).view(value["shape"])
def as_json(t): return {"data": t.flatten().tolist(), "shape": list(t.shape)}


def dual_unet(folder, adapter):
    """diffusers' UNet with the method's attention, weights by the published names."""
    unet = UNet2DConditionModel.from_pretrained(folder, subfolder="unet").float()
    names = {"temporal_n": "norm", "temporal_i": "inp", "temporal_q": "q", "temporal_k": "k", "temporal_v": "v", "temporal_o": "out"}
    processors = {}
    for name, module in unet.named_modules():
        if not (hasattr(module, "processor") and hasattr(module, "to_q")): continue
        prefix = f"unet.{name}.processor."
        own = {k[len(prefix):]: v.float() for k, v in adapter.items() if k.startswith(prefix)}
        rank = own["to_q_lora.0.down.weight"].shape[0]
        attention = DualAttention(module.to_q.in_features, module.to_k.in_features, rank)
        state = {}
        for key, value in own.items():
            part, rest = key.split(".", 1)
            if part in names: state[f"{names[part]}.{rest}"] = value
            else:  # to_q_lora.<branch>.down.weight
                branch, rest = rest.split(".", 1)
                state[f"loras.{branch}.{ {'out': 'o'}.get(part[3:-5], part[3:-5]) }.{rest}"] = value
        attention.load_state_dict(state)
        processors[name + ".processor"] = attention
    unet.set_attn_processor(processors)
    return unet.eval()


def encode(folder, prompts, adapter=None):
    """Text features; with the adapter's LoRA added to the encoder's projections."""
    tokenizer = CLIPTokenizer.from_pretrained(folder, subfolder="tokenizer")
    model = CLIPTextModel.from_pretrained(folder, subfolder="text_encoder").float().eval()
    if adapter:
        for name, module in model.named_modules():
            if not name.endswith("self_attn"): continue
            layer = name[name.index("encoder.layers."):]
            for ours, theirs in (("q", "q_proj"), ("k", "k_proj"), ("v", "v_proj"), ("out", "out_proj")):
                prefix = f"text_encoder.text_model.{layer}.to_{ours}_lora."
                with torch.no_grad():
                    getattr(module, theirs).weight += adapter[prefix + "up.weight"].float() @ adapter[prefix + "down.weight"].float()
    ids = tokenizer(prompts, padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids
    with torch.no_grad(): return model(ids).last_hidden_state


def compare_adapter(name, base, folder, work, size=64):
    """Trains a few steps, exports in the published format, and lets both predict."""
    own = os.path.join(work, f"{name}.safetensors")
    cli("train", "--base", base, "--data", os.path.join(ROOT, "assets", "example", "brushed_metal"), "--type", "stain",
        "--steps", "3", "--learning-rate", "0.01", "--batch-size", "1", "--rank", "4", "--resolution", str(size), "--out", own)
    published = os.path.join(work, f"{name}.bin")
    cli("convert", "--input", own, "--to", "published", "--out", published)
    adapter = torch.load(published, weights_only=True)
    prompts = ["a vfx with sks", "sks"]
    text = encode(folder, prompts, adapter)
    unet = dual_unet(folder, adapter)
    generator = torch.Generator().manual_seed(1)
    latents = torch.randn(2, 4, size // 8, size // 8, generator=generator)
    for t in (1, 500, 981):
        with torch.no_grad(): theirs = unet(latents, torch.tensor(t), text).sample
        job = dict(latents=as_json(latents), timesteps=[t, t], textStates=as_json(text))
        answer = engine(base=base, adapter=own, prompts=prompts, predict=job)
        check(f"{name}: prediction at t={t}, exported .bin in PyTorch", answer["prediction"]["data"], theirs, 1e-4)
    check(f"{name}: prompts with the adapter", answer["adapterText"]["data"], text, 1e-4)
    check(f"{name}: prompts without", answer["text"]["data"], encode(folder, prompts), 1e-4)
    return own, unet, adapter


def original_checkpoint(conversion, folder, work, name):
    """diffusers' own script reads .bin files."""
    source = os.path.join(work, name + "-bin")
    for part, file, out in (("unet", SAFETENSORS_WEIGHTS_NAME, "diffusion_pytorch_model.bin"),
                            ("vae", SAFETENSORS_WEIGHTS_NAME, "diffusion_pytorch_model.bin"), ("text_encoder", "model.safetensors", "pytorch_model.bin")):
        os.makedirs(os.path.join(source, part))
        state = load_file(os.path.join(folder, part, file))
        if part == "vae":  # the script knows the older names of the attention
            rename = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
            for new, old in rename.items(): state = {k.replace(f"attentions.0.{new}.", f"attentions.0.{old}."): v for k, v in state.items()}
        if part == "text_encoder" and not any(k.startswith("text_model.") for k in state):
            state = {"text_model." + k: v for k, v in state.items()}
        torch.save(state, os.path.join(source, part, out))
    checkpoint = os.path.join(work, name + ".ckpt")
    subprocess.run([sys.executable, conversion, "--model_path", source, "--checkpoint_path", checkpoint], check=True,
                   stdout=subprocess.DEVNULL)
    return checkpoint


def compare_single_file(name, conversion, folder, work, own, load):
    checkpoint = original_checkpoint(conversion, folder, work, name)
    single = os.path.join(work, name + "-single.safetensors")
    save_file({k: v.contiguous() for k, v in torch.load(checkpoint, weights_only=True)["state_dict"].items()}, single)
    converted = os.path.join(work, name + "-converted")
    flags = {"baseConfig": "--base-config", "predictionType": "--prediction-type"}
    cli("convert", "--input", checkpoint, "--to", "base", *(x for k, v in load.items() for x in (flags[k], v)), "--out", converted)
    sampling = dict(indices=[0], steps=3, resolution=64, seed=5, scheduler="ddim")
    expected = engine(base=folder, adapter=own, sample=sampling)["images"]
    for what, base, options in (("a .ckpt", checkpoint, load), ("a .safetensors", single, load), ("the converted folder", converted, {})):
        images = engine(base=base, load=options, adapter=own, sample=sampling)["images"]
        check(f"{name}: image from {what} ({', '.join(options) or 'nothing else given'})", images, torch.tensor(expected), 0)
    ours = UNet2DConditionModel.from_pretrained(converted, subfolder="unet").state_dict()  # diffusers reads what we wrote
    theirs = UNet2DConditionModel.from_pretrained(folder, subfolder="unet").state_dict()
    check(f"{name}: the converted UNet in diffusers", torch.cat([ours[k].flatten() for k in theirs]), torch.cat([v.flatten() for v in theirs.values()]), 0)


def make_small_model(work, second):
    """A small model with what tensors do not say as the original code has it: groups of 32, heads of 64 channels. 1.x: eight
    heads in the UNet. 2.x: linear projections, OpenCLIP's 23 layers, padding with "!", v-prediction."""
    torch.manual_seed(3)
    folder = os.path.join(work, "small2" if second else "small1")
    UNet2DConditionModel(sample_size=8, block_out_channels=(64, 128, 128, 128), attention_head_dim=(1, 2, 2, 2) if second else 8,
                         cross_attention_dim=64, use_linear_projection=second, norm_num_groups=32,
                         down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
                         up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3).save_pretrained(os.path.join(folder, "unet"))
    AutoencoderKL(block_out_channels=(32,) * 4, down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
                  layers_per_block=2).save_pretrained(os.path.join(folder, "vae"))
    CLIPTextModel(CLIPTextConfig(hidden_size=64, intermediate_size=64, num_hidden_layers=23 if second else 2, num_attention_heads=1,
                                 hidden_act="gelu" if second else "quick_gelu", vocab_size=49408)).save_pretrained(os.path.join(folder, "text_encoder"))
    tokenizer = CLIPTokenizer.from_pretrained(TINY, subfolder="tokenizer")
    if second: tokenizer.pad_token = "!"
    tokenizer.save_pretrained(os.path.join(folder, "tokenizer"))
    for file in ("vocab.json", "merges.txt"):  # transformers 5 writes tokenizer.json only
        path = os.path.join(folder, "tokenizer", file)
        if not os.path.exists(path): open(path, "w").write(open(os.path.join(TINY, "tokenizer", file)).read())
    DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, set_alpha_to_one=False,
                  steps_offset=1, prediction_type="v_prediction" if second else "epsilon").save_pretrained(os.path.join(folder, "scheduler"))
    return folder


def compare_v_prediction(folder, own, unet, adapter):
    answer = engine(base=folder, adapter=own, sample=dict(indices=[0], steps=5, resolution=64, guidanceScale=2.5, scheduler="ddim", startFromLatentMean=False))
    scheduler = DDIMScheduler.from_pretrained(folder, subfolder="scheduler")
    scheduler.set_timesteps(5)
    text = torch.cat([encode(folder, ["", ""], adapter), encode(folder, ["a vfx with sks", "sks"], adapter)])
    latents = tensor(answer["trajectory"][0])
    for i, t in enumerate(scheduler.timesteps):
        with torch.no_grad(): negative, positive = unet(torch.cat([latents, latents]), t, text).sample.chunk(2)
        latents = scheduler.step(negative + 2.5 * (positive - negative), t, latents).prev_sample
        if i in (0, 4): check(f"2.x: v-prediction, DDIM, latents after step {i + 1}", answer["trajectory"][i + 1]["data"], latents, 1e-3)


def compare_shards(work, own):
    """The tiny base in shards and in half precision, as diffusers writes them."""
    folder = os.path.join(work, "shards")
    UNet2DConditionModel.from_pretrained(TINY, subfolder="unet").save_pretrained(os.path.join(folder, "unet"), max_shard_size="1MB")
    AutoencoderKL.from_pretrained(TINY, subfolder="vae").save_pretrained(os.path.join(folder, "vae"), safe_serialization=False)
    CLIPTextModel.from_pretrained(TINY, subfolder="text_encoder").half().save_pretrained(os.path.join(folder, "text_encoder"), variant="fp16")
    for part in ("tokenizer", "scheduler"): os.symlink(os.path.join(TINY, part), os.path.join(folder, part))
    files = sorted(os.listdir(os.path.join(folder, "unet")))
    sampling = dict(indices=[0], steps=3, resolution=64, seed=5)
    expected, images = (engine(base=base, adapter=own, sample=sampling)["images"] for base in (TINY, folder))
    check(f"shards ({len(files) - 2} of the UNet), .bin and .fp16: the image", images, torch.tensor(expected), 0)
    half = os.path.join(work, "variant")
    UNet2DConditionModel.from_pretrained(TINY, subfolder="unet").half().save_pretrained(os.path.join(half, "unet"), max_shard_size="1MB", variant="fp16")
    for part in ("vae", "text_encoder", "tokenizer", "scheduler"): os.symlink(os.path.join(TINY, part), os.path.join(half, part))
    images = engine(base=half, adapter=own, sample=sampling)["images"]
    check(f"fp16 shards ({', '.join(f for f in os.listdir(os.path.join(half, 'unet')) if 'index' in f)})", images, torch.tensor(expected), 0)


def compare_taesd(work):
    torch.manual_seed(4)
    model = AutoencoderTiny(encoder_block_out_channels=(8,) * 4, decoder_block_out_channels=(8,) * 4).eval()
    folder = os.path.join(work, "taesd")
    model.save_pretrained(folder)
    state = {k[len("decoder.layers."):]: v for k, v in model.state_dict().items() if k.startswith("decoder.layers.")}
    original = os.path.join(work, "taesd_decoder.pth")  # its list begins with a clamp, so that its numbers are one higher
    torch.save({f"{int(k.split('.')[0]) + 1}.{k.split('.', 1)[1]}": v for k, v in state.items()}, original)
    latents = torch.randn(1, 4, 8, 8)
    with torch.no_grad(): image = model.decode(latents).sample
    theirs = ((image[0].permute(1, 2, 0) + 1) * 127.5).clamp(0, 255).round()
    for what, path in (("diffusers folder", folder), ("original file", original)):
        ours = engine(base=TINY, load={"taesd": path}, decode=as_json(latents), decoder="taesd")["decoded"]
        check(f"TAESD from the {what}: levels", ours["data"], theirs, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--conversion", help="diffusers' convert_diffusers_to_original_stable_diffusion.py")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        own, _, _ = compare_adapter("tiny", TINY, TINY, work)
        compare_shards(work, own)
        compare_taesd(work)
        first, second = make_small_model(work, False), make_small_model(work, True)
        own1, _, _ = compare_adapter("1.x", first, first, work)
        own2, unet2, adapter2 = compare_adapter("2.x", second, second, work)
        compare_v_prediction(second, own2, unet2, adapter2)
        if args.conversion:
            compare_single_file("tiny", args.conversion, TINY, work, own, {"baseConfig": TINY})
            compare_single_file("1.x", args.conversion, first, work, own1, {})
            compare_single_file("2.x", args.conversion, second, work, own2, {"predictionType": "v_prediction"})
    print(f"{passed} passed, {failed} failed" + ("" if args.conversion else " (no --conversion: checkpoint files were not compared)"))
    sys.exit(failed > 0)


main()
