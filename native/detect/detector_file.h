// This is the file of a fitted detector: a safetensors file with the detector's settings in its metadata.
#pragma once

#include <string>

#include "detect/detector.h"

namespace dan::detect {

struct DetectorFile {
  DetectorSettings settings;
  TensorMap tensors;
};

void writeDetector(const std::string& path, const DetectorSettings& settings, const TensorMap& tensors,
                   io::Metadata metadata);

// Throws ERR_WEIGHTS_INVALID with the file, the setting and its value if a setting is missing, damaged or out of range,
// and for numbers that are not finite. The package's TypeScript code checks the settings that only it reads.
DetectorFile readDetector(const std::string& path);

}  // namespace dan::detect
