// A sampler holds a base with a folded adapter and draws pairs from it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dual/adapter_file.h"
#include "dual/folded_adapter.h"
#include "sample/pair_batch.h"

namespace dan::sample {

class PairSampler {
 public:
  // Throws ERR_ADAPTER_MISMATCH if the adapter belongs to another base, and ERR_WEIGHTS_INVALID if its settings do not
  // fit its tensors. If nobody else holds the adapter's tensors, each is freed as soon as it is folded.
  PairSampler(std::shared_ptr<model::BaseModel> base, dual::AdapterFile adapter);

  const std::shared_ptr<model::BaseModel>& base() const { return base_; }
  // Returns the source of batches. It is valid as long as this object and `backgrounds` live.
  PairSource source(const Backgrounds* backgrounds = nullptr) const;

  // Returns true if the adapter was trained with backgrounds whose latents were scaled.
  bool hasScaledBackgrounds() const { return hasScaledBackgrounds_; }

  // Encodes prompts with the adapter's part of the text encoder: (N, 77, D) float32 on the CPU. Throws ERR_NON_FINITE.
  at::Tensor textStates(const std::vector<std::string>& prompts) const;
  // Makes one call of the UNet, float32 on the CPU. latents: (2 N, 4, h, w); timesteps: (2 N); textStates: (2 N, 77,
  // D); rows are (pair, branch). Throws ERR_INVALID_OPTION if the shapes do not fit, and ERR_NON_FINITE.
  at::Tensor predict(const at::Tensor& latents, const at::Tensor& timesteps, const at::Tensor& textStates) const;

 private:
  std::shared_ptr<model::BaseModel> base_;
  std::unique_ptr<dual::Adapter> adapter_;
  std::unique_ptr<dual::FoldedAdapter> folded_;
  std::unique_ptr<dual::PairModel> unet_;
  at::Tensor latentMeans_;
  bool isOneBranch_, hasScaledBackgrounds_;
  PartFill partFill_;
};

}  // namespace dan::sample
