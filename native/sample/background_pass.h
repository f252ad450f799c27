// The background's own pass (BCM) in every call of a batch. Pairs that show the same background share its pass; where
// its noise is fixed its features are the same in later batches, too, and can be kept for them.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "dual/pair_model.h"

namespace dan::sample {

// Whether features are kept for later batches, and where. For Stable Diffusion at 512 pixels those of one background
// and call take 46 MB in float32.
enum class KeepFeatures { kNo, kDevice, kHost };
// Reads "no", "device" or "host". Throws ERR_INVALID_OPTION for anything else.
KeepFeatures parseKeepFeatures(const std::string& name);

// It holds the features of backgrounds by number and timestep, each of one row.
class FeatureStore {
 public:
  explicit FeatureStore(KeepFeatures where) : where_(where) {}
  // Drops what is of other backgrounds, or was made for another `maker` (the model and the prompts).
  void begin(const std::string& maker, const std::vector<int64_t>& backgrounds);
  bool has(int64_t background, double timestep) const { return kept_.count({background, timestep}) > 0; }
  void keep(int64_t background, double timestep, const dual::BackgroundFeatures& features);
  // Returns them on the device that they came from.
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
  // Gives the noised latents of a call's K backgrounds, (K, 4, h, w).
  std::function<at::Tensor(size_t call, double timestep)> noisy;
  // Says which of them each pair of the batch has: B numbers (2 * B with guidance, unconditional half first).
  std::vector<int64_t> ofPair;
  // Features are kept in `store` where it is not null; there the K backgrounds have these numbers.
  FeatureStore* store = nullptr;
  std::vector<int64_t> numbers;
};

class BackgroundPass {
 public:
  // `encoderHiddenStates` are the batch's, (rows, 77, D). Each background's pass has the global prompt of the first
  // pair that shows it.
  BackgroundPass(BackgroundInputs inputs, const at::Tensor& encoderHiddenStates);

  // Returns what PairModel::forward takes, a row a pair: of all pairs, or with `halved` of the conditional half alone.
  // With `reuse` the features of the call before serve again.
  dual::BackgroundFeatures features(const dual::PairModel& unet, size_t call, double timestep, bool halved,
                                    bool reuse = false);

 private:
  dual::BackgroundFeatures compute(const dual::PairModel& unet, const at::Tensor& noisy, const at::Tensor& context,
                                   double timestep) const;
  dual::BackgroundFeatures fromStore(const dual::PairModel& unet, const at::Tensor& noisy, double timestep);

  BackgroundInputs inputs_;
  at::Tensor context_;                     // (K, 77, D)
  at::Tensor pairRows_, conditionalRows_;  // of the K backgrounds, by pair
  dual::BackgroundFeatures last_;          // (K, L, C) each
};

}  // namespace dan::sample
