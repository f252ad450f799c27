// DRAEM (arXiv 2108.07610), with SSPCAB (arXiv 2111.09099) as the detector draem-sspcab.
#pragma once

#include <memory>
#include <vector>

#include "detect/trained_detector.h"
#include "model/draem_net.h"

namespace dan::detect {

class DraemDetector : public TrainedDetector {
 public:
  // Pictures' sides must be multiples of 32. Without defects it makes up its own, of textures in the shape of noise.
  // The discriminative network is as wide as the settings say, and the reconstructive one twice as wide, as published.
  DraemDetector(const DetectorSettings& settings, FitData data, at::Device device);
  DraemDetector(const DetectorSettings& settings, const nn::Weights& weights);

 protected:
  // Draws a good or a defective example with even chances.
  Example draw(Rng& rng) const override;
  at::Tensor loss(const std::vector<Example>& examples, Rng& rng) const override;
  // The maps are the probability of a defect for each pixel. The score of an image is the greatest mean of its map in a
  // window of 21 pixels, as published.
  Scored scoreBatch(const at::Tensor& images, const Task& task) const override;

 private:
  std::unique_ptr<model::DraemNet> net_;
};

}  // namespace dan::detect
