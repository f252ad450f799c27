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

  // While one lives, forward() does more than predict. With `maps` it adds to them what the anomaly branch's last
  // maps->pairs() rows look at (the conditional half of guidance). With `inner` it keeps there what the inner levels
  // make, and takes it from there where that says so. Either may be null; both must outlive this.
  class Extras {
   public:
    Extras(PairModel& model, AttentionMaps* maps, model::InnerFeatures* inner) : model_(model) {
      model_.use(maps, inner);
    }
    ~Extras() { model_.use(nullptr, nullptr); }
    Extras(const Extras&) = delete;
    Extras& operator=(const Extras&) = delete;

   private:
    PairModel& model_;
  };

 protected:
  void use(AttentionMaps* maps, model::InnerFeatures* inner) {
    attentionMaps_ = maps;
    inner_ = inner;
  }

  model::InnerFeatures* inner_ = nullptr;
  AttentionMaps* attentionMaps_ = nullptr;
};

// The fastest that samples with a folded adapter on the UNet's device. Both must outlive it.
std::unique_ptr<PairModel> makeSamplingModel(const model::Unet& unet, const FoldedAdapter& adapter);

}  // namespace dan::dual
