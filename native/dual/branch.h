// This file defines the branch axis. Rows are pair-major: row = pair * 2 + branch. Under classifier-free guidance the
// outermost axis is (unconditional, conditional), so a batch of the UNet is [2 * pairs * 2] with rows (guidance, pair,
// branch). Nothing outside this folder multiplies a batch by two branches.
#pragma once

#include <ATen/ATen.h>

namespace dan::dual {

enum Branch : int64_t { kGlobal = 0, kAnomaly = 1, kNumBranches = 2 };

// 2 x (B, ...) -> (B * 2, ...)
inline at::Tensor packBranches(const at::Tensor& global, const at::Tensor& anomaly) {
  return at::stack({global, anomaly}, 1).flatten(0, 1);
}

// (B * 2, ...) -> (B, 2, ...)
inline at::Tensor unpackBranches(const at::Tensor& x) { return x.unflatten(0, {-1, kNumBranches}); }

}  // namespace dan::dual
