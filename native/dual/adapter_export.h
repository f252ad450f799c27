// Adapters in other layouts and precisions than the trainer's.
#pragma once

#include <string>
#include <vector>

#include "dual/adapter_file.h"
#include "dual/compact_saim.h"

namespace dan::dual {

struct ExportOptions {
  bool published = false;  // the published code's names, for its scripts; else the own format
  at::ScalarType dtype = at::kFloat;
  int64_t saimRank = 0;  // own format only; 0: SAIM in full
};

struct ExportReport {
  int64_t numbers = 0;               // stored, of all tensors
  std::vector<CompactError> errors;  // one a layer, where SAIM was reduced
};

// Writes `path`: `.safetensors`, or for the published layout also `.bin` as torch.save writes it. Throws
// ERR_INVALID_OPTION for a combination that cannot be written and where numbers overflow the precision.
//
// The published layout has no LoRA scale (it is worked into `up`) and knows interpolation only: an adapter of the form
// `add` becomes one with a = 2^-20 and MLP * gamma / a, the same to 1e-6.
ExportReport exportAdapter(const AdapterFile& adapter, const std::string& path, const ExportOptions& options);

}  // namespace dan::dual
