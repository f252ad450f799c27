// This curve goes through the thresholds of a ranking, from the highest score down, and sums up its measures on the
// way.
#pragma once

#include <limits>

namespace dan::metrics {

// Each is 0 .. 1. All are NaN without a defect. Without a good one, auroc and the overlaps are NaN.
struct RankingScores {
  double auroc, averagePrecision, f1Max;
  // The areas under the per-region overlap curve up to these false positive rates, divided by the rate (MVTec AD, IJCV
  // 2021). They are NaN without regions.
  double auPro, auPro5;
};

inline constexpr double kAuProLimit = 0.3, kAuProLimit5 = 0.05;

// Counts may be fractions or weights.
class RankingCurve {
 public:
  // The numbers of all defects, good ones and regions.
  RankingCurve(double defects, double good, double regions) : defects_(defects), good_(good), regions_(regions) {}

  // Adds what has the next lower score. `overlap` is the sum of the shares of the regions that have this score.
  void step(double score, double defects, double good, double overlap);

  RankingScores scores() const;
  // Returns the score at which F1 is best, where all scores of at least that value are called defects. Returns NaN
  // without a defect.
  double bestThreshold() const { return bestThreshold_; }

 private:
  // Returns the area of the last step of the overlap curve up to `limit`.
  double overlapArea(double fromRate, double toRate, double fromOverlap, double toOverlap, double limit) const;

  double defects_, good_, regions_;
  double trueOnes_ = 0, falseOnes_ = 0, overlap_ = 0;
  double area_ = 0, precisions_ = 0, bestF1_ = 0, auPro_ = 0, auPro5_ = 0;
  double bestThreshold_ = std::numeric_limits<double>::quiet_NaN();
};

}  // namespace dan::metrics
