// scripts/assets/make-training-data.mjs writes this file of procedural pictures with their defects and captions.
#pragma once

#include <string>
#include <vector>

#include "core/tensor_map.h"

namespace dan::pretrain {

struct TrainingData {
  at::Tensor images;      // (N, H, W, 3) uint8
  at::Tensor masks;       // (N, H, W) uint8, 0 or 1
  at::Tensor captionIds;  // (N) index into captions, for the whole picture
  at::Tensor partIds;     // (N) index into captions, for its anomaly part; -1: no defect
  std::vector<std::string> captions;

  int64_t size() const { return images.size(0); }
  // Both return the rows `index` as float32 (B, 3, H, W) in [-1, 1]. Parts are multiplied by their mask, which makes
  // the blank mid-grey.
  at::Tensor pixelValues(const at::Tensor& index) const;
  at::Tensor partValues(const at::Tensor& index) const;
};

TrainingData readTrainingData(const std::string& path);

}  // namespace dan::pretrain
