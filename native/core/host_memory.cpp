#include "core/host_memory.h"

#include <c10/core/CPUAllocator.h>
#include <malloc.h>
#include <sys/mman.h>

#include <algorithm>
#include <list>
#include <mutex>
#include <unordered_map>

namespace dan {

namespace {

constexpr size_t kSmallest = size_t{1} << 20;  // malloc handles smaller blocks
constexpr size_t kUnit = size_t{1} << 16;      // sizes are multiples of this
constexpr double kSlack = 1.125;               // a kept block may exceed the requested size by this factor
// This many bytes may be held beyond the peak that tensors used. Small networks ask for many sizes. Without spare bytes
// they returned memory that they requested again in the same step, which took a seventh of an evaluation's time.
constexpr size_t kSpare = size_t{1} << 28;

struct Block {
  void* data;
  size_t size;
};

thread_local int64_t bytesOfThread = 0;

int64_t sizeOfSmall(void* data) { return static_cast<int64_t>(::malloc_usable_size(data)); }

void unmap(const Block& block) { ::munmap(block.data, block.size); }

class KeepingAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    const bool isSmall = bytes < kSmallest;
    void* data = isSmall ? takeSmall(bytes) : take((bytes + kUnit - 1) / kUnit * kUnit);
    if (isSmall && data != nullptr) bytesOfThread += sizeOfSmall(data);
    return {data, data, &KeepingAllocator::free, c10::Device(c10::kCPU)};
  }

  // libtorch's own kernels take scratch memory without a tensor.
  c10::DeleterFnPtr raw_deleter() const override { return &KeepingAllocator::free; }

  void copy_data(void* dest, const void* src, size_t count) const override { default_copy_data(dest, src, count); }

  HostMemory state() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return {static_cast<int64_t>(used_), static_cast<int64_t>(kept_), static_cast<int64_t>(usedPeak_)};
  }

  void release() {
    const std::lock_guard<std::mutex> lock(mutex_);
    shrinkTo(0);
    usedPeak_ = used_;
  }

  static KeepingAllocator& instance() {
    // It is never destroyed, since tensors of other statics may outlive it.
    static auto* allocator = new KeepingAllocator();
    return *allocator;
  }

 private:
  static void free(void* data) {
    if (data == nullptr || instance().keep(data)) return;
    bytesOfThread -= sizeOfSmall(data);
    c10::GetDefaultCPUAllocator()->raw_deallocate(data);
  }

  void* takeSmall(size_t bytes) {
    try {
      return c10::GetDefaultCPUAllocator()->raw_allocate(bytes);
    } catch (const c10::Error&) {
      const std::lock_guard<std::mutex> lock(mutex_);
      giveUp();
    }
    return c10::GetDefaultCPUAllocator()->raw_allocate(bytes);
  }

  void* take(size_t size) {
    const std::lock_guard<std::mutex> lock(mutex_);
    auto best = blocks_.end();
    for (auto it = blocks_.begin(); it != blocks_.end(); ++it) {
      const bool fits = it->size >= size && static_cast<double>(it->size) <= kSlack * static_cast<double>(size);
      if (fits && (best == blocks_.end() || it->size < best->size)) best = it;
    }
    Block block{nullptr, size};
    if (best != blocks_.end()) {
      block = *best;
      kept_ -= block.size;
      blocks_.erase(best);
    } else {
      const size_t most = std::max(usedPeak_, used_ + size);
      shrinkTo(most + kSpare - used_ - size);
      block.data = map(size);
    }
    used_ += block.size;
    bytesOfThread += static_cast<int64_t>(block.size);
    usedPeak_ = std::max(usedPeak_, used_);
    sizes_[block.data] = block.size;
    return block.data;
  }

  void* map(size_t size) {
    const auto attempt = [size] {
      return ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    };
    void* data = attempt();
    if (data == MAP_FAILED) {
      giveUp();
      data = attempt();
    }
    // The binding recognises this message, which is that of libtorch's own allocator, and turns it into
    // ERR_OUT_OF_MEMORY.
    TORCH_CHECK(data != MAP_FAILED, "DefaultCPUAllocator: can't allocate memory: you tried to allocate ", size,
                " bytes.");
    return data;
  }

  // Returns false if the block is not one of the large ones.
  bool keep(void* data) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = sizes_.find(data);
    if (found == sizes_.end()) return false;
    const Block block{data, found->second};
    sizes_.erase(found);
    used_ -= block.size;
    bytesOfThread -= static_cast<int64_t>(block.size);
    blocks_.push_front(block);
    kept_ += block.size;
    shrinkTo(usedPeak_ > 0 ? usedPeak_ + kSpare - used_ : 0);
    return true;
  }

  // Memory has run out, and the current work may fail. Its blocks must not be kept when they are freed, since others
  // need the memory.
  void giveUp() {
    shrinkTo(0);
    usedPeak_ = 0;
  }

  // Unmaps the blocks that were freed longest ago until at most `bytes` are kept.
  void shrinkTo(size_t bytes) {
    while (kept_ > bytes) {
      unmap(blocks_.back());
      kept_ -= blocks_.back().size;
      blocks_.pop_back();
    }
  }

  std::mutex mutex_;
  std::unordered_map<void*, size_t> sizes_;  // the blocks in use by tensors
  std::list<Block> blocks_;                  // the kept blocks, the last freed first
  size_t used_ = 0, kept_ = 0, usedPeak_ = 0;
};

}  // namespace

void keepHostMemory() { c10::SetCPUAllocator(&KeepingAllocator::instance(), /*priority=*/1); }

HostMemory hostMemory() { return KeepingAllocator::instance().state(); }

int64_t hostBytesOfThread() { return bytesOfThread; }
void countHostBytes(int64_t bytes) { bytesOfThread += bytes; }

void releaseHostMemory() { KeepingAllocator::instance().release(); }

}  // namespace dan
