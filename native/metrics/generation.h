// Measures of generated images, and the evaluation's training loss.
#pragma once

#include <ATen/ATen.h>

#include <vector>

namespace dan::metrics {

// Inception Score (arXiv 1606.03498): exp of the mean KL divergence of p(y|x) from p(y). probabilities: (N, classes).
// Mean and population standard deviation over `splits` consecutive parts.
struct InceptionScore {
  double mean, std;
};
InceptionScore inceptionScore(const at::Tensor& probabilities, int64_t splits);

// Intra-cluster LPIPS (arXiv 2104.06820): generated images join their nearest reference (the last one on ties); the
// mean pairwise distance within clusters of two or more, of at most 50 members, averaged over clusters.
// distanceToReferences: (N, R); pairwise: (N, N), of which those of a cluster's members are looked at.
struct IcLpips {
  double value;
  at::Tensor cluster;  // (N) int64
};
IcLpips icLpips(const at::Tensor& distanceToReferences, const at::Tensor& pairwise);
// The images of each cluster whose distances count, (R) of int64 indices.
std::vector<at::Tensor> clusterMembers(const at::Tensor& distanceToReferences);

// The published evaluation's focal loss (arXiv 1708.02002) on probabilities (N, C, H, W): gamma 2, smoothing 1e-5, no
// class weights. target: (N, H, W) int64. Returns a scalar.
at::Tensor focalLoss(const at::Tensor& probability, const at::Tensor& target);

}  // namespace dan::metrics
