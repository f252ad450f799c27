#include <ATen/Parallel.h>
#include <sys/resource.h>
#include <torch/version.h>

#include <algorithm>
#include <chrono>

#include "bench/options.h"
#include "core/accelerator.h"
#include "core/device.h"
#include "core/profile.h"
#include "ops/cpu/kernels.h"

namespace dan::bench {

namespace {

// Returns the peak memory of this process, or on CUDA the peak of its tensors there. The peer measures the same.
int64_t peakMiB(const at::Device& device) {
  if (device.is_cuda()) return cudaState().services->memory(device).allocatedPeak >> 20;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

// Returns the most capable set of CPU kernels that this process uses.
std::string usedKernels() {
  std::string used = "libtorch";
  for (const ops::cpu::KernelSet& set : ops::cpu::kernelSets()) {
    if (set.isUsed) used = set.name;
  }
  return used;
}

}  // namespace

nlohmann::json measure(const BenchOptions& options, const std::string& what, int64_t batch, int64_t trainable,
                       const std::function<void()>& step) {
  const at::Device device = parseDevice(options.device);
  const auto run = [&] {
    step();
    if (device.is_cuda()) cudaState().services->synchronize(device);
  };
  run();
  std::vector<double> seconds;
  for (int i = 0; i < options.reps; ++i) {
    const auto start = std::chrono::steady_clock::now();
    run();
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(seconds.begin(), seconds.end());
  const size_t n = seconds.size();
  nlohmann::json result = {{"what", what},
                           {"batch", batch},
                           {"size", options.size},
                           {"dtype", options.dtype},
                           {"device", device.is_cuda() ? cudaState().services->describe(device).name : "cpu"},
                           {"plain", false},
                           {"stored", options.stored},
                           {"median_s", n % 2 ? seconds[n / 2] : (seconds[n / 2 - 1] + seconds[n / 2]) / 2},
                           {"min_s", seconds.front()},
                           {"max_s", seconds.back()},
                           {"peak_mib", peakMiB(device)},
                           {"trainable", trainable},
                           {"torch", TORCH_VERSION},
                           {"threads", at::get_num_threads()},
                           {"kernels", usedKernels()}};
  if (options.profile) {
    for (const RecordedTime& operation : profile(run)) {
      result["profile"].push_back(
          {{"operation", operation.name}, {"calls", operation.calls}, {"seconds", operation.ownSeconds}});
    }
  }
  return result;
}

std::unique_ptr<model::BaseModel> makeBase(const BenchOptions& options) {
  const at::Device device = parseDevice(options.device);
  const at::ScalarType dtype = parseDtype(options.dtype, device);
  if (options.base.empty()) return model::randomBaseModel(device, dtype, parseDtype(options.stored, device), 0);
  return model::loadBaseModel(options.base, device, dtype);
}

}  // namespace dan::bench
