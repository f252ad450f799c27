#include "mask/part_masker.h"

#include <ATen/core/grad_mode.h>

#include <cmath>

#include "core/connected_regions.h"
#include "core/error.h"
#include "core/finite.h"
#include "core/settings.h"
#include "io/weights_file.h"

namespace dan::mask {

namespace {

constexpr int64_t kPublishedInputSize = 320;
// If the probability is below this everywhere, the network has found nothing. Stretching the map to the full range
// would then mark pixels at random.
constexpr double kFaintestSaliency = 0.05;
const double kMean[] = {0.485, 0.456, 0.406}, kStd[] = {0.229, 0.224, 0.225};

// Blurs along one dimension with a Gaussian that is cut off at four standard deviations. Pixels beyond the border are
// zero.
at::Tensor blur(const at::Tensor& image, double sigma, int64_t dim) {
  if (sigma <= 0) return image;
  const auto radius = static_cast<int64_t>(4 * sigma + 0.5);
  const at::Tensor x = at::arange(-radius, radius + 1, image.options());
  const at::Tensor line = at::softmax(-x.square() / (2 * sigma * sigma), 0);
  const bool isRows = dim == 2;
  const at::Tensor kernel = (isRows ? line.view({1, 1, -1, 1}) : line.view({1, 1, 1, -1})).repeat({3, 1, 1, 1});
  return at::conv2d(image, kernel, {}, 1, at::IntArrayRef{isRows ? radius : 0, isRows ? 0 : radius}, 1, 3);
}

// This is skimage.transform.resize(order=1, mode="constant"): it blurs before shrinking, interpolates linearly, and
// takes zero beyond the border.
at::Tensor resizeLikeSkimage(const at::Tensor& image, int64_t size) {
  at::Tensor x = image.unsqueeze(0);
  for (const int64_t dim : {2, 3}) {
    const double factor = static_cast<double>(x.size(dim)) / static_cast<double>(size);
    x = blur(x, std::max(0.0, (factor - 1) / 2), dim);
  }
  const at::Tensor centres = (at::arange(size, x.options()) * 2 + 1) / static_cast<double>(size) - 1;
  const at::Tensor grid =
      at::stack({centres.view({1, -1}).expand({size, size}), centres.view({-1, 1}).expand({size, size})}, -1);
  return at::grid_sampler_2d(x, grid.unsqueeze(0), 0, 0, false);
}

}  // namespace

at::Tensor normalizeForU2net(const at::Tensor& images) {
  const at::Tensor mean = at::tensor(at::ArrayRef<double>(kMean), at::kFloat).to(images.device()).view({1, 3, 1, 1});
  const at::Tensor deviation =
      at::tensor(at::ArrayRef<double>(kStd), at::kFloat).to(images.device()).view({1, 3, 1, 1});
  return (images / images.amax({1, 2, 3}, true).clamp_min(1e-6) - mean) / deviation;
}

at::Tensor prepareForU2net(const at::Tensor& image, int64_t size) {
  return normalizeForU2net(resizeLikeSkimage(image, size));
}

at::Tensor spreadRange(const at::Tensor& map) {
  const at::Tensor low = map.min(), high = map.max();
  return (map - low) / (high - low).clamp_min(1e-8);
}

U2netMasker::U2netMasker(const std::string& path, const at::Device& device)
    : path_(path), device_(device), inputSize_(kPublishedInputSize) {
  io::SafetensorsFile file = io::readWeightsFile(path);
  Settings settings = Settings::ofText(file.metadata, path, kWeightsInvalid);
  inputSize_ = settings.integer("input_size", kPublishedInputSize, 32, 4096);
  const nn::Weights weights = nn::Weights::fromTensors(std::move(file.tensors), path, at::kFloat, device);
  network_ = std::make_unique<model::U2net>(weights, model::U2netConfig::fromWeights(weights));
  weights.expectAllTaken({model::kBatchCount});
}

at::Tensor U2netMasker::saliency(const at::Tensor& image) const {
  const at::NoGradGuard noGrad;
  const at::Tensor input = prepareForU2net(image.permute({2, 0, 1}).to(device_, at::kFloat) / 255, inputSize_);
  const at::Tensor salient = at::sigmoid(network_->forward(input)[0]);
  expectFinite(salient, path_);
  const bool findsNothing = lacksContrast(image) || salient.max().item<double>() < kFaintestSaliency;
  if (findsNothing) return at::zeros({image.size(0), image.size(1)});
  const at::Tensor map = spreadRange(salient);
  return at::_upsample_bilinear2d_aa(map, {image.size(0), image.size(1)}, false)[0][0].cpu().contiguous();
}

bool lacksContrast(const at::Tensor& part) {
  // Rounding in a decoder or in JPEG moves values by two levels to either side, which nobody sees.
  constexpr double kUnseen = 4;
  // Grain may have a larger range if it is everywhere: 12 of its medians are 8 of its standard deviations. A faint line
  // on a clean background does not count as grain, because the median is zero there.
  constexpr double kMedians = 12;
  const at::Tensor x = part.permute({2, 0, 1}).to(at::kFloat);  // (3, H, W)
  const auto range = [](const at::Tensor& y) {
    return (y.flatten(1).amax(1) - y.flatten(1).amin(1)).max().item<double>();
  };
  if (range(x) <= kUnseen) return true;
  const at::Tensor around = at::avg_pool2d(x, 5, 1, 2, /*ceil_mode=*/false, /*count_include_pad=*/false);
  if (range(around) > kUnseen) return false;
  const at::Tensor grain = (x - around).abs().flatten(1);
  const at::Tensor usual = (kMedians * std::get<0>(grain.median(1))).clamp_min(kUnseen / 2);
  return (grain.amax(1) <= usual).all().item<bool>();
}

at::Tensor distanceFromFill(const at::Tensor& part, double fill) {
  if (lacksContrast(part)) return at::zeros({part.size(0), part.size(1)});
  // With this factor a speck keeps a quarter of its distance, a line of one pixel three quarters, and an area all of
  // it.
  constexpr double kAlone = 9 / 4.;
  const at::Tensor distance = (part.to(at::kFloat) - fill).abs().amax(2) / 255;
  const at::Tensor padded = at::replication_pad2d(distance.unsqueeze(0), {1, 1, 1, 1}).unsqueeze(0);
  const at::Tensor around = at::im2col(padded, {3, 3}, {1, 1}, {0, 0}, {1, 1})[0];  // (9, H * W)
  const at::Tensor confirmed = at::minimum(distance, kAlone * around.mean(0).view(distance.sizes()));
  const at::Tensor median = std::get<0>(around.median(0)).view(distance.sizes());
  return at::maximum(confirmed, median).contiguous();
}

at::Tensor thresholdMask(const at::Tensor& part, double fill, double threshold) {
  const at::Tensor found = distanceFromFill(part, fill) >= threshold;
  return withoutHoles(found, kLargestHole).to(at::kByte).mul(255);
}

at::Tensor binarize(const at::Tensor& map, double threshold) {
  return (map >= threshold).to(at::kByte).mul(255).contiguous();
}

}  // namespace dan::mask
