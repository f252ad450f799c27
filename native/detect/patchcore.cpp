#include "detect/patchcore.h"

#include <algorithm>
#include <vector>

#include "detect/score_map.h"

namespace dan::detect {

namespace {

constexpr size_t kPatchFineStage = 1, kPatchCoarseStage = 2;
constexpr int64_t kNeighborhood = 3, kNeighbors = 9;
constexpr double kPatchSigma = 4;  // pixels
constexpr int64_t kPatchBlock = 4096;

}  // namespace

at::Tensor patchFeatures(const model::Backbone& backbone, const at::Tensor& images) {
  const std::vector<at::Tensor> stages = backbone.firstStages(images, kPatchCoarseStage + 1);
  const auto averaged = [](const at::Tensor& x) {
    return at::avg_pool2d(x, kNeighborhood, /*stride=*/1, /*padding=*/kNeighborhood / 2);
  };
  const at::Tensor fine = averaged(stages[kPatchFineStage]), coarse = averaged(stages[kPatchCoarseStage]);
  const at::Tensor resized = at::upsample_bilinear2d(coarse, {fine.size(2), fine.size(3)}, /*align_corners=*/false);
  return at::cat({fine, resized}, 1);
}

int64_t patchChannels(const model::Backbone& backbone) {
  return backbone.channels()[kPatchFineStage] + backbone.channels()[kPatchCoarseStage];
}

MemoryBank::MemoryBank(at::Tensor patches) : patches_(patches.contiguous()), squares_(patches_.square().sum(1)) {}

MemoryBank::Nearest MemoryBank::nearest(const at::Tensor& features, const Task& task) const {
  std::vector<at::Tensor> distances, indices;
  for (const at::Tensor& block : features.split(kPatchBlock)) {
    task.checkCancelled();
    // The squared distance without the block's own squares, which are the same for every patch of the bank.
    const at::Tensor index = at::addmm(squares_, block, patches_.t(), 1, -2).argmin(1);
    indices.push_back(index);
    // Small distances would be inexact if they were taken from the products.
    distances.push_back((block - patches_.index_select(0, index)).norm(2, 1));
  }
  return {at::cat(distances), at::cat(indices)};
}

at::Tensor MemoryBank::imageScore(const at::Tensor& features, const Nearest& nearest) const {
  const int64_t worst = nearest.distances.argmax().item<int64_t>();
  const at::Tensor distance = nearest.distances[worst];
  const int64_t neighbors = std::min(kNeighbors, patches_.size(0));
  if (neighbors == 1) return distance;  // The weight of a bank of one patch would be zero.
  const at::Tensor center = patches_.index_select(0, nearest.indices.narrow(0, worst, 1));
  const at::Tensor around = std::get<1>((patches_ - center).norm(2, 1).topk(neighbors, 0, /*largest=*/false));
  const at::Tensor toFeature = (patches_.index_select(0, around) - features[worst]).norm(2, 1);
  return (1 - (distance - toFeature.logsumexp(0)).exp()) * distance;
}

Scored patchcoreScores(const model::Backbone& backbone, const MemoryBank& bank, const at::Tensor& images,
                       const Task& task) {
  const at::Tensor features = patchFeatures(backbone, images);
  const int64_t rows = features.size(2), columns = features.size(3);
  std::vector<at::Tensor> maps, scores;
  for (const at::Tensor& image : features.unbind()) {
    const at::Tensor patches = image.flatten(1).t().contiguous();  // (h * w, C)
    const MemoryBank::Nearest nearest = bank.nearest(patches, task);
    maps.push_back(nearest.distances.view({rows, columns}));
    scores.push_back(bank.imageScore(patches, nearest));
  }
  const at::Tensor resized = resizedMaps(at::stack(maps), images.size(2), images.size(3));
  return {gaussianSmoothed(resized, kPatchSigma), at::stack(scores)};
}

}  // namespace dan::detect
