#include "binding/run_task.h"

#include <c10/util/Exception.h>

#include <new>

#include "core/accelerator.h"
#include "core/error.h"

namespace dan::binding {

namespace {

const std::string kMemoryAdvice = "Out of memory: use a smaller batch, resolution or dtype. ";

// What is cached for tensors that are gone goes back to the device, so that the process, and others, can go on.
TaskFailure outOfDeviceMemory(const std::string& message) {
  if (DeviceServices* services = cudaState().services) services->releaseCache();
  return {kOutOfMemory, kMemoryAdvice + message, true};
}

}  // namespace

TaskFailure captureFailure(const std::function<void()>& work) {
  try {
    work();
    return {};
  } catch (const CoreError& error) {
    return {error.code, error.what(), true};
  } catch (const c10::OutOfMemoryError& error) {
    return outOfDeviceMemory(error.what_without_backtrace());
  } catch (const c10::Error& error) {
    // libtorch's CPU allocator reports exhaustion as a plain error.
    const std::string message = error.what_without_backtrace();
    const bool isMemory = message.find("can't allocate memory") != std::string::npos ||
                          message.find("not enough memory") != std::string::npos;
    if (isMemory) return {kOutOfMemory, kMemoryAdvice + message, true};
    return {"ERR_TORCH", message, true};
  } catch (const std::bad_alloc&) {
    return {kOutOfMemory, kMemoryAdvice, true};
  } catch (const std::exception& error) {
    return {"ERR_NATIVE", error.what(), true};
  } catch (...) {
    return {"ERR_NATIVE", "unknown native exception", true};
  }
}

}  // namespace dan::binding
