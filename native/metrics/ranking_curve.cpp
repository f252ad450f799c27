#include "metrics/ranking_curve.h"

#include <algorithm>

#include "metrics/undefined.h"

namespace dan::metrics {

double RankingCurve::overlapArea(double fromRate, double toRate, double fromOverlap, double toOverlap,
                                 double limit) const {
  if (fromRate >= limit || toRate <= fromRate) return 0;
  if (toRate <= limit) return (toRate - fromRate) * (fromOverlap + toOverlap) / 2;
  const double width = limit - fromRate;
  const double atLimit = fromOverlap + (toOverlap - fromOverlap) * width / (toRate - fromRate);
  return width * (fromOverlap + atLimit) / 2;
}

void RankingCurve::step(double score, double defects, double good, double overlap) {
  if (defects + good <= 0) return;
  area_ += good * (2 * trueOnes_ + defects) / 2;
  if (regions_ > 0 && good_ > 0) {
    const double fromRate = falseOnes_ / good_, toRate = (falseOnes_ + good) / good_;
    const double from = overlap_ / regions_, to = std::min(overlap_ + overlap, regions_) / regions_;
    auPro_ += overlapArea(fromRate, toRate, from, to, kAuProLimit);
    auPro5_ += overlapArea(fromRate, toRate, from, to, kAuProLimit5);
  }
  trueOnes_ += defects;
  falseOnes_ += good;
  overlap_ = std::min(overlap_ + overlap, regions_);  // The sum of the shares of a region may round to more than 1.
  precisions_ += defects * trueOnes_ / (trueOnes_ + falseOnes_);
  const double f1 = 2 * trueOnes_ / (trueOnes_ + falseOnes_ + defects_);
  if (f1 > bestF1_) {
    bestF1_ = f1;
    bestThreshold_ = score;
  }
}

RankingScores RankingCurve::scores() const {
  const bool isBoth = defects_ > 0 && good_ > 0;
  const bool hasRegions = regions_ > 0 && good_ > 0;
  return {isBoth ? area_ / (defects_ * good_) : kNaN, defects_ > 0 ? precisions_ / defects_ : kNaN,
          defects_ > 0 ? bestF1_ : kNaN, hasRegions ? auPro_ / kAuProLimit : kNaN,
          hasRegions ? auPro5_ / kAuProLimit5 : kNaN};
}

}  // namespace dan::metrics
