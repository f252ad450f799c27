#include "train/latent_source.h"

#include <algorithm>

#include "core/random.h"
#include "train/pair_latents.h"
#include "train/window_latents.h"

namespace dan::train {

namespace {

constexpr size_t kMaxExamples = 64;  // of each type, since each adds a picture to the adapter's file

bool isOneWindow(const TrainingRegion& region, int64_t resolution) {
  return region.mask.size(0) == resolution && region.mask.size(1) == resolution;
}

void check(const TrainingRegion& region, size_t i, int64_t resolution, bool hasForeground) {
  const at::IntArrayRef size = region.mask.sizes();
  if (size[0] < resolution || size[1] < resolution) {
    fail(kInvalidOption, "Expected at least ", resolution, " pixels along each side for region ", i, " but received ",
         size[1], " x ", size[0]);
  }
  const auto fits = [&](const at::Tensor& tensor) { return tensor.sizes().slice(0, 2) == size; };
  if (!fits(region.image) || (region.foreground.defined() && !fits(region.foreground))) {
    fail(kInvalidOption, "Expected an image and masks of one size for region ", i);
  }
  if (region.foreground.defined() != hasForeground) {
    fail(kInvalidOption, "Expected a foreground for every region or for none, but region ", i,
         hasForeground ? " has none" : " has one");
  }
  const auto centre = region.centre.value_or(std::array<int64_t, 2>{0, 0});
  if (centre[0] < 0 || centre[0] >= size[0] || centre[1] < 0 || centre[1] >= size[1]) {
    fail(kInvalidOption, "Expected a centre inside region ", i, " of ", size[1], " x ", size[0], " but received ",
         centre[1], ", ", centre[0]);
  }
  if (region.type < 0) fail(kInvalidOption, "Expected a type from 0 for region ", i, " but received ", region.type);
}

}  // namespace

Window TrainingRegion::centredWindow(int64_t side) const {
  const int64_t height = mask.size(0), width = mask.size(1);
  const auto [y, x] = centre.value_or(std::array<int64_t, 2>{height / 2, width / 2});
  return {std::clamp<int64_t>(y - side / 2, 0, height - side), std::clamp<int64_t>(x - side / 2, 0, width - side),
          side};
}

at::Tensor LatentGaussian::sample(at::Generator generator) const {
  return mean + deviation * randn(mean.sizes(), std::move(generator)).to(mean.device());
}

LatentSource::LatentSource(TrainingRegions data) : data_(std::move(data)) {
  if (data_.regions.empty()) fail(kInvalidOption, "Expected at least one region to train on but received none");
  for (size_t i = 0; i < data_.regions.size(); ++i) check(data_.regions[i], i, data_.resolution, hasForegrounds());
}

std::vector<int64_t> LatentSource::defective() const {
  std::vector<int64_t> defective, all;
  for (const TrainingRegion& region : data_.regions) {
    all.push_back(static_cast<int64_t>(all.size()));
    if (!region.isGood()) defective.push_back(all.back());
  }
  return defective.empty() ? all : defective;
}

std::vector<dual::AdapterExample> LatentSource::examples() const {
  std::map<int64_t, std::vector<int64_t>> ofType;
  for (size_t i = 0; i < data_.regions.size(); ++i) {
    const TrainingRegion& region = data_.regions[i];
    const bool isShown = region.centredWindow(data_.resolution).cut(region.mask).any().item<bool>();
    if (isShown) ofType[region.type].push_back(static_cast<int64_t>(i));
  }
  std::vector<dual::AdapterExample> examples;
  for (const auto& [type, indices] : ofType) {
    const size_t count = std::min(indices.size(), kMaxExamples);
    for (size_t k = 0; k < count; ++k) {
      const int64_t index = indices[k * indices.size() / count];
      const TrainingRegion& region = data_.regions[static_cast<size_t>(index)];
      const Window window = region.centredWindow(data_.resolution);
      examples.push_back(
          {index, type, window.cut(region.image).clone(), (window.cut(region.mask) > 0).to(at::kByte) * 255});
    }
  }
  return examples;
}

std::unique_ptr<LatentSource> makeLatentSource(const model::BaseModel& base, TrainingRegions data, const Task& task) {
  bool areWindows = true;
  for (const TrainingRegion& region : data.regions) areWindows = areWindows && isOneWindow(region, data.resolution);
  // An inpainting base gets a new place at every step, so its pictures cannot be encoded before.
  if (areWindows && !base.isInpainting()) return std::make_unique<PairLatents>(base, std::move(data), task);
  return std::make_unique<WindowLatents>(base, std::move(data), task);
}

at::Tensor defectInLatents(const at::Tensor& masks, at::IntArrayRef latentSize) {
  return at::max_pool2d(std::get<0>(at::adaptive_max_pool2d(masks, latentSize)), 3, 1, 1);
}

at::Tensor toMask(const at::Tensor& mask, at::Device device) {
  return (mask > 0).to(device, at::kFloat).unsqueeze(0).unsqueeze(0);
}

}  // namespace dan::train
