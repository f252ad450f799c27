#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <filesystem>

#include "bench/options.h"
#include "core/device.h"
#include "core/random.h"
#include "dual/dual_unet.h"
#include "dual/folded_adapter.h"
#include "io/input_file.h"
#include "io/safetensors.h"
#include "nn/gradient_checkpoint.h"
#include "sample/denoise.h"
#include "train/adamw.h"

namespace dan::bench {

namespace {

int64_t countElements(const TensorMap& tensors) {
  int64_t count = 0;
  for (const auto& [name, tensor] : tensors) count += tensor.numel();
  return count;
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

enum class Parts { kAll, kUnet };

// The peer's step contains only a UNet, so the memory of the other parts is freed before an adapter takes its own.
struct BenchBase {
  BenchBase(const BenchOptions& options, Parts parts)
      : model(makeBase(options)), text(model->textEncoder->config()), in(makeInputs(options, *model)) {
    if (parts == Parts::kAll) return;
    model->vae.reset();
    model->textEncoder.reset();
  }

  std::unique_ptr<model::BaseModel> model;
  model::TextConfig text;
  UnetInputs in;
};

std::unique_ptr<dual::Adapter> makeAdapter(const BenchOptions& options, const BenchBase& base,
                                           dual::BackgroundMode background = dual::BackgroundMode::kOff) {
  const dual::AdapterSettings settings{options.rank, background, 1.0};
  const model::Unet& unet = *base.model->unet;
  return std::make_unique<dual::Adapter>(dual::Adapter::initialTensors(settings, unet, base.text, makeGenerator(1)),
                                         settings, unet, base.text, "bench");
}

// A sampler holds the same, with the adapter folded layer by layer.
struct SamplingSetup {
  SamplingSetup(const BenchOptions& options, Parts parts, dual::BackgroundMode background = dual::BackgroundMode::kOff)
      : base(options, parts),
        adapter(makeAdapter(options, base, background)),
        folded(*base.model->unet, *adapter, [this](const std::string& layer) { adapter->releaseLayer(layer); }),
        unet(dual::makeSamplingModel(*base.model->unet, folded)) {}

  BenchBase base;
  std::unique_ptr<dual::Adapter> adapter;
  dual::FoldedAdapter folded;
  std::unique_ptr<dual::PairModel> unet;
};

}  // namespace

nlohmann::json denoiseStep(const BenchOptions& options) {
  const at::NoGradGuard noGrad;
  const SamplingSetup setup(options, Parts::kUnet);
  const UnetInputs& in = setup.base.in;
  return measure(options, "denoise_step", in.latents.size(0), 0,
                 [&] { setup.unet->forward(in.latents, in.timesteps, in.context, nullptr); });
}

nlohmann::json bcm(const BenchOptions& options) {
  const at::NoGradGuard noGrad;
  const SamplingSetup setup(options, Parts::kUnet, dual::BackgroundMode::kAdd);
  const UnetInputs& in = setup.base.in;
  // All pairs share one background. The unconditional half of guidance has its own, as in sampling.
  const int64_t halves = options.guidance ? 2 : 1;
  const at::Tensor background = in.background.slice(0, 0, halves);
  const at::Tensor global = dual::unpackBranches(in.context).select(1, dual::kGlobal).slice(0, 0, halves);
  const at::Tensor t = in.timesteps.slice(0, 0, halves);
  return measure(options, "denoise_step_bcm", in.latents.size(0), 0, [&] {
    auto features = setup.unet->backgroundFeatures(background, t, global);
    for (auto& [name, feature] : features) feature = feature.repeat_interleave(options.pairs, 0);
    setup.unet->forward(in.latents, in.timesteps, in.context, &features);
  });
}

nlohmann::json trainStep(const BenchOptions& options) {
  const BenchBase base(options, Parts::kUnet);
  const auto adapter = makeAdapter(options, base);
  adapter->requireGradients();
  TensorMap trained;  // The peer trains only the UNet's adapter.
  for (const auto& [name, tensor] : adapter->parameters()) {
    if (name.rfind("unet.", 0) == 0) trained[name] = tensor;
  }
  train::AdamW optimizer(trained, {});
  const dual::DualUnet unet(*base.model->unet, *adapter);
  const UnetInputs& in = base.in;
  return measure(options, "train_step", in.latents.size(0), countElements(trained), [&] {
    const nn::GradientCheckpointing checkpointing(options.checkpointing);
    const at::Tensor prediction = unet.forward(in.latents, in.timesteps, in.context);
    at::mse_loss(prediction.to(at::kFloat), at::zeros_like(in.latents)).backward();
    optimizer.step(5e-6);
  });
}

nlohmann::json saim(const BenchOptions& options) {
  const at::NoGradGuard noGrad;
  const at::Device device = parseDevice(options.device);
  const at::ScalarType dtype = parseDtype(options.dtype, device);
  const nn::Weights weights = nn::Weights::random(makeGenerator(1), at::kFloat, device);
  const dual::Saim module(weights, options.width);
  const dual::FoldedSaim folded(module, dtype);
  const int64_t rows = options.pairs * (options.guidance ? 2 : 1);
  at::Tensor attended =
      randn({dual::kNumBranches, rows * options.tokens, options.width}, makeGenerator(3)).to(device, dtype);
  // This is SAIM as the paper and the peer compute it: (T, 2, C).
  const auto composed = [&] {
    const at::Tensor tokens = module.input(module.norm(attended.transpose(0, 1)));
    const at::Tensor mixed = at::scaled_dot_product_attention(module.q(tokens), module.k(tokens), module.v(tokens));
    attended + module.output(mixed).transpose(0, 1);
  };
  auto result = measure(options, options.plain ? "saim_plain" : "saim", rows, 0, [&] {
    if (options.plain) {
      composed();
    } else {
      folded.addTo(attended);
    }
  });
  result["tokens"] = options.tokens;
  result["width"] = options.width;
  return result;
}

nlohmann::json vae(const BenchOptions& options) {
  const at::NoGradGuard noGrad;
  const auto base = makeBase(options);
  const int64_t side = options.size / base->vae->config().downscale();
  const at::Tensor latents =
      randn({options.pairs * dual::kNumBranches, 4, side, side}, makeGenerator(4)).to(base->device());
  return measure(options, "vae_decode", latents.size(0), 0, [&] { base->vae->decode(latents); });
}

// Measures a whole pair of 50 steps, including decoding.
nlohmann::json sample(const BenchOptions& options) {
  const SamplingSetup setup(options, Parts::kAll);
  const UnetInputs& in = setup.base.in;
  return measure(options, "sample", in.latents.size(0), 0, [&] {
    sample::DenoiseInputs inputs;
    inputs.initialLatents = in.latents.slice(0, 0, options.pairs * dual::kNumBranches);
    inputs.encoderHiddenStates = in.context;
    inputs.guidanceScale = options.guidance ? 2.5 : 1.0;
    const auto scheduler = diffusion::makeScheduler("pndm", setup.base.model->schedule, 50);
    const at::Tensor latents = sample::denoise(*setup.unet, *scheduler, inputs, Task());
    setup.base.model->vae->decode(latents / setup.base.model->vae->config().scalingFactor);
  });
}

// Measures the time from the file of a UNet of Stable Diffusion 1.5's size in half precision to a folded adapter that
// is ready for its first step.
nlohmann::json load(const BenchOptions& options) {
  if (!options.base.empty()) {
    return measure(options, "load", 1, 0, [&] { makeBase(options); });
  }
  const std::string path = std::filesystem::temp_directory_path() / "dualanodiff-bench-load.safetensors";
  const model::UnetConfig config;
  TensorMap fresh;
  const dual::AdapterSettings settings{options.rank, dual::BackgroundMode::kOff, 1.0};
  {
    const nn::Weights weights = nn::Weights::random(makeGenerator(0), at::kHalf);
    const model::Unet unet(weights, config);
    io::writeSafetensors(path, weights.taken());
    fresh = dual::Adapter::initialTensors(settings, unet, model::TextConfig(), makeGenerator(1));
  }
  const at::ScalarType dtype = parseDtype(options.dtype, at::kCPU);
  std::unique_ptr<model::Unet> unet;
  auto result = measure(options, "load", 1, 0, [&] {
    auto file = io::readSafetensors(path);
    unet = std::make_unique<model::Unet>(
        nn::Weights::fromTensors(std::move(file.tensors), path, dtype, at::kCPU, nn::Held::kAsStored), config);
  });
  const dual::Adapter adapter(fresh, settings, *unet, model::TextConfig(), "bench");
  result["fold_s"] =
      measure(options, "fold", 1, 0, [&] { const dual::FoldedAdapter folded(*unet, adapter); })["median_s"];
  // Reading every byte once is the least that a load can do.
  result["read_s"] = measure(options, "read", 1, 0, [&] {
    const auto file = io::InputFile::open(path);
    std::vector<uint8_t> chunk(1 << 20);
    for (size_t at = 0; at < file->size(); at += chunk.size()) {
      file->read(at, chunk.data(), std::min(chunk.size(), file->size() - at));
    }
  })["median_s"];
  result["file_mib"] = std::filesystem::file_size(path) >> 20;
  std::filesystem::remove(path);
  return result;
}

}  // namespace dan::bench
