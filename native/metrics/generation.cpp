#include "metrics/generation.h"

#include <vector>

namespace dan::metrics {

InceptionScore inceptionScore(const at::Tensor& probabilities, int64_t splits) {
  const at::Tensor p = probabilities.to(at::kDouble);
  const int64_t length = p.size(0) / splits;
  std::vector<double> scores;
  for (int64_t i = 0; i < splits; ++i) {
    const at::Tensor part = p.narrow(0, i * length, length);
    const at::Tensor ratio = at::log(part) - at::log(part.mean(0, true));
    // 0 log 0 counts as 0.
    scores.push_back(at::where(part > 0, part * ratio, 0.0).sum(1).mean().exp().item<double>());
  }
  const at::Tensor all = at::tensor(scores, at::kDouble);
  return {all.mean().item<double>(), all.std(/*unbiased=*/false).item<double>()};
}

namespace {

at::Tensor nearestReference(const at::Tensor& distances) {
  // argmin returns the first of equal references, so it runs on flipped rows to find the last.
  return distances.size(1) - 1 - distances.flip({1}).argmin(1);
}

}  // namespace

std::vector<at::Tensor> clusterMembers(const at::Tensor& distanceToReferences) {
  constexpr int64_t kMaxMembers = 50;
  const at::Tensor cluster = nearestReference(distanceToReferences);
  std::vector<at::Tensor> members;
  for (int64_t r = 0; r < distanceToReferences.size(1); ++r) {
    members.push_back((cluster == r).nonzero().flatten().slice(0, 0, kMaxMembers));
  }
  return members;
}

IcLpips icLpips(const at::Tensor& distanceToReferences, const at::Tensor& pairwise) {
  double total = 0;
  int64_t clusters = 0;
  for (const at::Tensor& members : clusterMembers(distanceToReferences)) {
    const int64_t count = members.size(0);
    if (count < 2) continue;
    const at::Tensor distances = pairwise.index_select(0, members).index_select(1, members).to(at::kDouble);
    total += distances.triu(1).sum().item<double>() / static_cast<double>(count * (count - 1) / 2);
    ++clusters;
  }
  return {clusters == 0 ? 0.0 : total / static_cast<double>(clusters), nearestReference(distanceToReferences)};
}

at::Tensor focalLoss(const at::Tensor& probability, const at::Tensor& target) {
  constexpr double kSmooth = 1e-5;
  const int64_t classes = probability.size(1);
  const at::Tensor oneHot = at::zeros_like(probability)
                                .scatter_(1, target.unsqueeze(1), 1.0)
                                .clamp(kSmooth / static_cast<double>(classes - 1), 1.0 - kSmooth);
  const at::Tensor p = (oneHot * probability).sum(1) + kSmooth;
  return (-(1 - p).square() * at::log(p)).mean();
}

}  // namespace dan::metrics
