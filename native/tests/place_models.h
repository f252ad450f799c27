// These models and adapters are for tests of known ground and of `place`.
#pragma once

#include <memory>

#include "sample/pair_sampler.h"

namespace dan::tests {

constexpr const char* kDualAdapter = "golden/dual-checkpoint/pytorch_lora_weights.bin";
constexpr const char* kBackgroundAdapter = "golden/bcm-checkpoint/pytorch_lora_weights.safetensors";

// The tiny base, which makes images of text alone.
std::shared_ptr<model::BaseModel> textBase();

// Writes the tiny base with five more input channels, as an inpainting model has. Their weights are `extra` times
// normal numbers.
void writeInpaintingBase(const std::string& folder, double extra);
std::shared_ptr<model::BaseModel> inpaintingBase(double extra, at::Device device = at::kCPU);

sample::PairSampler samplerOf(std::shared_ptr<model::BaseModel> base, const char* adapter = kDualAdapter);

}  // namespace dan::tests
