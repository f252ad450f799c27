// DRA (arXiv 2203.14506) learns from a few defects, and from pseudo defects, so that it also finds other kinds of
// defects than it was shown.
#pragma once

#include <memory>
#include <vector>

#include "detect/trained_detector.h"
#include "model/dra.h"

namespace dan::detect {

class DraDetector : public TrainedDetector {
 public:
  // All of the backbone is trained, so it must be a ResNet: it starts from its file, or from fresh weights if there is
  // none. The width of the settings is that of a ResNet-18 with fresh weights. Pictures' sides must be at least 64.
  DraDetector(const DetectorSettings& settings, FitData data, at::Device device);
  DraDetector(const DetectorSettings& settings, const nn::Weights& weights);

  FitStep step(const Task& task) override;
  void loadCheckpoint(const std::string& path) override;

 protected:
  // Half of the examples are good, a quarter shows defects, and a quarter pseudo defects. The example's type is its
  // DraLabel.
  Example draw(Rng& rng) const override;
  at::Tensor loss(const std::vector<Example>& examples, Rng& rng) const override;
  // The rate falls to a tenth after each third of the iterations, as published.
  double learningRate(double done) const override;
  double maxGradNorm() const override;
  // The maps are the sum of what the three heads of defects find at the last stage's places, resized to the image. The
  // score of an image subtracts what the holistic head finds good.
  Scored scoreBatch(const at::Tensor& images, const Task& task) const override;
  // They include the mean features of the reference images, so that a saved detector holds no photograph.
  TensorMap weights() const override;

 private:
  // Returns the mean features of the reference images for each scale, (1, C, h, w).
  std::vector<at::Tensor> references() const;
  std::vector<at::Tensor> embedReferences() const;
  // Keeps the reference features once the fit has ended, because every scored batch needs them.
  void keepReferences();

  std::unique_ptr<model::Dra> net_;
  std::vector<at::Tensor> keptReferences_;  // empty while the detector is fitted
};

// Returns a good image with a piece of another one pasted onto it, and the mask of that piece: the pseudo defects of
// CutMix (arXiv 1905.04899) with the sizes of CutPaste (arXiv 2104.04015), 2 to 15 % of the area.
Example pseudoDefect(const augment::PixelPool& good, bool flips, Rng& rng);

}  // namespace dan::detect
