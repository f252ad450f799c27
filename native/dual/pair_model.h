// A pair model predicts the noise of pairs. DualUnet is for training, FoldedUnet for sampling, and GraphedUnet for
// sampling on CUDA.
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

  // noisyLatents: (N * 2, 4, h, w), or 9 channels for an inpainting UNet (InpaintCondition::appendTo); timesteps: (N *
  // 2); encoderHiddenStates: (N * 2, 77, D); branch.h defines the order of rows. `background` may be null; else it
  // holds N rows. Returns the prediction, (N * 2, 4, h, w).
  virtual at::Tensor forward(const at::Tensor& noisyLatents, const at::Tensor& timesteps,
                             const at::Tensor& encoderHiddenStates, const BackgroundFeatures* background) const = 0;

  // Runs the background's pass with the global branch's LoRA and without SAIM. noisyLatents: (N, 4 or 9, h, w);
  // encoderHiddenStates: (N, 77, D), those of the global prompt.
  virtual BackgroundFeatures backgroundFeatures(const at::Tensor& noisyLatents, const at::Tensor& timesteps,
                                                const at::Tensor& encoderHiddenStates) const = 0;

  // While an Extras object lives, forward() does more than predict. It adds to `maps` the attention of the anomaly
  // branch's last maps->pairs() rows (the conditional half of guidance). It stores the output of the inner levels in
  // `inner`, or reuses it if `inner->reuse` is set. Either may be null; both must outlive this object.
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

// Returns the fastest model for sampling with a folded adapter on the UNet's device. Both must outlive it.
std::unique_ptr<PairModel> makeSamplingModel(const model::Unet& unet, const FoldedAdapter& adapter);

}  // namespace dan::dual
