// An adapter can be exported to other formats and precisions than the trainer's.
#pragma once

#include <string>
#include <vector>

#include "dual/adapter_file.h"
#include "dual/compact_saim.h"

namespace dan::dual {

struct ExportOptions {
  // If true, the file uses the names of the published code, for its scripts; else our own format.
  bool published = false;
  at::ScalarType dtype = at::kFloat;
  int64_t saimRank = 0;  // own format only; 0: SAIM in full
};

struct ExportReport {
  int64_t numbers = 0;               // count of stored numbers over all tensors
  std::vector<CompactError> errors;  // one per layer if SAIM was reduced
};

// Writes `path` as `.safetensors`, or in the published format also as the `.bin` of torch.save. Throws
// ERR_INVALID_OPTION for a combination that cannot be written and if numbers overflow the precision.
//
// The published format has no examples. It has no LoRA scale, so we multiply it into `up`. It has only interpolation,
// so an adapter of the form `add` becomes one with a = 2^-20 and MLP * gamma / a, which is equal to 1e-6.
ExportReport exportAdapter(const AdapterFile& adapter, const std::string& path, const ExportOptions& options);

}  // namespace dan::dual
