// A Stable Diffusion base consists of tokenizer, text encoder, autoencoder, UNet and noise schedule.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "diffusion/noise_schedule.h"
#include "model/base_lora.h"
#include "model/clip_tokenizer.h"
#include "model/taesd.h"
#include "model/text_encoder.h"
#include "model/unet.h"
#include "model/vae.h"

namespace dan::model {

struct BaseModel {
  std::string folder;             // a diffusers folder or a checkpoint file
  std::string fingerprint;        // It does not depend on the precision of the files; see base_fingerprint.h.
  std::string legacyFingerprint;  // Adapters of version 0.1.0 store this one.
  std::string schedulerName;      // diffusers' class name
  diffusion::ScheduleConfig schedule;
  std::unique_ptr<ClipTokenizer> tokenizer;
  std::unique_ptr<TextEncoder> textEncoder;
  std::unique_ptr<Vae> vae;  // The VAE stays in float32: it runs once per image and overflows in float16.
  std::unique_ptr<Unet> unet;
  std::unique_ptr<Taesd> taesd;  // This faster decoder is optional.

  at::Device device() const { return unet->device(); }
  // Image sides must be multiples of this value: the pixels of one latent times the UNet's downscaling.
  int64_t resolutionMultiple() const;
  // Returns true if the UNet also takes the known ground; see inpaint_condition.h.
  bool isInpainting() const { return unet->config().inChannels > vae->config().latentChannels; }
  // Encodes one image of `value` in [-1, 1] everywhere. Returns scaled latents, (1, 4, h, w). `height` and `width` are
  // in pixels.
  at::Tensor plainLatents(double value, int64_t height, int64_t width) const;
  // Returns (N, maxLength) int64.
  at::Tensor tokenize(const std::vector<std::string>& prompts) const;
};

struct BaseOptions {
  BaseSource source;
  std::vector<LoraFile> loras;  // These are merged into the weights.
  std::string taesd;            // a TAESD decoder; empty: none
};

// Implements `--dtype auto`. CUDA devices use bfloat16, or float16 before Ampere. A CPU uses bfloat16 if it has
// instructions for it and the UNet is as wide as Stable Diffusion's, else float32. A narrow UNet (the embedded base)
// spends its time on memory passes and calls, which bfloat16 does not shorten, and it shows the rounding.
at::ScalarType suitedDtype(const UnetConfig& unet, const at::Device& device, bool cpuComputesInBFloat16);

// Uses suitedDtype() if no dtype is given. Throws ERR_MODEL_INVALID naming the part that the base lacks, or
// ERR_WEIGHTS_INVALID naming a tensor that does not fit.
std::unique_ptr<BaseModel> loadBaseModel(const BaseOptions& options, const at::Device& device,
                                         std::optional<at::ScalarType> dtype);
// Loads a diffusers folder without merging any LoRA.
std::unique_ptr<BaseModel> loadBaseModel(const std::string& folder, const at::Device& device, at::ScalarType dtype);

// Builds a base for benchmarks: the sizes of Stable Diffusion 1.5, random weights and no tokenizer. The weights are
// rounded to `storedAs`, as if files of that precision had been read.
std::unique_ptr<BaseModel> randomBaseModel(const at::Device& device, at::ScalarType dtype, at::ScalarType storedAs,
                                           uint64_t seed);

}  // namespace dan::model
