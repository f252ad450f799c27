// SAIM at reduced rank, as compact adapters store it. Folded (see SaimFold), a layer's five matrices are two, A for the
// scores and B for the values; each is cut to its largest singular values, the nearest matrix of that rank (Eckart and
// Young), and written as a product of two thin ones.
#pragma once

#include <string>

#include "core/tensor_map.h"

namespace dan::dual {

// Of one layer: the change relative to the whole, in the Frobenius norm.
struct CompactError {
  std::string layer;
  double scores = 0, values = 0;
};

// Replaces the SAIM tensors of every layer by their compact form; `tensors` under the own format's names.
std::vector<CompactError> compactSaim(TensorMap& tensors, int64_t rank);

// The full matrices that compute what the compact ones do: i, k and o become identities. Throws ERR_WEIGHTS_INVALID
// naming a tensor that is missing or does not fit; `source` names the file.
void expandSaim(TensorMap& tensors, const std::string& source);

}  // namespace dan::dual
