// RD4AD (arXiv 2201.10703) learns from good images to undo a frozen backbone. Where an image is not good, what the
// decoder makes of the embedding differs from the backbone's features.
#pragma once

#include <memory>
#include <vector>

#include "detect/trained_detector.h"
#include "model/backbone.h"
#include "model/reverse_distillation.h"

namespace dan::detect {

// Returns 1 - cosine between the stages of the backbone and of the decoder, (N, C, h, w), summed over stages and
// averaged over images. Like the published code it takes a stage as one vector, not pixel by pixel.
at::Tensor distillationLoss(const std::vector<at::Tensor>& stages, const std::vector<at::Tensor>& decoded);

// Returns the sum over stages of 1 - cosine at each place, resized to (N, height, width) and smoothed with a Gaussian
// of 4 pixels.
at::Tensor distillationMaps(const std::vector<at::Tensor>& stages, const std::vector<at::Tensor>& decoded,
                            int64_t height, int64_t width);

class Rd4adDetector : public TrainedDetector {
 public:
  // Pictures' sides must be multiples of 32. The width of the settings has no meaning here: the decoder mirrors the
  // backbone, which must have strides of 4, 8 and 16.
  Rd4adDetector(const DetectorSettings& settings, FitData data, at::Device device);
  Rd4adDetector(const DetectorSettings& settings, const nn::Weights& weights);

 protected:
  Example draw(Rng& rng) const override;
  at::Tensor loss(const std::vector<Example>& examples, Rng& rng) const override;
  // The rate stays the same to the end, as published.
  double learningRate(double done) const override;
  // The score of an image is the maximum of its map.
  Scored scoreBatch(const at::Tensor& images, const Task& task) const override;
  TensorMap weights() const override;

 private:
  // Returns the first three stages of images, (N, 3, H, W) in 0 .. 1.
  std::vector<at::Tensor> stages(const at::Tensor& images) const;
  void makeNet(const nn::Weights& weights);

  std::unique_ptr<model::Backbone> backbone_;
  std::unique_ptr<model::ReverseDistillation> net_;
};

}  // namespace dan::detect
