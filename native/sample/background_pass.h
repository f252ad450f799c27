// The background has its own pass (BCM) in every call of a batch. Pairs with the same background share its pass. If its
// noise is fixed, its features are the same in later batches and can be kept for them.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "dual/pair_model.h"

namespace dan::sample {

// This is the memory that keeps features for later batches, if any does. For Stable Diffusion at 512 pixels the
// features of one background and call take 46 MB in float32.
enum class KeepFeatures { kNo, kDevice, kHost };
// Reads "no", "device" or "host". Throws ERR_INVALID_OPTION for anything else.
KeepFeatures parseKeepFeatures(const std::string& name);

// The store holds the features of each background, by its number and the timestep, as one row.
class FeatureStore {
 public:
  explicit FeatureStore(KeepFeatures where) : where_(where) {}
  // Drops the features of other backgrounds, and those that another `maker` (a model and its prompts) computed.
  void begin(const std::string& maker, const std::vector<int64_t>& backgrounds);
  bool has(int64_t background, double timestep) const { return kept_.count({background, timestep}) > 0; }
  void keep(int64_t background, double timestep, const dual::BackgroundFeatures& features);
  // Returns the features on the device that computed them.
  dual::BackgroundFeatures take(int64_t background, double timestep) const;

 private:
  struct Kept {
    at::Device device;
    dual::BackgroundFeatures features;
  };
  KeepFeatures where_;
  std::string maker_;
  std::map<std::pair<int64_t, double>, Kept> kept_;
};

struct BackgroundInputs {
  // Returns the UNet's input for a call's K backgrounds: their noised latents, (K, 4, h, w), and for an inpainting base
  // its condition.
  std::function<at::Tensor(size_t call, double timestep)> noisy;
  // This is the background of each pair in the batch: B numbers, or with guidance 2 * B, unconditional half first.
  std::vector<int64_t> ofPair;
  // If `store` is not null, it keeps the features of the K backgrounds under these numbers.
  FeatureStore* store = nullptr;
  std::vector<int64_t> numbers;
};

class BackgroundPass {
 public:
  // `encoderHiddenStates` belong to the batch, (rows, 77, D). Each background's pass has the global prompt of the first
  // pair with this background.
  BackgroundPass(BackgroundInputs inputs, const at::Tensor& encoderHiddenStates);

  // Returns the features for PairModel::forward, one row for each pair, or with `halved` for the conditional half only.
  // With `reuse` it returns the features of the previous call.
  dual::BackgroundFeatures features(const dual::PairModel& unet, size_t call, double timestep, bool halved,
                                    bool reuse = false);

 private:
  dual::BackgroundFeatures compute(const dual::PairModel& unet, const at::Tensor& noisy, const at::Tensor& context,
                                   double timestep) const;
  dual::BackgroundFeatures fromStore(const dual::PairModel& unet, const at::Tensor& noisy, double timestep);

  BackgroundInputs inputs_;
  at::Tensor context_;                     // (K, 77, D)
  at::Tensor pairRows_, conditionalRows_;  // the pairs' rows among the K backgrounds
  dual::BackgroundFeatures last_;          // (K, L, C) each
};

}  // namespace dan::sample
