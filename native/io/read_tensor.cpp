#include "io/read_tensor.h"

#include <ATen/Parallel.h>
#include <sys/mman.h>

#include <memory>

#include "core/error.h"
#include "core/host_memory.h"

namespace dan::io {

namespace {

constexpr size_t kMinBytes = 1u << 20;  // libtorch allocates smaller blocks itself.
// A thread reads at least this much at once.
constexpr int64_t kBytesPerRead = 1 << 20;

std::shared_ptr<void> largeBlock(size_t bytes, const std::string& path) {
  void* data = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) fail(kOutOfMemory, "There is no memory for ", bytes, " bytes of ", path);
  // Most of the time to read a file would go into its new pages of memory. The kernel may decline, which does no harm.
  ::madvise(data, bytes, MADV_HUGEPAGE);
  const auto counted = static_cast<int64_t>(bytes);
  countHostBytes(counted);
  return std::shared_ptr<void>(data, [counted](void* block) {
    ::munmap(block, static_cast<size_t>(counted));
    countHostBytes(-counted);
  });
}

}  // namespace

at::Tensor readTensor(const InputFile& file, uint64_t position, at::IntArrayRef shape, at::ScalarType dtype) {
  const auto options = at::TensorOptions().dtype(dtype);
  const size_t bytes = c10::multiply_integers(shape) * c10::elementSize(dtype);
  at::Tensor tensor;
  if (bytes < kMinBytes) {
    tensor = at::empty(shape, options);
  } else {
    const std::shared_ptr<void> block = largeBlock(bytes, file.path());
    tensor = at::from_blob(
        block.get(), shape, [block](void*) {}, options);
  }
  auto* data = static_cast<char*>(tensor.mutable_data_ptr());
  at::parallel_for(0, static_cast<int64_t>(bytes), kBytesPerRead, [&](int64_t begin, int64_t end) {
    file.read(position + static_cast<uint64_t>(begin), data + begin, static_cast<size_t>(end - begin));
  });
  return tensor;
}

}  // namespace dan::io
