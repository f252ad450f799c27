// What predicts the noise of pairs: DualUnet, which trains, and for sampling FoldedUnet, and GraphedUnet on CUDA.
#pragma once

#include <memory>

#include "dual/attention_maps.h"
#include "dual/background.h"
#include "model/unet.h"

namespace dan::dual {

class FoldedAdapter;

class PairModel {
 public:
  virtual ~PairModel() = default;

  // noisyLatents: (N * 2, 4, h, w); timesteps: (N * 2); encoderHiddenStates: (N * 2, 77, D); rows as branch.h says.
  // `background`, where not null, holds N rows. Returns the prediction, (N * 2, 4, h, w).
  virtual at::Tensor forward(const at::Tensor& noisyLatents, const at::Tensor& timesteps,
                             const at::Tensor& encoderHiddenStates, const BackgroundFeatures* background) const = 0;

  // The background's pass: the global branch's LoRA, no SAIM. noisyLatents: (N, 4, h, w); the global prompt's
  // encoderHiddenStates: (N, 77, D).
  virtual BackgroundFeatures backgroundFeatures(const at::Tensor& noisyLatents, const at::Tensor& timesteps,
                                                const at::Tensor& encoderHiddenStates) const = 0;

  // From now on forward() adds what the anomaly branch's last maps->pairs() rows look at (the conditional half of
  // guidance); null ends it. `maps` must outlive that.
  virtual void recordAttention(AttentionMaps* maps) { attentionMaps_ = maps; }

  // From now on forward() keeps in `inner` what the inner levels make, and takes it from there where that says so; null
  // ends it. Both must outlive that.
  virtual void shareInnerFeatures(model::InnerFeatures* inner) { inner_ = inner; }

 protected:
  model::InnerFeatures* inner_ = nullptr;
  AttentionMaps* attentionMaps_ = nullptr;
};

// The fastest that samples with a folded adapter on the UNet's device. Both must outlive it.
std::unique_ptr<PairModel> makeSamplingModel(const model::Unet& unet, const FoldedAdapter& adapter);

}  // namespace dan::dual
