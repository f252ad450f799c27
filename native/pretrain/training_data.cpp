#include "pretrain/training_data.h"

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/pixel_values.h"
#include "io/safetensors.h"

namespace dan::pretrain {

at::Tensor TrainingData::pixelValues(const at::Tensor& index) const { return toPixelValues(images.index({index})); }

at::Tensor TrainingData::partValues(const at::Tensor& index) const {
  return pixelValues(index) * masks.index({index}).unsqueeze(1);
}

TrainingData readTrainingData(const std::string& path) {
  const io::SafetensorsFile file = io::readSafetensors(path);
  for (const char* name : {"images", "masks", "caption_ids", "part_ids"}) {
    if (file.tensors.count(name) == 0) fail(kWeightsInvalid, path, " lacks ", name);
  }
  return {file.tensors.at("images"), file.tensors.at("masks"), file.tensors.at("caption_ids").to(at::kLong),
          file.tensors.at("part_ids").to(at::kLong),
          nlohmann::json::parse(file.metadata.at("captions")).get<std::vector<std::string>>()};
}

}  // namespace dan::pretrain
