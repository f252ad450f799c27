// FoldedUnet on CUDA: the prediction for each set of shapes is recorded once as a graph and replayed as a whole, which
// saves the launches of some two thousand kernels a step.
#pragma once

#include <map>
#include <string>

#include "core/accelerator.h"
#include "dual/folded_unet.h"

namespace dan::dual {

class GraphedUnet : public PairModel {
 public:
  // All must outlive this object. `services` are the device's; any that run captured work again will do.
  GraphedUnet(const model::Unet& unet, const FoldedAdapter& adapter, DeviceServices& services)
      : plain_(unet, adapter), device_(unet.device()), services_(services) {}

  // With extras, which no graph has, it runs as FoldedUnet.
  at::Tensor forward(const at::Tensor& noisyLatents, const at::Tensor& timesteps, const at::Tensor& encoderHiddenStates,
                     const BackgroundFeatures* background) const override;
  BackgroundFeatures backgroundFeatures(const at::Tensor& noisyLatents, const at::Tensor& timesteps,
                                        const at::Tensor& encoderHiddenStates) const override {
    return plain_.backgroundFeatures(noisyLatents, timesteps, encoderHiddenStates);
  }

 private:
  // A graph with the memory that it reads and writes.
  struct Recorded {
    at::Tensor latents, timesteps, prediction;
    BackgroundFeatures background;
    std::unique_ptr<CapturedGraph> graph;
  };
  std::unique_ptr<Recorded> record(const at::Tensor& noisyLatents, const at::Tensor& timesteps,
                                   const FoldedUnet::Prompt& prompt, const BackgroundFeatures* background) const;

  mutable FoldedUnet plain_;  // forward() lends it the extras
  at::Device device_;
  DeviceServices& services_;
  // By the shape and precision of each tensor that a call reads.
  mutable std::map<std::string, std::unique_ptr<Recorded>> recorded_;
};

}  // namespace dan::dual
