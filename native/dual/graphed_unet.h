// GraphedUnet is FoldedUnet on CUDA. It records the prediction for each set of shapes as a graph and replays it as a
// whole, which saves launching some two thousand kernels per step.
#pragma once

#include <map>
#include <string>

#include "core/accelerator.h"
#include "dual/folded_unet.h"

namespace dan::dual {

class GraphedUnet : public PairModel {
 public:
  // All must outlive this object. `services` belong to the device; any implementation that can replay captured work is
  // suitable.
  GraphedUnet(const model::Unet& unet, const FoldedAdapter& adapter, DeviceServices& services)
      : plain_(unet, adapter), device_(unet.device()), services_(services) {}

  // Graphs do not support extras, so with extras it runs as FoldedUnet.
  at::Tensor forward(const at::Tensor& noisyLatents, const at::Tensor& timesteps, const at::Tensor& encoderHiddenStates,
                     const BackgroundFeatures* background) const override;
  BackgroundFeatures backgroundFeatures(const at::Tensor& noisyLatents, const at::Tensor& timesteps,
                                        const at::Tensor& encoderHiddenStates) const override {
    return plain_.backgroundFeatures(noisyLatents, timesteps, encoderHiddenStates);
  }

 private:
  // A graph comes with the memory that it reads and writes.
  struct Recorded {
    at::Tensor latents, timesteps, prediction;
    BackgroundFeatures background;
    std::unique_ptr<CapturedGraph> graph;
  };
  std::unique_ptr<Recorded> record(const at::Tensor& noisyLatents, const at::Tensor& timesteps,
                                   const FoldedUnet::Prompt& prompt, const BackgroundFeatures* background) const;

  mutable FoldedUnet plain_;  // forward() passes the extras on to it.
  at::Device device_;
  DeviceServices& services_;
  // The key is the shape and precision of each tensor that a call reads.
  mutable std::map<std::string, std::unique_ptr<Recorded>> recorded_;
};

}  // namespace dan::dual
