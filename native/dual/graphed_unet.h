// FoldedUnet on CUDA: each shape's prediction is recorded once as a graph and replayed as a whole, which saves the
// launches of some two thousand kernels a step.
#pragma once

#include <map>
#include <vector>

#include "core/accelerator.h"
#include "dual/folded_unet.h"

namespace dan::dual {

class GraphedUnet : public PairModel {
 public:
  // All must outlive this object. `services` are the device's; any that run captured work again will do.
  GraphedUnet(const model::Unet& unet, const FoldedAdapter& adapter, DeviceServices& services)
      : plain_(unet, adapter), device_(unet.device()), services_(services) {}

  // While attention is recorded or inner features are shared, which no graph does, it runs as FoldedUnet.
  at::Tensor forward(const at::Tensor& noisyLatents, const at::Tensor& timesteps, const at::Tensor& encoderHiddenStates,
                     const BackgroundFeatures* background) const override;
  BackgroundFeatures backgroundFeatures(const at::Tensor& noisyLatents, const at::Tensor& timesteps,
                                        const at::Tensor& encoderHiddenStates) const override {
    return plain_.backgroundFeatures(noisyLatents, timesteps, encoderHiddenStates);
  }
  void recordAttention(AttentionMaps* maps) override {
    PairModel::recordAttention(maps);
    plain_.recordAttention(maps);
  }
  void shareInnerFeatures(model::InnerFeatures* inner) override {
    PairModel::shareInnerFeatures(inner);
    plain_.shareInnerFeatures(inner);
  }

 private:
  // A graph with the memory that it reads and writes.
  struct Recorded {
    at::Tensor latents, timesteps, prediction;
    BackgroundFeatures background;
    std::unique_ptr<CapturedGraph> graph;
  };
  std::unique_ptr<Recorded> record(const at::Tensor& noisyLatents, const at::Tensor& timesteps,
                                   const BackgroundFeatures* background) const;

  FoldedUnet plain_;
  at::Device device_;
  DeviceServices& services_;
  // By the latents' shape, and 1 with a background.
  mutable std::map<std::vector<int64_t>, std::unique_ptr<Recorded>> recorded_;
};

}  // namespace dan::dual
