#include "metrics/ranking.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/connected_regions.h"
#include "metrics/curve_area.h"
#include "metrics/undefined.h"

namespace dan::metrics {

namespace {

// A curve holds the cumulated true and false positives at every distinct score, from the highest down.
struct Curve {
  std::vector<double> truePositives, falsePositives;
  double positives = 0, negatives = 0;
};

Curve countCurve(const at::Tensor& scores, const at::Tensor& labels) {
  const at::Tensor flat = scores.flatten().to(at::kDouble);
  const auto [sorted, order] = at::sort(flat, 0, /*descending=*/true);
  const at::Tensor positive = (labels.flatten() != 0).to(at::kDouble).index({order}).contiguous();
  const double *value = sorted.data_ptr<double>(), *label = positive.data_ptr<double>();
  Curve curve;
  for (int64_t i = 0; i < flat.numel(); ++i) {
    (label[i] != 0 ? curve.positives : curve.negatives) += 1;
    if (i + 1 < flat.numel() && value[i + 1] == value[i]) continue;
    curve.truePositives.push_back(curve.positives);
    curve.falsePositives.push_back(curve.negatives);
  }
  return curve;
}

}  // namespace

double auroc(const at::Tensor& scores, const at::Tensor& labels) {
  const Curve c = countCurve(scores, labels);
  if (c.positives == 0 || c.negatives == 0) return kNaN;
  double area = 0, lastTrue = 0, lastFalse = 0;
  for (size_t i = 0; i < c.truePositives.size(); ++i) {
    area += (c.falsePositives[i] - lastFalse) * (c.truePositives[i] + lastTrue) / 2;
    lastTrue = c.truePositives[i];
    lastFalse = c.falsePositives[i];
  }
  return area / (c.positives * c.negatives);
}

double averagePrecision(const at::Tensor& scores, const at::Tensor& labels) {
  const Curve c = countCurve(scores, labels);
  if (c.positives == 0) return kNaN;
  double sum = 0, last = 0;
  for (size_t i = 0; i < c.truePositives.size(); ++i) {
    sum += (c.truePositives[i] - last) * c.truePositives[i] / (c.truePositives[i] + c.falsePositives[i]);
    last = c.truePositives[i];
  }
  return sum / c.positives;
}

double f1Max(const at::Tensor& scores, const at::Tensor& labels) {
  const Curve c = countCurve(scores, labels);
  double best = 0;
  for (size_t i = 0; i < c.truePositives.size(); ++i) {
    best = std::max(best, 2 * c.truePositives[i] / (c.truePositives[i] + c.falsePositives[i] + c.positives));
  }
  return best;
}

double f1MaxOnGrid(const at::Tensor& scores, const at::Tensor& labels) {
  constexpr double kEps = 1e-8;
  // The published code compares in double: the float32 score nearest to 0.6 is above 0.6.
  const at::Tensor positive = labels.flatten() != 0, flat = scores.flatten().to(at::kDouble);
  const auto positives = positive.sum().item<double>();
  double best = 0;
  for (int i = 0; i <= 20; ++i) {
    const at::Tensor predicted = flat > i * 0.05;
    const auto hits = (predicted & positive).sum().item<double>();
    const double precision = hits / (predicted.sum().item<double>() + kEps), recall = hits / (positives + kEps);
    best = std::max(best, 2 * precision * recall / (precision + recall + kEps));
  }
  return best;
}

double auProExact(const at::Tensor& scores, const at::Tensor& masks, double limit) {
  // Every pixel of a region weighs 1 / (pixels of the region * number of regions), and every good pixel counts once.
  // The curve of mean overlap against false positives is then one sorted pass.
  const at::Tensor flatMasks = masks.flatten(1);
  at::Tensor overlap = at::zeros(flatMasks.sizes(), at::kDouble);
  double regions = 0;
  for (int64_t i = 0; i < masks.size(0); ++i) {
    for (const auto& region : connectedRegions(masks[i])) {
      overlap[i].index_fill_(0, at::tensor(region, at::kLong), 1.0 / static_cast<double>(region.size()));
      regions += 1;
    }
  }
  const at::Tensor good = (flatMasks == 0).to(at::kDouble).flatten();
  const double goodPixels = good.sum().item<double>();
  if (regions == 0 || goodPixels == 0) return kNaN;
  const auto [sorted, order] = at::sort(scores.flatten().to(at::kDouble), 0, /*descending=*/true);
  const at::Tensor falseRate = at::cumsum(good.index({order}), 0) / goodPixels;
  const at::Tensor meanOverlap = at::cumsum(overlap.flatten().index({order}), 0) / regions;
  const double* value = sorted.data_ptr<double>();
  std::vector<CurvePoint> curve = {{0, 0}};
  for (int64_t i = 0; i < sorted.numel(); ++i) {
    if (i + 1 < sorted.numel() && value[i + 1] == value[i]) continue;
    curve.push_back({falseRate[i].item<double>(), meanOverlap[i].item<double>()});
  }
  return areaUpTo(curve, limit);
}

double auPro(const at::Tensor& scores, const at::Tensor& masks, double limit, int64_t positions) {
  std::vector<std::vector<double>> regions;
  for (int64_t i = 0; i < masks.size(0); ++i) {
    const at::Tensor flat = scores[i].flatten().to(at::kDouble).contiguous();
    for (const auto& region : connectedRegions(masks[i])) {
      std::vector<double> values;
      for (const int64_t pixel : region) values.push_back(flat.data_ptr<double>()[pixel]);
      std::sort(values.begin(), values.end());
      regions.push_back(std::move(values));
    }
  }
  const at::Tensor good = std::get<0>(at::sort(scores.masked_select(masks == 0).to(at::kDouble)));
  const int64_t goodPixels = good.numel();
  if (regions.empty() || goodPixels == 0) return kNaN;
  std::vector<CurvePoint> curve;
  for (int64_t i = positions - 1; i >= 0; --i) {
    const int64_t rank = positions == 1 ? 0 : i * (goodPixels - 1) / (positions - 1);
    const double threshold = good.data_ptr<double>()[rank];
    double overlap = 0;
    for (const auto& values : regions) {
      const auto above = values.end() - std::upper_bound(values.begin(), values.end(), threshold);
      overlap += static_cast<double>(above) / static_cast<double>(values.size());
    }
    const double falseRate = 1.0 - static_cast<double>(rank + 1) / static_cast<double>(goodPixels);
    curve.push_back({falseRate, overlap / static_cast<double>(regions.size())});
  }
  curve.push_back({1.0, 1.0});
  return areaUpTo(curve, limit);
}

at::Tensor imageScores(const at::Tensor& maps) {
  return at::avg_pool2d(maps.unsqueeze(1), 21, 1, 10, false, true).flatten(1).amax(1);
}

}  // namespace dan::metrics
