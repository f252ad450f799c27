// An adapter file stores training windows as examples, so that placing can start from a real defect.
#pragma once

#include <string>
#include <vector>

#include "core/tensor_map.h"
#include "io/safetensors.h"

namespace dan::dual {

inline constexpr int kExamplesFormatVersion = 3;

struct AdapterExample {
  int64_t region = 0;  // the place of its region among the regions of the training
  int64_t type = 0;    // the place of its type among the adapter's types
  at::Tensor image;    // (R, R, 3) uint8
  at::Tensor mask;     // (R, R) uint8, 255 inside the defect
};

// Adds the examples to the tensors of a file as `examples.<region>.image` and `.mask`. Their types go to the metadata,
// with the version of the format that has examples.
void storeExamples(const std::vector<AdapterExample>& examples, TensorMap& tensors, io::Metadata& metadata);

// Moves the examples out of the tensors of a file, and their types out of its metadata. The result is in the order of
// regions, and empty for a file without examples. Throws ERR_WEIGHTS_INVALID naming the file and the tensor or value
// that is missing, damaged or out of range.
std::vector<AdapterExample> takeExamples(TensorMap& tensors, io::Metadata& metadata, const std::string& path);

}  // namespace dan::dual
