// CoreError is the only exception type that crosses from the engine to its callers. Each error carries a stable code.
#pragma once

#include <c10/util/StringUtil.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace dan {

class CoreError : public std::runtime_error {
 public:
  CoreError(std::string code, const std::string& message) : std::runtime_error(message), code(std::move(code)) {}
  const std::string code;
};

inline constexpr const char* kInvalidOption = "ERR_INVALID_OPTION";
inline constexpr const char* kDatasetInvalid = "ERR_DATASET_INVALID";
inline constexpr const char* kWeightsInvalid = "ERR_WEIGHTS_INVALID";
inline constexpr const char* kModelInvalid = "ERR_MODEL_INVALID";
inline constexpr const char* kAdapterMismatch = "ERR_ADAPTER_MISMATCH";
inline constexpr const char* kCheckpointMismatch = "ERR_CHECKPOINT_MISMATCH";
inline constexpr const char* kDeviceUnavailable = "ERR_DEVICE_UNAVAILABLE";
inline constexpr const char* kOutOfMemory = "ERR_OUT_OF_MEMORY";
inline constexpr const char* kNonFiniteLoss = "ERR_NON_FINITE_LOSS";
inline constexpr const char* kFileAccess = "ERR_FILE_ACCESS";
inline constexpr const char* kAborted = "ERR_ABORTED";

// Throws a CoreError whose message is the concatenation of `parts`.
template <class... Parts>
[[noreturn]] void fail(const char* code, const Parts&... parts) {
  throw CoreError(code, c10::str(parts...));
}

}  // namespace dan
