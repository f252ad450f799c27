#include "core/accelerator.h"

#include <ATen/Context.h>
#include <dlfcn.h>
#include <torch/version.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>

namespace dan {

namespace {

namespace fs = std::filesystem;

constexpr const char* kLibrary = "libdualanodiff_cuda.so";
constexpr int kOldestCapability = 75;  // see ARCHITECTURES in native/cuda/CMakeLists.txt

std::string dlReason() {
  const char* error = dlerror();
  return error == nullptr ? "unknown reason" : error;
}

// Returns the file that holds the code or data at `address`.
fs::path fileOf(const void* address) {
  Dl_info info{};
  return dladdr(address, &info) != 0 ? fs::path(info.dli_fname) : fs::path();
}

// We ask the driver directly, since it may exist with any libtorch.
bool driverHasDevice() {
  void* driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (driver == nullptr) return false;
  const auto init = reinterpret_cast<int (*)(unsigned)>(dlsym(driver, "cuInit"));
  const auto count = reinterpret_cast<int (*)(int*)>(dlsym(driver, "cuDeviceGetCount"));
  int devices = 0;
  return init != nullptr && count != nullptr && init(0) == 0 && count(&devices) == 0 && devices > 0;
}

// libtorch's CUDA libraries register themselves when they are opened. Later libraries must see their symbols.
std::string openCudaLibtorch() {
  const fs::path folder = fileOf(reinterpret_cast<const void*>(&at::globalContext)).parent_path();
  for (const char* name : {"libc10_cuda.so", "libtorch_cuda.so"}) {
    const fs::path path = folder / name;
    if (!fs::exists(path)) {
      return "the libtorch in " + folder.string() +
             " is for the CPU only: run `npx dualanodiff libtorch install --cuda`";
    }
    if (dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr)
      return "libtorch's CUDA part cannot be opened: " + dlReason();
  }
  // The same command must give the same files, and float32 must mean float32.
  at::Context& context = at::globalContext();
  context.setDeterministicAlgorithms(true, /*warn_only=*/true);
  context.setDeterministicFillUninitializedMemory(false);
  context.setDeterministicCuDNN(true);
  context.setAllowTF32CuDNN(false);
  if (!at::hasCUDA()) return "libtorch " TORCH_VERSION " finds no usable device: its CUDA 13 needs driver 580 or newer";
  return "";
}

std::atomic<DeviceServices*> opened{nullptr};

CudaState openCuda() {
  if (!driverHasDevice()) return {};
  // Without this setting cuBLAS may add in any order.
  setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
  const std::string missing = openCudaLibtorch();
  if (!missing.empty()) return {nullptr, missing};
  // The library lies beside the engine. An executable of the build folder finds it in the folder below its own.
  const fs::path folder = fileOf(reinterpret_cast<const void*>(&cudaState)).parent_path();
  fs::path path = folder / kLibrary;
  if (!fs::exists(path)) path = folder / "Release" / kLibrary;
  if (!fs::exists(path)) {
    return {nullptr, std::string(kLibrary) + " is not in " + folder.string() + ": in a clone run `npm run build:cuda`"};
  }
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return {nullptr, path.string() + " does not fit the libtorch that is there: " + dlReason()};
  const auto open = reinterpret_cast<CudaServicesFunction>(dlsym(library, "dualanodiffCudaServices"));
  DeviceServices* services = open == nullptr ? nullptr : open(kCudaContract);
  if (services == nullptr) return {nullptr, path.string() + " is of another version than the engine"};
  const DeviceDescription device = services->describe(at::Device(at::kCUDA, 0));
  if (device.major * 10 + device.minor < kOldestCapability) {
    return {nullptr, device.name + " is older than Turing, the first generation that the kernels are built for"};
  }
  return {services, ""};
}

}  // namespace

const CudaState& cudaState() {
  static const CudaState state = [] {
    CudaState found = openCuda();
    opened.store(found.services);
    return found;
  }();
  return state;
}

DeviceServices* openedCudaServices() { return opened.load(); }

}  // namespace dan
