#pragma once

#include <cstdint>

namespace dan::ops::cpu {

// Returns a / b, rounded up. Both are positive.
inline int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

}  // namespace dan::ops::cpu
