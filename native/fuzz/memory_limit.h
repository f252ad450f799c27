// This ends the fuzzer when an input makes its reader hold too much memory, no matter what else the process holds.
// libFuzzer's own limits cover either the whole process, once a second, or a single allocation.
#pragma once

#include <sanitizer/allocator_interface.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdio>

#include "core/host_memory.h"

namespace dan::fuzz {

class MemoryLimit {
 public:
  // During the object's lifetime at most kMaxBytes may be live, and at most kBytesForEach for each byte of the input.
  // If a reader needed a hundred times the size of a small file, a large file would exhaust all memory.
  explicit MemoryLimit(size_t inputBytes) {
    static const int isInstalled = __sanitizer_install_malloc_and_free_hooks(onAllocation, onFree);
    (void)isInstalled;
    limit_ = std::min(kMaxBytes, kFixedBytes + kBytesForEach * inputBytes);
    begin_ = liveBytes();
    unchecked_ = 0;
    isOn_ = true;
  }
  ~MemoryLimit() { isOn_ = false; }
  MemoryLimit(const MemoryLimit&) = delete;
  MemoryLimit& operator=(const MemoryLimit&) = delete;

  // This must be called while the result is alive, since large tensors are not allocated by malloc.
  static void check() {
    if (!isOn_) return;
    const size_t live = liveBytes();
    if (live <= begin_ + limit_) return;
    isOn_ = false;
    std::fprintf(stderr, "This input makes its reader hold %zu bytes; at most %zu are expected.\n", live - begin_,
                 limit_);
    __builtin_trap();
  }

 private:
  static constexpr size_t kMaxBytes = 256u << 20, kFixedBytes = 2u << 20, kBytesForEach = 128;
  static constexpr size_t kCheckEvery = 1u << 18;

  static size_t liveBytes() {
    return __sanitizer_get_current_allocated_bytes() + static_cast<size_t>(hostBytesOfThread());
  }
  static void onAllocation(const volatile void*, size_t size) {
    if (!isOn_ || (unchecked_ += size) < kCheckEvery) return;
    unchecked_ = 0;
    check();
  }
  static void onFree(const volatile void*) {}

  inline static std::atomic<bool> isOn_{false};
  inline static std::atomic<size_t> unchecked_{0};
  inline static size_t limit_ = 0, begin_ = 0;
};

}  // namespace dan::fuzz
