#include "sample/background_pass.h"

#include <ATen/record_function.h>

#include <algorithm>

#include "core/error.h"
#include "dual/branch.h"

namespace dan::sample {

KeepFeatures parseKeepFeatures(const std::string& name) {
  if (name == "no") return KeepFeatures::kNo;
  if (name == "device") return KeepFeatures::kDevice;
  if (name == "host") return KeepFeatures::kHost;
  fail(kInvalidOption, "Expected no, device or host for keepBackgroundFeatures but received ", name);
}

void FeatureStore::begin(const std::string& maker, const std::vector<int64_t>& backgrounds) {
  if (maker != maker_) kept_.clear();
  maker_ = maker;
  for (auto entry = kept_.begin(); entry != kept_.end();) {
    const bool isNeeded = std::count(backgrounds.begin(), backgrounds.end(), entry->first.first) > 0;
    entry = isNeeded ? std::next(entry) : kept_.erase(entry);
  }
}

void FeatureStore::keep(int64_t background, double timestep, const dual::BackgroundFeatures& features) {
  if (where_ == KeepFeatures::kNo) return;
  Kept kept{features.begin()->second.device(), {}};
  for (const auto& [name, feature] : features) {
    at::Tensor row = where_ == KeepFeatures::kHost ? feature.cpu() : feature;
    if (row.is_same(feature)) row = feature.clone();  // A view would keep its whole batch in memory.
    if (where_ == KeepFeatures::kHost && kept.device.is_cuda())
      row = row.pin_memory();  // Copies from pinned memory are asynchronous.
    kept.features[name] = row;
  }
  kept_.insert_or_assign({background, timestep}, std::move(kept));
}

dual::BackgroundFeatures FeatureStore::take(int64_t background, double timestep) const {
  const Kept& kept = kept_.at({background, timestep});
  dual::BackgroundFeatures features;
  for (const auto& [name, row] : kept.features) features[name] = row.to(kept.device, /*non_blocking=*/true);
  return features;
}

BackgroundPass::BackgroundPass(BackgroundInputs inputs, const at::Tensor& encoderHiddenStates)
    : inputs_(std::move(inputs)) {
  const std::vector<int64_t>& ofPair = inputs_.ofPair;
  std::vector<int64_t> firstPair(static_cast<size_t>(*std::max_element(ofPair.begin(), ofPair.end())) + 1, 0);
  for (size_t pair = ofPair.size(); pair-- > 0;) {
    firstPair[static_cast<size_t>(ofPair[pair])] = static_cast<int64_t>(pair);
  }
  const auto rows = [&](const std::vector<int64_t>& numbers) {
    return at::tensor(numbers, at::kLong).to(encoderHiddenStates.device());
  };
  context_ = dual::unpackBranches(encoderHiddenStates).select(1, dual::kGlobal).index_select(0, rows(firstPair));
  pairRows_ = rows(ofPair);
  if (ofPair.size() % 2 == 0) conditionalRows_ = pairRows_.chunk(2)[1];
}

dual::BackgroundFeatures BackgroundPass::features(const dual::PairModel& unet, size_t call, double timestep,
                                                  bool halved, bool reuse) {
  if (!reuse || last_.empty()) {
    const at::Tensor noisy = inputs_.noisy(call, timestep);
    last_ = inputs_.store == nullptr ? compute(unet, noisy, context_, timestep) : fromStore(unet, noisy, timestep);
  }
  dual::BackgroundFeatures ofPairs;
  for (const auto& [name, feature] : last_) {
    ofPairs[name] = feature.index_select(0, halved ? conditionalRows_ : pairRows_);
  }
  return ofPairs;
}

dual::BackgroundFeatures BackgroundPass::compute(const dual::PairModel& unet, const at::Tensor& noisy,
                                                 const at::Tensor& context, double timestep) const {
  RECORD_USER_SCOPE("denoise: background");
  return unet.backgroundFeatures(noisy, at::full({noisy.size(0)}, timestep, noisy.options()), context);
}

dual::BackgroundFeatures BackgroundPass::fromStore(const dual::PairModel& unet, const at::Tensor& noisy,
                                                   double timestep) {
  std::vector<at::Tensor> missingNoisy, missingContext;
  std::vector<int64_t> missing;
  for (size_t i = 0; i < inputs_.numbers.size(); ++i) {
    if (inputs_.store->has(inputs_.numbers[i], timestep)) continue;
    const auto row = static_cast<int64_t>(i);
    missing.push_back(inputs_.numbers[i]);
    missingNoisy.push_back(noisy.narrow(0, row, 1));
    missingContext.push_back(context_.narrow(0, row, 1));
  }
  if (!missing.empty()) {
    const auto made = compute(unet, at::cat(missingNoisy), at::cat(missingContext), timestep);
    for (size_t i = 0; i < missing.size(); ++i) {
      dual::BackgroundFeatures row;
      for (const auto& [name, feature] : made) row[name] = feature.narrow(0, static_cast<int64_t>(i), 1);
      inputs_.store->keep(missing[i], timestep, row);
    }
  }
  std::map<std::string, std::vector<at::Tensor>> rows;
  for (const int64_t number : inputs_.numbers) {
    for (auto& [name, row] : inputs_.store->take(number, timestep)) rows[name].push_back(row);
  }
  dual::BackgroundFeatures all;
  for (const auto& [name, list] : rows) all[name] = at::cat(list);
  return all;
}

}  // namespace dan::sample
