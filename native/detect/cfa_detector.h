// CFA (arXiv 2206.04325) learns from good images to bring their patches close to a memory of one good patch for each
// place. What stays far away is anomalous.
#pragma once

#include <memory>

#include "detect/trained_detector.h"
#include "model/backbone.h"
#include "model/cfa.h"

namespace dan::detect {

class CfaDetector : public TrainedDetector {
 public:
  // The first step builds the memory: the mean over all good images of the features of each place. The width of the
  // settings has no meaning here.
  CfaDetector(const DetectorSettings& settings, FitData data, at::Device device);
  CfaDetector(const DetectorSettings& settings, const nn::Weights& weights);

  FitStep step(const Task& task) override;

 protected:
  Example draw(Rng& rng) const override;
  at::Tensor loss(const std::vector<Example>& examples, Rng& rng) const override;
  // The rate stays the same to the end, as published.
  double learningRate(double done) const override;
  // The score of an image is the maximum of its map.
  Scored scoreBatch(const at::Tensor& images, const Task& task) const override;
  TensorMap weights() const override;

 private:
  void buildMemory(const Task& task);
  // Images are (N, 3, H, W) in 0 .. 1.
  at::Tensor patches(const at::Tensor& images) const;
  // Returns (N, C, h, w) as (N h w, C).
  static at::Tensor places(const at::Tensor& features);

  std::unique_ptr<model::Backbone> backbone_;
  std::unique_ptr<model::CfaDescriptor> descriptor_;
  at::Tensor memory_;  // (h w, C)
  at::Tensor radius_;  // (1)
};

}  // namespace dan::detect
