// Training can start from another adapter instead of a fresh one.
#pragma once

#include "dual/adapter_file.h"

namespace dan::dual {

// Replaces the tensors of a fresh adapter by those of `start`, with its LoRA scale multiplied in. A LoRA of higher rank
// is cut to its largest singular values, which is the nearest matrix of the lower rank. A LoRA of lower rank is filled
// up with fresh rows, which do not change its product. Background mixers that `start` lacks stay fresh. Throws
// ERR_ADAPTER_MISMATCH naming `path` and the tensor if the two have different bases.
TensorMap startFrom(TensorMap fresh, const AdapterFile& start, const std::string& path);

}  // namespace dan::dual
