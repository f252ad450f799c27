"""Writes test/data/taesd.safetensors: a small TAESD decoder with random weights, latents, and the image that diffusers
makes of them.

    .venv/bin/python scripts/compare/taesd_golden.py
"""
import os

import torch
from diffusers import AutoencoderTiny
from safetensors.torch import save_file

torch.manual_seed(0)
# Two doublings, as many as the embedded base's autoencoder has.
model = AutoencoderTiny(encoder_block_out_channels=(4,) * 3, decoder_block_out_channels=(4,) * 3, num_encoder_blocks=(1, 1, 1),
                        num_decoder_blocks=(2, 1, 1)).eval()
latents = torch.randn(1, 4, 6, 5)
with torch.no_grad(): image = model.decode(latents).sample
weights = {k: v.contiguous() for k, v in model.state_dict().items() if k.startswith("decoder.")}
folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "test", "data")
save_file(weights, os.path.join(folder, "taesd.safetensors"))
save_file({"latents": latents, "image": image}, os.path.join(folder, "taesd-golden.safetensors"))
