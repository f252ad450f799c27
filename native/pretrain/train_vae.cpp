#include <ATen/core/grad_mode.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/random.h"
#include "model/vae.h"
#include "pretrain/recipe.h"
#include "train/adamw.h"

namespace dan::pretrain {

namespace {

constexpr int64_t kCrop = 64;        // small crops: the autoencoder is local
constexpr double kPartShare = 0.25;  // of the batch, drawn on blank ground
constexpr double kKlWeight = 1e-5, kEdgeWeight = 1.0;

// Differences of neighbouring pixels: what a plain distance blurs away.
at::Tensor edgeLoss(const at::Tensor& a, const at::Tensor& b) {
  const auto difference = [&](int64_t dim) { return at::l1_loss(at::diff(a, 1, dim), at::diff(b, 1, dim)); };
  return difference(2) + difference(3);
}

at::Tensor drawCrops(const TrainingData& data, int64_t count, at::Generator generator) {
  const at::Tensor index = drawIndices(data.size(), count, generator);
  const auto parts = static_cast<int64_t>(static_cast<double>(count) * kPartShare);
  const at::Tensor pixels =
      at::cat({data.partValues(index.slice(0, 0, parts)), data.pixelValues(index.slice(0, parts))});
  std::vector<at::Tensor> crops;
  for (int64_t i = 0; i < count; ++i) {
    const at::Tensor at = drawIndices(pixels.size(2) - kCrop + 1, 2, generator);
    crops.push_back(pixels[i].narrow(1, at[0].item<int64_t>(), kCrop).narrow(2, at[1].item<int64_t>(), kCrop));
  }
  return at::stack(crops);
}

// One over the standard deviation of the latents, so that the diffusion model sees unit variance.
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
  const nn::Weights weights = nn::Weights::random(makeGenerator(options.seed));
  const model::Vae vae(weights, config);
  train::AdamW optimizer(trainable(weights.taken()), {0.9, 0.99, 1e-4, 1e-8, 1.0});
  at::Generator generator = makeGenerator(options.seed, 1);
  StepLog log("vae", options.steps);
  for (int64_t step = 0; step < options.steps; ++step) {
    const at::Tensor pixels = drawCrops(data, options.batchSize, generator);
    const auto posterior = vae.encode(pixels);
    const at::Tensor decoded = vae.decode(posterior.sample(randn(posterior.mean.sizes(), generator)));
    const at::Tensor kl =
        0.5 * (posterior.mean.square() + posterior.logVariance.exp() - 1 - posterior.logVariance).mean();
    const at::Tensor loss = at::l1_loss(decoded, pixels) + kEdgeWeight * edgeLoss(decoded, pixels) + kKlWeight * kl;
    loss.backward();
    optimizer.step(learningRateAt(step, options.steps, options.learningRate));
    log(step + 1, loss.item<double>());
  }
  config.scalingFactor = measureScalingFactor(vae, data, generator);
  std::printf("vae: %.2f dB, scaling factor %.4f\n", measurePsnr(vae, data, generator), config.scalingFactor);
  std::filesystem::create_directories(options.base + "/vae");
  saveHalf(options.base + "/vae/diffusion_pytorch_model.safetensors", weights.taken());
  std::ofstream(options.base + "/vae/config.json") << toJson(config).dump(2) << "\n";
}

}  // namespace dan::pretrain
