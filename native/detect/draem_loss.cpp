#include "detect/draem_loss.h"

#include "metrics/generation.h"
#include "metrics/structural_similarity.h"

namespace dan::detect {

at::Tensor draemLoss(const model::DraemNet::Output& output, const at::Tensor& good, const at::Tensor& mask) {
  constexpr double kSspcabWeight = 0.1;
  const at::Tensor& drawn = output.reconstruction.image;
  const at::Tensor dissimilarity = 1 - metrics::structuralSimilarity(drawn, good).mean();
  const at::Tensor focal = metrics::focalLoss(at::softmax(output.logits, 1), mask.to(at::kLong));
  const at::Tensor loss = at::mse_loss(drawn, good) + dissimilarity + focal;
  const at::Tensor& sspcabError = output.reconstruction.sspcabError;
  return sspcabError.defined() ? loss + kSspcabWeight * sspcabError : loss;
}

at::Tensor reconstructionAim(const std::vector<Example>& examples, const at::Tensor& reconstruction) {
  std::vector<at::Tensor> good, known;
  for (const Example& example : examples) {
    good.push_back(example.good.defined() ? example.good : example.image);
    known.push_back(example.good.defined() ? at::ones_like(example.mask) : ~example.mask);
  }
  const at::Device device = reconstruction.device();
  return at::where(at::stack(known).unsqueeze(1).to(device), at::stack(good).to(device), reconstruction.detach());
}

at::Tensor draemImageScores(const at::Tensor& maps) {
  constexpr int64_t kWindow = 21;
  return at::avg_pool2d(maps.unsqueeze(1), kWindow, 1, kWindow / 2).flatten(1).amax(1);
}

}  // namespace dan::detect
