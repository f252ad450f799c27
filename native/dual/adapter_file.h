// Adapters are stored in our own safetensors format or in the files of the published code.
#pragma once

#include <string>

#include "core/tensor_map.h"
#include "dual/adapter.h"
#include "io/safetensors.h"

namespace dan::model {
struct BaseModel;
}

namespace dan::dual {

inline constexpr const char* kAdapterFormat = "dualanodiff-adapter";
inline constexpr int kAdapterFormatVersion = 1;
inline constexpr int kCompactFormatVersion = 2;  // SAIM at reduced rank

struct AdapterFile {
  TensorMap tensors;  // under the names of our own format
  AdapterSettings settings;
  io::Metadata metadata;  // empty for published files
};

// Reads `.safetensors` of either naming, or a published `.bin`. `injection` is the background form of a file that has
// background tensors but does not name the form (published files: interpolate). Throws ERR_WEIGHTS_INVALID naming a
// tensor that is not finite or a setting that is missing, damaged or unknown. Throws ERR_ADAPTER_MISMATCH for a newer
// format version.
AdapterFile readAdapterFile(const std::string& path, BackgroundMode injection = BackgroundMode::kInterpolate);

// Throws ERR_ADAPTER_MISMATCH if the file was trained on a base with other weights.
void expectBase(const AdapterFile& file, const std::string& path, const model::BaseModel& base);

// Returns `metadata` with format, version, rank, scale and background form added.
io::Metadata adapterMetadata(const AdapterSettings& settings, io::Metadata metadata);

// Adds adapterMetadata() to `metadata`. The file appears only once it is complete.
void writeAdapterFile(const std::string& path, const Adapter& adapter, io::Metadata metadata);

// Returns our name for a published key. Returns any other name unchanged.
std::string fromPublishedName(const std::string& name);

}  // namespace dan::dual
