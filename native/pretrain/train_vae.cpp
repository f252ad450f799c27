#include <ATen/core/grad_mode.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/random.h"
#include "pretrain/recipe.h"
#include "pretrain/windows.h"
#include "train/adamw.h"

namespace dan::pretrain {

namespace {

// The autoencoder is local, so small crops suffice for most steps. Its attention is not, so the others are as large as
// the package's pictures, and fewer.
constexpr int64_t kCrop = 64, kVaeWindow = 128, kLargeEvery = 4;
constexpr double kPartShare = 0.4;   // This share of the batch is drawn on a blank background.
constexpr double kBlankShare = 0.2;  // This share of these may come from a picture without a defect: all blank.
constexpr double kKlWeight = 1e-6, kEdgeWeight = 1.0;
// This is the weight of a pixel on or beside a defect. A crack covers only a few pixels in a thousand.
constexpr double kDefectWeight = 8;
constexpr int64_t kMeasured = 48;  // windows to measure the quality with

struct Crops {
  at::Tensor pixels, weights;  // (B, 3, size, size) in [-1, 1]; (B, 1, size, size) of mean 1
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

Crops drawCrops(const TrainingData& data, int64_t count, int64_t size, at::Generator generator) {
  const auto parts = static_cast<int64_t>(std::lround(static_cast<double>(count) * kPartShare));
  const at::Tensor defective = (data.partIds >= 0).nonzero().flatten();
  const at::Tensor shown = defective.index({drawIndices(defective.size(0), parts, generator)});
  const at::Tensor any = drawIndices(data.size(), count, generator);
  const at::Tensor blank = at::rand({parts}, generator, at::TensorOptions()) < kBlankShare;
  const at::Tensor partRows = at::where(blank, any.slice(0, 0, parts), shown);
  const Windows windows = drawWindows(data, at::cat({partRows, any.slice(0, parts)}), size, generator);
  const at::Tensor pixels = at::cat({windows.parts().slice(0, 0, parts), windows.pixels.slice(0, parts)});
  const at::Tensor weights = 1 + (kDefectWeight - 1) * at::max_pool2d(windows.masks, 3, 1, 1);
  return {pixels, weights / weights.mean()};
}

// The factor is one over the standard deviation of the latents, so that the diffusion model sees unit variance.
double measureScalingFactor(const model::Vae& vae, const at::Tensor& pixels) {
  const at::NoGradGuard noGrad;
  return 1.0 / vae.encode(pixels).mean.std().item<double>();
}

double measurePsnr(const model::Vae& vae, const at::Tensor& pixels) {
  const at::NoGradGuard noGrad;
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
  const auto save = [&] {
    at::Generator forMeasuring = makeGenerator(options.seed, 2);
    const at::Tensor index = drawIndices(data.size(), kMeasured, forMeasuring);
    const at::Tensor pixels = drawWindows(data, index, kVaeWindow, forMeasuring).pixels;
    config.scalingFactor = measureScalingFactor(vae, pixels);
    std::printf("vae: %.2f dB, scaling factor %.4f\n", measurePsnr(vae, pixels), config.scalingFactor);
    std::filesystem::create_directories(options.base + "/vae");
    saveHalf(file, weights.taken());
    std::ofstream(options.base + "/vae/config.json") << toJson(config).dump(2) << "\n";
  };
  RunLog log("vae", 0);
  double done = 0;
  for (int64_t step = 0; done < 1; ++step) {
    const bool large = step % kLargeEvery == 0;
    const Crops crops =
        drawCrops(data, large ? options.batchSize / 4 : options.batchSize, large ? kVaeWindow : kCrop, generator);
    const auto posterior = vae.encode(crops.pixels);
    const at::Tensor decoded = vae.decode(posterior.sample(randn(posterior.mean.sizes(), generator)));
    const at::Tensor kl =
        0.5 * (posterior.mean.square() + posterior.logVariance.exp() - 1 - posterior.logVariance).mean();
    const at::Tensor loss = reconstructionLoss(decoded, crops) + kKlWeight * kl;
    loss.backward();
    optimizer.step(learningRateAt(step, done, options.learningRate));
    log(loss.item<double>());
    done = std::max(static_cast<double>(step + 1) / static_cast<double>(options.steps),
                    log.seconds() / (60 * options.minutes));
    if ((step + 1) % kSaveEvery == 0 || done >= 1) save();
  }
}

}  // namespace dan::pretrain
