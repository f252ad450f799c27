// Training that starts from another adapter instead of a fresh one.
#pragma once

#include "dual/adapter_file.h"

namespace dan::dual {

// The fresh adapter's tensors with those of `start` in their place, its LoRA scale worked into them. LoRA of a higher
// rank is cut to its largest singular values (the nearest of the lower rank), one of a lower rank keeps fresh rows
// beside its own; neither changes what fits. Background mixers that `start` lacks stay fresh. Throws
// ERR_ADAPTER_MISMATCH, naming `path` and the tensor, where the two are of different bases.
TensorMap startFrom(TensorMap fresh, const AdapterFile& start, const std::string& path);

}  // namespace dan::dual
