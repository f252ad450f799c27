// Threshold-free measures of a score against truth, in double, with ties handled as scikit-learn does.
#pragma once

#include <ATen/ATen.h>

namespace dan::metrics {

// scores: any shape, any float type; labels: same number of elements, not 0 for positive. NaN where one class is empty.
double auroc(const at::Tensor& scores, const at::Tensor& labels);
// Sum over thresholds of precision times the step in recall.
double averagePrecision(const at::Tensor& scores, const at::Tensor& labels);
// The best F1 over all thresholds.
double f1Max(const at::Tensor& scores, const at::Tensor& labels);
// The best F1 of the strict thresholds 0, 0.05, … 1, as the published evaluation prints it.
double f1MaxOnGrid(const at::Tensor& scores, const at::Tensor& labels);

// Area under the per-region overlap curve up to false positive rate `limit`, over `limit` (MVTec AD, IJCV 2021).
// scores: (N, H, W); masks: (N, H, W), not 0 in a defect; regions are 8-connected. Over all thresholds.
double auProExact(const at::Tensor& scores, const at::Tensor& masks, double limit = 0.3);
// The same as published evaluations compute it: at `positions` thresholds, evenly spaced among the sorted scores of
// good pixels, whose false positive rate is taken from their rank.
double auPro(const at::Tensor& scores, const at::Tensor& masks, double limit = 0.3, int64_t positions = 100);

// The score of an image: the largest value of its map averaged over 21 x 21 pixels (zero beyond the border). (N).
at::Tensor imageScores(const at::Tensor& maps);

}  // namespace dan::metrics
