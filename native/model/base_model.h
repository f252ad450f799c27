// A Stable Diffusion base: tokenizer, text encoder, autoencoder, UNet, schedule.
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
  std::string folder;             // or the checkpoint file
  std::string fingerprint;        // tells bases apart whatever precision their files have: see base_fingerprint.h
  std::string legacyFingerprint;  // what adapters of version 0.1.0 say of this base
  std::string schedulerName;      // diffusers' class name
  diffusion::ScheduleConfig schedule;
  std::unique_ptr<ClipTokenizer> tokenizer;
  std::unique_ptr<TextEncoder> textEncoder;
  std::unique_ptr<Vae> vae;  // always float32: it is run once an image, and overflows in float16
  std::unique_ptr<Unet> unet;
  std::unique_ptr<Taesd> taesd;  // a faster decoder, where one was given

  at::Device device() const { return unet->device(); }
  // What image sides must be multiples of: one latent's pixels times the UNet's halvings.
  int64_t resolutionMultiple() const;
  // (N, maxLength) int64.
  at::Tensor tokenize(const std::vector<std::string>& prompts) const;
};

struct BaseOptions {
  BaseSource source;
  std::vector<LoraFile> loras;  // merged into the weights
  std::string taesd;            // a TAESD decoder, or empty
};

// What --dtype auto means: on CUDA bfloat16, before Ampere float16; on a CPU bfloat16 where that computes in it and the
// UNet is as wide as Stable Diffusion's, else float32. A narrow one (the embedded base) spends its time on passes and
// calls that are no shorter in bfloat16, and shows the rounding.
at::ScalarType suitedDtype(const UnetConfig& unet, const at::Device& device, bool cpuComputesInBFloat16);

// Without a dtype, the suited one. Throws ERR_MODEL_INVALID naming the part that the base lacks, ERR_WEIGHTS_INVALID
// naming a tensor that does not fit.
std::unique_ptr<BaseModel> loadBaseModel(const BaseOptions& options, const at::Device& device,
                                         std::optional<at::ScalarType> dtype);
// Of a diffusers folder as it is.
std::unique_ptr<BaseModel> loadBaseModel(const std::string& folder, const at::Device& device, at::ScalarType dtype);

// Stable Diffusion 1.5's sizes with random weights, as from files of precision `storedAs`, and no tokenizer: for
// benchmarks.
std::unique_ptr<BaseModel> randomBaseModel(const at::Device& device, at::ScalarType dtype, at::ScalarType storedAs,
                                           uint64_t seed);

}  // namespace dan::model
