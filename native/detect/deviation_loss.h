// The deviation loss (Pang et al., arXiv 1911.08623) trains DevNet and DRA.
#pragma once

#include <ATen/ATen.h>

#include "model/dra.h"

namespace dan::detect {

// Draws of N(0, 1) that a loss compares scores with.
inline constexpr int64_t kReferenceScores = 5000;

// scores, labels: (N) float; a label is 0 or 1. Scores of label 0 should be the mean of `references`, (R); scores of
// label 1 should lie at least 5 standard deviations above it. Returns the mean over the scores, 0 if there are none.
at::Tensor deviationLoss(const at::Tensor& scores, const at::Tensor& labels, const at::Tensor& references);

enum class DraLabel : int64_t { kGood = 0, kSeen = 1, kPseudo = 2 };

// Returns the sum of the losses of DRA's heads. labels: (N) int64, values of DraLabel. references: (4, R). The head of
// seen defects learns from good images and seen defects, that of pseudo defects from good images and pseudo defects,
// the others from all.
at::Tensor draLoss(const model::DraScores& scores, const at::Tensor& labels, const at::Tensor& references);

}  // namespace dan::detect
