#include "binding/failure.h"

#include <c10/util/Exception.h>

#include <new>

#include "core/accelerator.h"
#include "core/error.h"

namespace dan::binding {

namespace {

const std::string kMemoryAdvice = "Out of memory: use a smaller batch, resolution or dtype. ";

// Returns the cached memory of freed tensors to the device, so that this and other processes can continue.
TaskFailure outOfDeviceMemory(const std::string& message) {
  if (DeviceServices* services = openedCudaServices()) services->releaseCache();
  return {kOutOfMemory, kMemoryAdvice + message, true};
}

}  // namespace

TaskFailure describeFailure() {
  try {
    throw;
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

TaskFailure captureFailure(const std::function<void()>& work) {
  try {
    work();
    return {};
  } catch (...) {
    return describeFailure();
  }
}

Napi::Error errorOf(Napi::Env env, const TaskFailure& failure) {
  Napi::Error error = Napi::Error::New(env, failure.message);
  error.Set("code", Napi::String::New(env, failure.code));
  return error;
}

bool settle(Napi::Env env, const Napi::Promise::Deferred& deferred, const TaskFailure& failure,
            const std::function<Napi::Value()>& value) noexcept {
  try {
    Napi::Value result, reason;
    try {
      if (failure.failed) throw errorOf(env, failure);
      result = value();
    } catch (const Napi::Error& error) {
      reason = error.Value();
    } catch (...) {
      reason = errorOf(env, describeFailure()).Value();
    }
    if (reason.IsEmpty()) {
      deferred.Resolve(result);
    } else {
      deferred.Reject(reason);
    }
    return reason.IsEmpty();
  } catch (...) {  // The environment is being destroyed, so nobody waits for the promise.
    return false;
  }
}

}  // namespace dan::binding
