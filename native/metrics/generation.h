// These are metrics of generated images, and the training loss of the evaluation.
#pragma once

#include <ATen/ATen.h>

#include <vector>

namespace dan::metrics {

// The Inception Score (arXiv 1606.03498) is exp of the mean KL divergence of p(y|x) from p(y). probabilities: (N,
// classes). The mean and the population standard deviation are over `splits` consecutive parts.
struct InceptionScore {
  double mean, std;
};
InceptionScore inceptionScore(const at::Tensor& probabilities, int64_t splits);

// Intra-cluster LPIPS (arXiv 2104.06820): each generated image joins its nearest reference (the last one on ties). The
// value is the mean pairwise distance within a cluster, averaged over clusters. Clusters of one image are skipped, and
// at most 50 members of a cluster count. distanceToReferences: (N, R); pairwise: (N, N), of which only the distances
// within clusters are read.
struct IcLpips {
  double value;
  at::Tensor cluster;  // (N) int64
};
IcLpips icLpips(const at::Tensor& distanceToReferences, const at::Tensor& pairwise);
// Returns the members of each cluster that count: R tensors of int64 indices.
std::vector<at::Tensor> clusterMembers(const at::Tensor& distanceToReferences);

// This is the published evaluation's focal loss (arXiv 1708.02002) on probabilities (N, C, H, W), with gamma 2,
// smoothing 1e-5 and no class weights. target: (N, H, W) int64. Returns a scalar.
at::Tensor focalLoss(const at::Tensor& probability, const at::Tensor& target);

}  // namespace dan::metrics
