// Adapters are stored in our own safetensors format or in the files of the published code.
#pragma once

#include <string>

#include "core/tensor_map.h"
#include "dual/adapter.h"
#include "dual/adapter_examples.h"
#include "io/safetensors.h"

namespace dan::model {
struct BaseModel;
}

namespace dan::dual {

inline constexpr const char* kAdapterFormat = "dualanodiff-adapter";
// A file has the lowest version that describes it, so that older readers refuse only what they cannot read.
inline constexpr int kAdapterFormatVersion = 1;
inline constexpr int kCompactFormatVersion = 2;  // SAIM at reduced rank
// Version 3, kExamplesFormatVersion, has examples. Its SAIM may be full or of reduced rank.

// An AdapterFile has the contents of an adapter file. It may also come from training.
struct AdapterFile {
  TensorMap tensors;  // under the names of our own format, on the CPU
  AdapterSettings settings;
  io::Metadata metadata;  // empty for published files
  std::string source;     // the file's path, or a name of the adapter for errors
  std::vector<AdapterExample> examples = {};
};

// Reads `.safetensors` of either naming, or a published `.bin`. `injection` is the background form of a file that has
// background tensors but does not name the form (published files: interpolate). Throws ERR_WEIGHTS_INVALID with a
// tensor that is not finite or a setting that is missing, damaged or unknown. Throws ERR_ADAPTER_MISMATCH for a newer
// format version.
AdapterFile readAdapterFile(const std::string& path, BackgroundMode injection = BackgroundMode::kInterpolate);

// Throws ERR_ADAPTER_MISMATCH if the adapter's metadata name a base with other weights.
void expectBase(const AdapterFile& adapter, const model::BaseModel& base);

// Copies an adapter that training may change later, without examples. `metadata` are for its file.
AdapterFile copyOf(const Adapter& adapter, io::Metadata metadata, std::string source);

// Returns the metadata with the format version of the file that writeAdapterFile() writes, and with the background
// form, which published files do not store.
io::Metadata describe(const AdapterFile& adapter);

// Adds format, version, rank, scale and background form to `metadata`.
io::Metadata adapterMetadata(const AdapterSettings& settings, io::Metadata metadata);

// Writes the own format with adapterMetadata and the examples, whole or not at all.
void writeAdapterFile(const std::string& path, const AdapterFile& adapter);

// Returns the own name of a published key, or the name itself.
std::string fromPublishedName(const std::string& name);

}  // namespace dan::dual
