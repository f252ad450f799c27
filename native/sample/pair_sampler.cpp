#include "sample/pair_sampler.h"

#include <ATen/core/grad_mode.h>

#include "core/error.h"
#include "dual/adapter_metadata.h"
#include "sample/blank_condition.h"

namespace dan::sample {

PairSampler::PairSampler(std::shared_ptr<model::BaseModel> base, dual::AdapterFile adapter)
    : base_(std::move(base)),
      isOneBranch_(dual::isOfOneBranch(adapter.metadata)),
      hasScaledBackgrounds_(dual::hasScaledBackgrounds(adapter.metadata)),
      partFill_(dual::partFillOf(adapter.metadata)) {
  const model::BaseModel& model = *base_;
  dual::expectBase(adapter, model);
  latentMeans_ = dual::latentMeansOf(adapter.metadata, model.vae->config().latentChannels, adapter.source);
  adapter_ = std::make_unique<dual::Adapter>(std::move(adapter.tensors), adapter.settings, *model.unet,
                                             model.textEncoder->config(), adapter.source);
  // Memory never has both forms of all layers if nobody else holds the adapter. The text encoder's LoRA stays.
  const auto release = [this](const std::string& layer) { adapter_->releaseLayer(layer); };
  folded_ = std::make_unique<dual::FoldedAdapter>(*model.unet, *adapter_, release);
  unet_ = dual::makeSamplingModel(*model.unet, *folded_);
}

PairSource PairSampler::source(const Backgrounds* backgrounds) const {
  return {*base_, *adapter_, *unet_, backgrounds, latentMeans_, isOneBranch_, partFill_};
}

at::Tensor PairSampler::textStates(const std::vector<std::string>& prompts) const {
  const at::NoGradGuard noGrad;
  const at::Tensor states =
      base_->textEncoder->forward(base_->tokenize(prompts), adapter_->textHook()).to(at::kFloat).cpu();
  expectFinite(states, "The text encoder");
  return states;
}

at::Tensor PairSampler::predict(const at::Tensor& latents, const at::Tensor& timesteps,
                                const at::Tensor& textStates) const {
  const int64_t channels = base_->vae->config().latentChannels, tokens = base_->textEncoder->config().maxLength;
  const int64_t width = base_->unet->config().crossAttentionDim;
  const bool fits = latents.dim() == 4 && latents.size(0) % dual::kNumBranches == 0 && latents.size(1) == channels &&
                    timesteps.dim() == 1 && timesteps.size(0) == latents.size(0) && textStates.dim() == 3 &&
                    textStates.sizes() == at::IntArrayRef({latents.size(0), tokens, width});
  if (!fits) {
    fail(kInvalidOption, "Expected latents (2 N, ", channels, ", h, w), timesteps (2 N) and text states (2 N, ", tokens,
         ", ", width, ") but received ", latents.sizes(), ", ", timesteps.sizes(), " and ", textStates.sizes());
  }
  const at::Device device = base_->device();
  const int64_t downscale = base_->vae->config().downscale();
  const model::InpaintCondition condition =
      blankPairCondition(*base_, partFill_, downscale * latents.size(2), downscale * latents.size(3),
                         latents.size(0) / dual::kNumBranches);
  const at::Tensor input = condition.appendTo(latents.to(device));
  const at::Tensor prediction =
      unet_->forward(input, timesteps.to(device), textStates.to(device), nullptr).to(at::kFloat).cpu();
  expectFinite(prediction, "The UNet");
  return prediction;
}

}  // namespace dan::sample
