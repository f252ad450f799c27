// These are threshold-free metrics of scores against the truth. They are computed in double and handle ties like
// scikit-learn.
#pragma once

#include <ATen/ATen.h>

namespace dan::metrics {

// scores: any shape, any float type; labels: the same number of elements, nonzero for positive. Returns NaN if one
// class is empty.
double auroc(const at::Tensor& scores, const at::Tensor& labels);
// Returns the sum over thresholds of precision times the step in recall.
double averagePrecision(const at::Tensor& scores, const at::Tensor& labels);
// Returns the best F1 over all thresholds.
double f1Max(const at::Tensor& scores, const at::Tensor& labels);
// Returns the best F1 over the strict thresholds 0, 0.05, … 1, which the published evaluation prints.
double f1MaxOnGrid(const at::Tensor& scores, const at::Tensor& labels);

// Returns the area under the per-region overlap curve up to the false positive rate `limit`, divided by `limit` (MVTec
// AD, IJCV 2021). scores: (N, H, W); masks: (N, H, W), nonzero in a defect. Regions are 8-connected. All thresholds
// count.
double auProExact(const at::Tensor& scores, const at::Tensor& masks, double limit = 0.3);
// This is the version of published evaluations. It uses `positions` thresholds, evenly spaced among the sorted scores
// of good pixels, and takes the false positive rate from their rank.
double auPro(const at::Tensor& scores, const at::Tensor& masks, double limit = 0.3, int64_t positions = 100);

// The score of an image is the largest value of its map after averaging over 21 x 21 pixels (zero beyond the border).
// Returns (N).
at::Tensor imageScores(const at::Tensor& maps);

}  // namespace dan::metrics
