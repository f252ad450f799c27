// Compact adapters store SAIM at reduced rank. Folding (see SaimFold) turns the five matrices of a layer into two, A
// for the scores and B for the values. Each is cut to its largest singular values, which gives the nearest matrix of
// that rank (Eckart and Young), and stored as a product of two thin matrices.
#pragma once

#include <string>

#include "core/tensor_map.h"

namespace dan::dual {

// The errors of a layer are relative to the full matrices, in the Frobenius norm.
struct CompactError {
  std::string layer;
  double scores = 0, values = 0;
};

// Replaces the SAIM tensors of every layer by their compact form. `tensors` use the names of our own format.
std::vector<CompactError> compactSaim(TensorMap& tensors, int64_t rank);

// Replaces compact tensors by full matrices that compute the same: i, k and o become identities. Throws
// ERR_WEIGHTS_INVALID naming a tensor that is missing or does not fit. Errors name `source` as the file.
void expandSaim(TensorMap& tensors, const std::string& source);

}  // namespace dan::dual
