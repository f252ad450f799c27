#include "core/host_memory.h"

#include <ATen/ATen.h>

#include "tests/test.h"

namespace dan::tests {

namespace {

constexpr int64_t kMega = int64_t{1} << 20, kSpare = 256 * kMega;

at::Tensor block(int64_t bytes) { return at::empty({bytes}, at::kByte); }

}  // namespace

DAN_TEST(freed_host_memory_is_used_again_and_hardly_exceeds_what_tensors_needed) {
  keepHostMemory();
  releaseHostMemory();
  const int64_t before = hostMemory().used;
  const auto used = [before] { return hostMemory().used - before; };
  EXPECT(hostMemory().kept == 0);
  at::Tensor first = block(8 * kMega);
  const void* place = first.data_ptr();
  first = at::Tensor();
  EXPECT(used() == 0 && hostMemory().kept == 8 * kMega);
  // A request of about the same size gets the same block.
  first = block(8 * kMega - 5);
  EXPECT(first.data_ptr() == place && hostMemory().kept == 0);
  first = at::Tensor();
  at::Tensor larger = block(kSpare);  // Both blocks may be held at once.
  EXPECT(used() == kSpare && hostMemory().kept == 8 * kMega);
  larger = at::Tensor();
  EXPECT(hostMemory().kept == kSpare + 8 * kMega);
  // Kept and used memory together may reach the peak plus the spare amount.
  at::Tensor half = block(kSpare / 2);
  EXPECT(used() == kSpare / 2 && hostMemory().kept == kSpare + 8 * kMega);
  // Beyond that limit, the blocks freed longest ago are returned to the system.
  at::Tensor other = block(kSpare / 2 + kMega);
  EXPECT(used() == kSpare + kMega && hostMemory().kept == kSpare);
  half = other = at::Tensor();
  EXPECT(used() == 0 && hostMemory().kept <= 2 * kSpare + kMega);
  releaseHostMemory();
  first = block(kMega);
  first = at::Tensor();
  EXPECT(hostMemory().kept == kMega);
  releaseHostMemory();
  EXPECT(hostMemory().kept == 0 && hostMemory().usedPeak == before);
}

DAN_TEST(host_memory_that_is_not_there_is_a_clear_error) {
  keepHostMemory();
  releaseHostMemory();
  at::Tensor used = block(8 * kMega);
  expectError([] { block(int64_t{1} << 46); }, "can't allocate memory");
  used = at::Tensor();  // The work ran out of memory, so this block goes back to the system.
  EXPECT(hostMemory().kept == 0);
  used = block(8 * kMega);
  used = at::Tensor();
  EXPECT(hostMemory().kept == 8 * kMega);  // This work did not run out.
}

}  // namespace dan::tests
