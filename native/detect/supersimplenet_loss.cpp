#include "detect/supersimplenet_loss.h"

namespace dan::detect {

namespace {

at::Tensor focalLoss(const at::Tensor& logits, const at::Tensor& target) {
  constexpr double kGamma = 4;
  const at::Tensor probability = at::sigmoid(logits);
  const at::Tensor wrong = probability * (1 - target) + (1 - probability) * target;
  return (at::binary_cross_entropy_with_logits(logits, target, {}, {}, at::Reduction::None) * wrong.pow(kGamma)).mean();
}

// The mean of `values` where `where` is 1; 0 if that is nowhere.
at::Tensor meanWhere(const at::Tensor& values, const at::Tensor& where) {
  return (values * where).sum() / where.sum().clamp_min(1);
}

at::Tensor truncatedL1(const at::Tensor& map, const at::Tensor& masks) {
  constexpr double kMargin = 0.5;
  return meanWhere(at::relu(map + kMargin), 1 - masks) + meanWhere(at::relu(kMargin - map), masks);
}

}  // namespace

at::Tensor superSimpleLoss(const model::SuperSimpleNet::Output& output, const at::Tensor& masks,
                           const at::Tensor& labels) {
  return focalLoss(output.map, masks) + truncatedL1(output.map, masks) + focalLoss(output.score, labels);
}

}  // namespace dan::detect
