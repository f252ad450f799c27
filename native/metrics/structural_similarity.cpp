#include "metrics/structural_similarity.h"

#include "core/gaussian_filter.h"

namespace dan::metrics {

namespace {

constexpr double kSigma = 1.5, kLuminanceTerm = 0.01 * 0.01, kContrastTerm = 0.03 * 0.03;
constexpr int64_t kRadius = 5;

at::Tensor windowMean(const at::Tensor& x) {
  return gaussianFilter(at::constant_pad_nd(x, {kRadius, kRadius, kRadius, kRadius}), kSigma, kRadius);
}

}  // namespace

at::Tensor structuralSimilarity(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor meanA = windowMean(a), meanB = windowMean(b);
  const at::Tensor varianceA = windowMean(a * a) - meanA * meanA, varianceB = windowMean(b * b) - meanB * meanB;
  const at::Tensor covariance = windowMean(a * b) - meanA * meanB;
  const at::Tensor luminance = (2 * meanA * meanB + kLuminanceTerm) / (meanA * meanA + meanB * meanB + kLuminanceTerm);
  return luminance * (2 * covariance + kContrastTerm) / (varianceA + varianceB + kContrastTerm);
}

}  // namespace dan::metrics
