// This detector fits a memory bank of PatchCore on good images. It embeds them first, and then chooses the patches.
#pragma once

#include <memory>

#include "detect/coreset.h"
#include "detect/patchcore.h"

namespace dan::detect {

class PatchcoreDetector : public Detector {
 public:
  // The bank gets one hundredth of the good patches, as PatchCore-1% of the paper, but at least 2,000 if there are as
  // many. It is smaller if the images hold fewer different patches. Of the training settings, only the batch size and
  // the seed matter.
  PatchcoreDetector(const DetectorSettings& settings, FitData data, at::Device device);
  PatchcoreDetector(const DetectorSettings& settings, const nn::Weights& weights);

  // A step embeds a batch of good images, or chooses up to 128 patches. It has no loss.
  FitStep step(const Task& task) override;
  int64_t position() const override { return position_; }
  int64_t steps() const override { return embeddingSteps_ + choosingSteps_; }
  void saveCheckpoint(const std::string& path, const io::Metadata& metadata) const override;
  void loadCheckpoint(const std::string& path) override;

 protected:
  // Throws ERR_INVALID_OPTION before the fit has ended.
  Scored scoreBatch(const at::Tensor& images, const Task& task) const override;
  TensorMap weights() const override;

 private:
  void embedBatch();
  void choosePatches(const Task& task);
  GreedyCoreset startCoreset(const std::vector<int64_t>& chosen) const;
  void finish();

  std::unique_ptr<model::Backbone> backbone_;
  augment::Pool good_;
  at::Tensor patches_;  // (images * h * w, C), filled batch by batch; undefined once the fit has ended
  int64_t patchesPerImage_ = 0, bankSize_ = 0;
  int64_t embeddingSteps_ = 0, choosingSteps_ = 0, position_ = 0;
  std::unique_ptr<GreedyCoreset> coreset_;
  std::unique_ptr<MemoryBank> bank_;  // null until the fit has ended
};

}  // namespace dan::detect
