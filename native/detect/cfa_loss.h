// These are the distances, the loss and the map of CFA (arXiv 2206.04325).
#pragma once

#include <ATen/ATen.h>

namespace dan::detect {

inline constexpr int64_t kCfaNearest = 3, kCfaHardNegatives = 3;

// Returns the squared distances of features, (P, C), to the nearest `count` of the memory, (M, C): (P, count), from
// near to far. Only blocks of the P x M distances are in memory. The result can be differentiated.
at::Tensor nearestDistances(const at::Tensor& features, const at::Tensor& memory, int64_t count);

// distances: (P, 6), squared. Pulls features to within `radius` of their three nearest neighbours, and pushes the next
// three away from it.
at::Tensor cfaLoss(const at::Tensor& distances, const at::Tensor& radius);

// distances: (P, 3), squared. Returns the distance of each place to its nearest neighbour, weighted by how much nearer
// that one is than the others: (P).
at::Tensor cfaPlaceScores(const at::Tensor& distances);

}  // namespace dan::detect
