#include <ATen/core/grad_mode.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "bench/options.h"
#include "core/random.h"
#include "dual/dual_unet.h"
#include "dual/folded_adapter.h"
#include "io/safetensors.h"
#include "sample/denoise.h"
#include "train/adamw.h"

namespace dan::bench {

namespace {

int64_t countElements(const TensorMap& tensors) {
  int64_t count = 0;
  for (const auto& [name, tensor] : tensors) count += tensor.numel();
  return count;
}

std::unique_ptr<dual::Adapter> makeAdapter(const BenchOptions& options, const model::BaseModel& base,
                                           dual::BackgroundMode background = dual::BackgroundMode::kOff) {
  const dual::AdapterSettings settings{options.rank, background, 1.0};
  const auto& text = base.textEncoder->config();
  return std::make_unique<dual::Adapter>(dual::Adapter::initialTensors(settings, *base.unet, text, makeGenerator(1)),
                                         settings, *base.unet, text, "bench");
}

struct UnetInputs {
  at::Tensor latents, timesteps, context, background;
};

UnetInputs makeInputs(const BenchOptions& options, const model::BaseModel& base) {
  const int64_t rows = options.pairs * dual::kNumBranches * (options.guidance ? 2 : 1);
  const int64_t side = options.size / base.vae->config().downscale();
  at::Generator generator = makeGenerator(2);
  const auto onDevice = [&](at::IntArrayRef shape) { return randn(shape, generator).to(base.device()); };
  return {onDevice({rows, 4, side, side}), at::full({rows}, 500, at::TensorOptions().dtype(at::kFloat)),
          onDevice({rows, 77, base.unet->config().crossAttentionDim}),
          onDevice({rows / dual::kNumBranches, 4, side, side})};
}

// The peer's step has a UNet and nothing beside it.
void keepUnetOnly(model::BaseModel& base) {
  base.vae.reset();
  base.textEncoder.reset();
}

}  // namespace

nlohmann::json denoiseStep(const BenchOptions& options) {
  const at::NoGradGuard noGrad;
  const auto base = makeBase(options);
  const auto adapter = makeAdapter(options, *base);
  const dual::FoldedAdapter folded(*base->unet, *adapter);
  adapter->releaseLayers();  // as a sampler does
  const auto unet = dual::makeSamplingModel(*base->unet, folded);
  const UnetInputs in = makeInputs(options, *base);
  keepUnetOnly(*base);
  return measure(options, "denoise_step", in.latents.size(0), 0,
                 [&] { unet->forward(in.latents, in.timesteps, in.context, nullptr); });
}

nlohmann::json bcm(const BenchOptions& options) {
  const at::NoGradGuard noGrad;
  const auto base = makeBase(options);
  const auto adapter = makeAdapter(options, *base, dual::BackgroundMode::kAdd);
  const dual::FoldedAdapter folded(*base->unet, *adapter);
  adapter->releaseLayers();  // as a sampler does
  const auto unet = dual::makeSamplingModel(*base->unet, folded);
  const UnetInputs in = makeInputs(options, *base);
  const at::Tensor global = dual::unpackBranches(in.context).select(1, dual::kGlobal);
  const at::Tensor t = in.timesteps.slice(0, 0, in.background.size(0));
  keepUnetOnly(*base);
  return measure(options, "denoise_step_bcm", in.latents.size(0), 0, [&] {
    const auto features = unet->backgroundFeatures(in.background, t, global);
    unet->forward(in.latents, in.timesteps, in.context, &features);
  });
}

nlohmann::json trainStep(const BenchOptions& options) {
  const auto base = makeBase(options);
  const auto adapter = makeAdapter(options, *base);
  adapter->requireGradients();
  TensorMap trained;  // what the peer trains: the UNet's adapter
  for (const auto& [name, tensor] : adapter->parameters()) {
    if (name.rfind("unet.", 0) == 0) trained[name] = tensor;
  }
  train::AdamW optimizer(trained, {});
  const dual::DualUnet unet(*base->unet, *adapter);
  const UnetInputs in = makeInputs(options, *base);
  keepUnetOnly(*base);
  return measure(options, "train_step", in.latents.size(0), countElements(trained), [&] {
    const at::Tensor prediction = unet.forward(in.latents, in.timesteps, in.context);
    at::mse_loss(prediction.to(at::kFloat), at::zeros_like(in.latents)).backward();
    optimizer.step(5e-6);
  });
}

nlohmann::json saim(const BenchOptions& options) {
  const at::NoGradGuard noGrad;
  const auto base = makeBase(options);
  const auto adapter = makeAdapter(options, *base);
  const nn::AttentionLayer* layer = base->unet->attentionLayers().front();
  const int64_t side = options.size / base->vae->config().downscale();
  const int64_t pairs = options.pairs * (options.guidance ? 2 : 1);
  at::Tensor attended = randn({dual::kNumBranches, pairs * side * side, layer->width}, makeGenerator(3))
                            .to(base->device(), base->unet->dtype());
  const dual::FoldedSaim module(adapter->layer(layer->name).saim, base->unet->dtype());
  return measure(options, "saim", pairs, 0, [&] { module.addTo(attended); });
}

nlohmann::json vae(const BenchOptions& options) {
  const at::NoGradGuard noGrad;
  const auto base = makeBase(options);
  const int64_t side = options.size / base->vae->config().downscale();
  const at::Tensor latents =
      randn({options.pairs * dual::kNumBranches, 4, side, side}, makeGenerator(4)).to(base->device());
  return measure(options, "vae_decode", latents.size(0), 0, [&] { base->vae->decode(latents); });
}

// A whole pair of 50 steps, decoding included.
nlohmann::json sample(const BenchOptions& options) {
  const auto base = makeBase(options);
  const auto adapter = makeAdapter(options, *base);
  const dual::FoldedAdapter folded(*base->unet, *adapter);
  adapter->releaseLayers();  // as a sampler does
  const auto unet = dual::makeSamplingModel(*base->unet, folded);
  const UnetInputs in = makeInputs(options, *base);
  return measure(options, "sample", in.latents.size(0), 0, [&] {
    sample::DenoiseInputs inputs;
    inputs.initialLatents = in.latents.slice(0, 0, options.pairs * dual::kNumBranches);
    inputs.encoderHiddenStates = in.context;
    inputs.guidanceScale = options.guidance ? 2.5 : 1.0;
    const auto scheduler = diffusion::makeScheduler("pndm", base->schedule, 50);
    const at::Tensor latents = sample::denoise(*unet, *scheduler, inputs, Task());
    base->vae->decode(latents / base->vae->config().scalingFactor);
  });
}

// Reading a UNet of Stable Diffusion 1.5's size in half precision from a file, as loading a base does.
nlohmann::json load(const BenchOptions& options) {
  if (!options.base.empty()) {
    return measure(options, "load", 1, 0, [&] { makeBase(options); });
  }
  const std::string path = std::filesystem::temp_directory_path() / "dualanodiff-bench-load.safetensors";
  {
    const nn::Weights weights = nn::Weights::random(makeGenerator(0), at::kHalf);
    const model::Unet unet(weights, model::UnetConfig());
    io::writeSafetensors(path, weights.taken());
  }
  const at::ScalarType dtype = options.dtype == "bfloat16" ? at::kBFloat16 : at::kFloat;
  auto result = measure(options, "load", 1, 0, [&] {
    const nn::Weights weights = nn::Weights::fromTensors(io::readSafetensors(path).tensors, path, dtype);
    const model::Unet unet(weights, model::UnetConfig());
  });
  result["file_mib"] = std::filesystem::file_size(path) >> 20;
  std::filesystem::remove(path);
  return result;
}

}  // namespace dan::bench
