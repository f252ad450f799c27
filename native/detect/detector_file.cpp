#include "detect/detector_file.h"

#include "core/settings.h"
#include "train/checkpoint.h"

namespace dan::detect {

namespace {

constexpr const char* kFormat = "dualanodiff-detector";
constexpr int64_t kFormatVersion = 1;
constexpr int64_t kMaxChannels = 4096, kMaxBatchSize = 4096;

}  // namespace

void writeDetector(const std::string& path, const DetectorSettings& settings, const TensorMap& tensors,
                   io::Metadata metadata) {
  metadata["format"] = kFormat;
  metadata["format_version"] = std::to_string(kFormatVersion);
  metadata["detector"] = settings.name;
  metadata["channels"] = std::to_string(settings.training.channels);
  metadata["batch_size"] = std::to_string(settings.training.batchSize);
  metadata["backbone"] = settings.backbone;
  TensorMap detached;
  for (const auto& [name, tensor] : tensors) detached[name] = tensor.detach();
  io::writeSafetensors(path, detached, metadata);
}

DetectorFile readDetector(const std::string& path) {
  const io::SafetensorsFile file = io::readSafetensors(path);
  const auto format = file.metadata.find("format");
  if (format == file.metadata.end() || format->second != kFormat) {
    fail(kWeightsInvalid, path, " is not a detector that this package has saved");
  }
  Settings settings = Settings::ofText(file.metadata, path, kWeightsInvalid);
  for (const char* key : {"format_version", "detector", "channels", "batch_size"}) settings.require(key);
  const int64_t version = settings.integer("format_version", 0, 1, 1 << 20);
  if (version > kFormatVersion) {
    fail(kWeightsInvalid, path, " has detector format ", version, "; this version of dualanodiff reads up to ",
         kFormatVersion, ": update the package");
  }
  DetectorFile result;
  result.settings.name = settings.text("detector", "");
  result.settings.training.channels = settings.integer("channels", 0, 1, kMaxChannels);
  result.settings.training.batchSize = settings.integer("batch_size", 0, 1, kMaxBatchSize);
  result.settings.backbone = settings.text("backbone", "");
  train::expectFiniteTensors(file.tensors, path);
  result.tensors = file.tensors;
  return result;
}

}  // namespace dan::detect
