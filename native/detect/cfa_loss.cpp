#include "detect/cfa_loss.h"

#include <ATen/core/grad_mode.h>

#include <vector>

namespace dan::detect {

namespace {

at::Tensor nearestRows(const at::Tensor& features, const at::Tensor& memory, int64_t count) {
  constexpr int64_t kBlock = 1024;
  const at::NoGradGuard noGrad;
  const at::Tensor lengths = memory.square().sum(1);
  std::vector<at::Tensor> rows;
  for (const at::Tensor& block : features.split(kBlock)) {
    // The length of the feature itself does not change the order.
    const at::Tensor distances = at::addmm(lengths, block, memory.t(), /*beta=*/1, /*alpha=*/-2);
    rows.push_back(std::get<1>(distances.topk(count, 1, /*largest=*/false)));
  }
  return at::cat(rows);
}

}  // namespace

at::Tensor nearestDistances(const at::Tensor& features, const at::Tensor& memory, int64_t count) {
  const at::Tensor rows = nearestRows(features, memory, count);
  std::vector<at::Tensor> distances;
  for (int64_t i = 0; i < count; ++i) {
    distances.push_back((features - memory.index_select(0, rows.select(1, i))).square().sum(1));
  }
  return at::stack(distances, 1);
}

at::Tensor cfaLoss(const at::Tensor& distances, const at::Tensor& radius) {
  constexpr double kFactor = 1e3, kMargin = 0.1;  // 1 / nu and alpha of the paper
  const at::Tensor near = distances.slice(1, 0, kCfaNearest), far = distances.slice(1, kCfaNearest);
  const at::Tensor boundary = radius.square();
  return kFactor * (at::relu(near - boundary).mean() + at::relu(boundary - far - kMargin).mean());
}

at::Tensor cfaPlaceScores(const at::Tensor& distances) {
  const at::Tensor lengths = distances.sqrt();
  return at::softmax(-lengths, 1).select(1, 0) * lengths.select(1, 0);
}

}  // namespace dan::detect
