#include <ATen/core/grad_mode.h>

#include <filesystem>

#include "core/random.h"
#include "mask/part_masker.h"
#include "model/u2net.h"
#include "pretrain/recipe.h"
#include "pretrain/windows.h"
#include "train/adamw.h"

namespace dan::pretrain {

namespace {

constexpr int64_t kMid = 8, kOut = 32;  // This gives a quarter of U2-NetP's parameters.
// This share of the parts is drawn on black instead of grey.
constexpr double kBlackShare = 0.3;
constexpr int64_t kSize = 128;     // pixels along each side of the parts
constexpr double kSoftness = 0.7;  // standard deviation of the soft edge, in pixels

// A generated part is not clean: its edge is soft and its blank background varies. Returns (B, 3, H, W) in [0, 1].
at::Tensor wornParts(const Windows& windows, at::Generator generator) {
  const int64_t count = windows.pixels.size(0);
  const auto each = at::TensorOptions().dtype(at::kFloat);
  const at::Tensor image = windows.pixels.add(1).div(2);
  const at::Tensor& mask = windows.masks;
  const at::Tensor offsets = at::arange(-2, 3, each);
  const at::Tensor line = at::softmax(-offsets.square() / (2 * kSoftness * kSoftness), 0);
  const at::Tensor soft = at::conv2d(mask, at::outer(line, line).view({1, 1, 5, 5}), {}, 1, 2);
  const at::Tensor fill = 0.5 * (at::rand({count, 1, 1, 1}, generator, each) >= kBlackShare).to(at::kFloat);
  const int64_t size = image.size(2);
  const at::Tensor coarse =
      at::upsample_bilinear2d(randn({count, 3, size / 8, size / 8}, generator), {size, size}, false);
  const at::Tensor amount = 0.03 * at::rand({count, 1, 1, 1}, generator, each);
  const at::Tensor wavering = amount * (coarse + 0.5 * randn(image.sizes(), generator));
  return (image * soft + fill * (1 - soft) + wavering).clamp(0, 1);
}

// Generated parts come out of the base's autoencoder, so we train on decoded ones. Returns (B, 3, H, W) in [0, 1].
at::Tensor decodedParts(const model::Vae& vae, const at::Tensor& parts) {
  const at::NoGradGuard noGrad;
  return vae.decode(vae.encode(parts * 2 - 1).mean).add(1).div(2).clamp(0, 1);
}

}  // namespace

void trainMaskModel(const RecipeOptions& options) {
  const TrainingData data = readTrainingData(options.data);
  const model::Vae vae = readVae(options.base + "/vae");
  const nn::Weights weights = startWeights(options, options.out, makeGenerator(options.seed));
  const model::U2net net(weights, model::U2netConfig::uniform(kMid, kOut));
  train::AdamW optimizer(trainable(weights.taken()), {0.9, 0.999, 1e-4, 1e-8, 5.0});
  const at::Tensor partRows = (data.partIds >= 0).nonzero().flatten();
  at::Generator generator = makeGenerator(options.seed, 1);
  RunLog log("u2net", 0);
  double done = 0;
  for (int64_t step = 0; done < 1; ++step) {
    const at::Tensor index = partRows.index({drawIndices(partRows.size(0), options.batchSize, generator)});
    const Windows windows = drawWindows(data, index, kSize, generator);
    const at::Tensor worn = wornParts(windows, generator);
    const int64_t half = options.batchSize / 2;
    const at::Tensor parts = at::cat({decodedParts(vae, worn.slice(0, 0, half)), worn.slice(0, half)});
    at::Tensor loss;
    for (const at::Tensor& map : net.forward(mask::normalizeForU2net(parts), true)) {
      const at::Tensor term = at::binary_cross_entropy_with_logits(map, windows.masks);
      loss = loss.defined() ? loss + term : term;
    }
    loss.backward();
    optimizer.step(learningRateAt(step, done, options.learningRate));
    log(loss.item<double>());
    done = std::max(static_cast<double>(step + 1) / static_cast<double>(options.steps),
                    log.seconds() / (60 * options.minutes));
  }
  std::filesystem::create_directories(std::filesystem::path(options.out).parent_path());
  saveHalf(options.out, weights.taken(), {{"architecture", "u2netp"}, {"input_size", std::to_string(kSize)}});
}

}  // namespace dan::pretrain
