#include "core/host_memory.h"

#include <ATen/ATen.h>

#include "tests/test.h"

namespace dan::tests {

namespace {

constexpr int64_t kMega = int64_t{1} << 20;

at::Tensor block(int64_t bytes) { return at::empty({bytes}, at::kByte); }

}  // namespace

DAN_TEST(freed_host_memory_is_used_again_and_never_exceeds_what_tensors_needed) {
  keepHostMemory();
  releaseHostMemory();
  const int64_t before = hostMemory().used;
  const auto used = [before] { return hostMemory().used - before; };
  EXPECT(hostMemory().kept == 0);
  at::Tensor first = block(8 * kMega);
  const void* place = first.data_ptr();
  first = at::Tensor();
  EXPECT(used() == 0 && hostMemory().kept == 8 * kMega);
  first = block(8 * kMega - 5);  // about the size: the same block
  EXPECT(first.data_ptr() == place && hostMemory().kept == 0);
  first = at::Tensor();
  at::Tensor larger = block(9 * kMega);  // more than ever before: the kept one goes, so that no more is held
  EXPECT(used() == 9 * kMega && hostMemory().kept == 0);
  larger = at::Tensor();
  at::Tensor half = block(4 * kMega), other = block(3 * kMega);  // beside the kept 9 these would be more than 9
  EXPECT(used() == 7 * kMega && hostMemory().kept == 0);
  half = other = at::Tensor();
  EXPECT(hostMemory().kept == 7 * kMega);
  releaseHostMemory();
  EXPECT(hostMemory().kept == 0 && hostMemory().usedPeak == before);
}

DAN_TEST(host_memory_that_is_not_there_is_a_clear_error) {
  keepHostMemory();
  releaseHostMemory();
  at::Tensor used = block(8 * kMega);
  expectError([] { block(int64_t{1} << 46); }, "can't allocate memory");
  used = at::Tensor();  // of the work that ran out: the system has it back
  EXPECT(hostMemory().kept == 0);
  used = block(8 * kMega);
  used = at::Tensor();
  EXPECT(hostMemory().kept == 8 * kMega);  // of work that did not
}

}  // namespace dan::tests
