#include "detect/deviation_loss.h"

#include <algorithm>

namespace dan::detect {

at::Tensor deviationLoss(const at::Tensor& scores, const at::Tensor& labels, const at::Tensor& references) {
  constexpr double kMargin = 5;
  const at::Tensor deviation = (scores - references.mean()) / references.std();
  const at::Tensor losses = (1 - labels) * deviation.abs() + labels * (kMargin - deviation).clamp_min(0);
  return losses.sum() / static_cast<double>(std::max<int64_t>(losses.numel(), 1));
}

at::Tensor draLoss(const model::DraScores& scores, const at::Tensor& labels, const at::Tensor& references) {
  const auto isNot = [&](DraLabel label) { return labels != static_cast<int64_t>(label); };
  const at::Tensor defective = isNot(DraLabel::kGood).to(references.scalar_type());
  const at::Tensor seen = isNot(DraLabel::kPseudo), pseudo = isNot(DraLabel::kSeen);
  return deviationLoss(scores.holistic, 1 - defective, references[0]) +
         deviationLoss(scores.seen.masked_select(seen), defective.masked_select(seen), references[1]) +
         deviationLoss(scores.pseudo.masked_select(pseudo), defective.masked_select(pseudo), references[2]) +
         deviationLoss(scores.residual, defective, references[3]);
}

}  // namespace dan::detect
