#include <ATen/core/grad_mode.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/random.h"
#include "pretrain/recipe.h"
#include "train/adamw.h"

namespace dan::pretrain {

namespace {

constexpr int64_t kCrop = 64;       // The autoencoder is local, so small crops suffice.
constexpr double kPartShare = 0.4;  // This share of the batch is drawn on a blank background.
constexpr double kKlWeight = 1e-6, kEdgeWeight = 1.0;
// This is the weight of a pixel on or beside a defect. A crack covers only a few pixels in a thousand.
constexpr double kDefectWeight = 8;

struct Crops {
  at::Tensor pixels, weights;  // (B, 3, 64, 64) in [-1, 1]; (B, 1, 64, 64) of mean 1
};

// A plain pixel distance blurs edges, so we add the distance of the differences between neighbouring pixels.
at::Tensor reconstructionLoss(const at::Tensor& decoded, const Crops& crops) {
  const at::Tensor error = decoded - crops.pixels;
  const auto edges = [&](int64_t dim) {
    const int64_t length = crops.weights.size(dim) - 1;
    return (at::diff(error, 1, dim).abs() * crops.weights.narrow(dim, 1, length)).mean();
  };
  return (error.abs() * crops.weights).mean() + kEdgeWeight * (edges(2) + edges(3));
}

// The crop is random, but it shows part of the defect if there is one.
at::Tensor cropOrigin(const at::Tensor& mask, at::Generator generator) {
  const int64_t last = mask.size(0) - kCrop;
  const at::Tensor origin = drawIndices(last + 1, 2, generator);
  const at::Tensor defect = mask.nonzero();
  if (defect.size(0) == 0) return origin;
  const at::Tensor inside = defect[drawIndices(defect.size(0), 1, generator).item<int64_t>()];
  return (inside - drawIndices(kCrop, 2, generator)).clamp(0, last);
}

Crops drawCrops(const TrainingData& data, int64_t count, at::Generator generator) {
  const auto parts = static_cast<int64_t>(static_cast<double>(count) * kPartShare);
  const at::Tensor defective = (data.partIds >= 0).nonzero().flatten();
  const at::Tensor index = at::cat({defective.index({drawIndices(defective.size(0), parts, generator)}),
                                    drawIndices(data.size(), count - parts, generator)});
  const at::Tensor pixels =
      at::cat({data.partValues(index.slice(0, 0, parts)), data.pixelValues(index.slice(0, parts))});
  const at::Tensor masks = data.masks.index({index}).to(at::kFloat).unsqueeze(1);
  const at::Tensor weights = 1 + (kDefectWeight - 1) * at::max_pool2d(masks, 3, 1, 1);
  std::vector<at::Tensor> cropped, croppedWeights;
  for (int64_t i = 0; i < count; ++i) {
    const at::Tensor origin = cropOrigin(masks[i][0], generator);
    const int64_t y = origin[0].item<int64_t>(), x = origin[1].item<int64_t>();
    const auto crop = [&](const at::Tensor& of) { return of.narrow(1, y, kCrop).narrow(2, x, kCrop); };
    cropped.push_back(crop(pixels[i]));
    croppedWeights.push_back(crop(weights[i]));
  }
  const at::Tensor all = at::stack(croppedWeights);
  return {at::stack(cropped), all / all.mean()};
}

// The factor is one over the standard deviation of the latents, so that the diffusion model sees unit variance.
double measureScalingFactor(const model::Vae& vae, const TrainingData& data, at::Generator generator) {
  const at::NoGradGuard noGrad;
  const at::Tensor index = drawIndices(data.size(), 64, generator);
  return 1.0 / vae.encode(data.pixelValues(index)).mean.std().item<double>();
}

double measurePsnr(const model::Vae& vae, const TrainingData& data, at::Generator generator) {
  const at::NoGradGuard noGrad;
  const at::Tensor pixels = data.pixelValues(drawIndices(data.size(), 64, generator));
  const at::Tensor error = vae.decode(vae.encode(pixels).mean).clamp(-1, 1) - pixels;
  return 10 * std::log10(4.0 / error.square().mean().item<double>());
}

}  // namespace

void trainVae(const RecipeOptions& options) {
  const TrainingData data = readTrainingData(options.data);
  model::VaeConfig config;
  config.blockOutChannels = {16, 32, 64};  // factor 4
  config.layersPerBlock = 1;
  config.groups = 8;
  const std::string file = options.base + "/vae/diffusion_pytorch_model.safetensors";
  const nn::Weights weights = startWeights(options, file, makeGenerator(options.seed));
  const model::Vae vae(weights, config);
  train::AdamW optimizer(trainable(weights.taken()), {0.9, 0.99, 1e-4, 1e-8, 1.0});
  at::Generator generator = makeGenerator(options.seed, 1);
  StepLog log("vae", options.steps);
  const auto save = [&] {
    config.scalingFactor = measureScalingFactor(vae, data, generator);
    std::printf("vae: %.2f dB, scaling factor %.4f\n", measurePsnr(vae, data, generator), config.scalingFactor);
    std::filesystem::create_directories(options.base + "/vae");
    saveHalf(file, weights.taken());
    std::ofstream(options.base + "/vae/config.json") << toJson(config).dump(2) << "\n";
  };
  for (int64_t step = 0; step < options.steps; ++step) {
    const Crops crops = drawCrops(data, options.batchSize, generator);
    const auto posterior = vae.encode(crops.pixels);
    const at::Tensor decoded = vae.decode(posterior.sample(randn(posterior.mean.sizes(), generator)));
    const at::Tensor kl =
        0.5 * (posterior.mean.square() + posterior.logVariance.exp() - 1 - posterior.logVariance).mean();
    const at::Tensor loss = reconstructionLoss(decoded, crops) + kKlWeight * kl;
    loss.backward();
    optimizer.step(learningRateAt(step, options.steps, options.learningRate));
    log(step + 1, loss.item<double>());
    if ((step + 1) % kSaveEvery == 0 || step + 1 == options.steps) save();
  }
}

}  // namespace dan::pretrain
