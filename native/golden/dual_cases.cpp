// This file handles the kinds dual_attention, dual_loss_grad, dual_inpaint_grad and sample.
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <set>

#include "dual/folded_unet.h"
#include "golden/shared_models.h"
#include "sample/denoise.h"
#include "train/pair_loss.h"

namespace dan::golden {

namespace {

const nn::AttentionLayer& layerNamed(const model::Unet& unet, const std::string& name) {
  for (const nn::AttentionLayer* layer : unet.attentionLayers()) {
    if (layer->name == name) return *layer;
  }
  throw std::runtime_error("the UNet has no attention layer " + name);
}

void runDualAttention(Case& test) {
  const at::NoGradGuard noGrad;
  const auto adapter = adapterOf(test);
  const model::Unet& unet = *baseOf(test).unet;
  const nn::AttentionLayer& layer = layerNamed(unet, test.params().at("layer"));
  const dual::DualUnet dualUnet(unet, *adapter);
  const at::Tensor context = layer.isSelfAttention ? at::Tensor() : test.input("encoder_hidden_states");
  const at::Tensor background = test.hasInput("background") ? test.input("background") : at::Tensor();
  const at::Tensor attended = dualUnet.attend(layer, test.input("hidden_states"), context, background);
  const at::Tensor added = dualUnet.interact(layer, attended);
  test.expect("attention_out", attended);
  // (b f) d c -> (b d) f c
  test.expect("saim_out_bd_f_c", dual::unpackBranches(added).transpose(1, 2).flatten(0, 1));
  test.expect("output", attended + added);
}

// Converts "unet.layers.<i>.…" and "text_encoder.layers.<i>.…" of the published code to our names.
std::string ownParameterName(const std::string& name, const model::Unet& unet) {
  const std::string prefix = "unet.layers.";
  if (name.rfind(prefix, 0) != 0) return dual::fromPublishedName(name);
  const size_t dot = name.find('.', prefix.size());
  const auto index = std::stoul(name.substr(prefix.size(), dot - prefix.size()));
  return dual::fromPublishedName("unet." + unet.attentionLayers().at(index)->name + name.substr(dot));
}

void checkGradients(Case& test, const TensorMap& parameters, const model::Unet& unet) {
  const auto gradientOf = [&](const std::string& name) {
    const auto found = parameters.find(ownParameterName(name, unet));
    if (found == parameters.end()) throw std::runtime_error("there is no parameter for " + name);
    const at::Tensor gradient = found->second.grad();
    if (!gradient.defined()) throw std::runtime_error(name + " has no gradient");
    return gradient;
  };
  for (const std::string& output : test.outputs()) {
    if (output.rfind("grad/", 0) == 0) test.expect(output, gradientOf(output.substr(5)));
  }
  std::set<std::string> known;
  for (const auto& [name, numbers] : test.params().at("grad_norm_and_sum").items()) {
    const at::Tensor gradient = gradientOf(name).to(at::kDouble);
    const double norm = numbers[0].get<double>();
    test.expectNumber("|grad " + name + "|", gradient.norm().item<double>(), norm, 1e-7, 2e-3);
    // The terms of a sum may cancel, so its tolerance follows from the norm.
    const double slack = 2e-3 * norm * std::sqrt(static_cast<double>(gradient.numel())) + 1e-7;
    test.expectNumber("sum grad " + name, gradient.sum().item<double>(), numbers[1].get<double>(), slack, 0);
    known.insert(ownParameterName(name, unet));
  }
  for (const auto& [name, tensor] : parameters) {
    if (tensor.grad().defined() && known.count(name) == 0) test.fail(name + " has a gradient that nobody expects");
  }
  for (const auto& name : test.params().value("grad_none", nlohmann::json::array())) {
    const auto found = parameters.find(ownParameterName(name, unet));
    if (found != parameters.end() && found->second.grad().defined())
      test.fail(name.get<std::string>() + " has a gradient");
  }
}

// The cases of an inpainting base also have its condition, and they may have weights.
void runDualLossGrad(Case& test) {
  const model::BaseModel& base = baseOf(test);
  const auto adapter = adapterOf(test);
  adapter->requireGradients();
  const at::Tensor latents = test.input("latents").flatten(0, 1), noise = test.input("noise").flatten(0, 1);
  const at::Tensor timesteps = test.input("timesteps");
  const int64_t pairs = timesteps.size(0);
  const at::Tensor encoded =
      base.textEncoder
          ->forward(base.tokenize(test.params().at("prompts").get<std::vector<std::string>>()), adapter->textHook())
          .repeat({pairs, 1, 1});
  diffusion::ScheduleConfig config = base.schedule;
  config.predictionType = test.params().at("prediction_type") == "epsilon" ? diffusion::PredictionType::kEpsilon
                                                                           : diffusion::PredictionType::kVPrediction;
  const diffusion::NoiseSchedule schedule(config);
  const dual::DualUnet unet(*base.unet, *adapter);
  dual::BackgroundFeatures features;
  if (test.hasInput("background_latents")) {
    const at::Tensor noisy =
        schedule.addNoise(test.input("background_latents"), test.input("background_noise"), timesteps);
    features = unet.backgroundFeatures(noisy, timesteps, dual::unpackBranches(encoded).select(1, dual::kGlobal));
  }
  train::PairLossOptions options;
  if (!features.empty()) options.background = &features;
  if (test.hasInput("mask")) {
    options.condition = {test.input("mask").flatten(0, 1), test.input("masked_latents").flatten(0, 1)};
  }
  if (test.hasInput("loss_weights")) options.weights = test.input("loss_weights").flatten(0, 1);
  const train::PairLoss result = train::pairLoss(unet, schedule, latents, noise, timesteps, encoded, options);
  result.loss.backward();
  for (const std::string& output : test.outputs()) {
    const std::string prefix = "background_features.";
    if (output.rfind(prefix, 0) != 0) continue;
    const std::string layer = output.substr(prefix.size(), output.rfind(".processor") - prefix.size());
    test.expect(output, features.at(layer));
  }
  test.expect("noisy", result.noisy);
  test.expect("noise_pred", result.prediction);
  test.expect("loss", result.loss);
  checkGradients(test, adapter->parameters(), *base.unet);
}

void runSample(Case& test) {
  const at::NoGradGuard noGrad;
  const auto& params = test.params();
  const model::BaseModel& base = baseOf(test);
  const auto adapter = adapterOf(test);
  const dual::DualUnet unet(*base.unet, *adapter);
  const double guidance = params.at("guidance_scale");
  std::string name = params.at("scheduler");
  for (char& c : name) c = static_cast<char>(std::tolower(c));

  const at::Tensor initial = test.input("initial_latents");
  const int64_t pairs = initial.size(0) / dual::kNumBranches;
  const auto encode = [&](const std::vector<std::string>& prompts) {
    return base.textEncoder->forward(base.tokenize(prompts), adapter->textHook()).repeat({pairs, 1, 1});
  };
  sample::DenoiseInputs inputs;
  inputs.initialLatents = initial;
  inputs.guidanceScale = guidance;
  const std::string negative = params.value("negative_prompt", "");
  inputs.encoderHiddenStates = encode(params.at("prompts"));
  if (guidance > 1) inputs.encoderHiddenStates = at::cat({encode({negative, negative}), inputs.encoderHiddenStates});
  const diffusion::NoiseSchedule schedule(base.schedule);
  std::unique_ptr<sample::BackgroundPass> pass;
  if (test.hasInput("background_latents_uncond_cond")) {
    const int64_t rows = test.input("background_latents_uncond_cond").size(0);
    sample::BackgroundInputs passes;
    for (int64_t row = 0; row < rows; ++row) passes.ofPair.push_back(row);
    passes.noisy = [&](size_t call, double timestep) {
      const at::Tensor background = test.input("background_latents_uncond_cond");
      const at::Tensor t = at::full({background.size(0)}, static_cast<int64_t>(timestep), at::kLong);
      return schedule.addNoise(background, test.input("background_noise")[static_cast<int64_t>(call)], t);
    };
    pass = std::make_unique<sample::BackgroundPass>(passes, inputs.encoderHiddenStates);
    inputs.background = pass.get();
  }
  const dual::FoldedAdapter folded(*base.unet, *adapter);
  const dual::FoldedUnet fastUnet(*base.unet, folded);
  for (const dual::PairModel* model :
       {static_cast<const dual::PairModel*>(&unet), static_cast<const dual::PairModel*>(&fastUnet)}) {
    std::vector<at::Tensor> trajectory;
    inputs.onStep = [&](size_t, size_t, const at::Tensor& latents) { trajectory.push_back(latents); };
    const auto scheduler = diffusion::makeScheduler(name, base.schedule, params.at("num_inference_steps"));
    const at::Tensor latents = sample::denoise(*model, *scheduler, inputs, Task());
    test.expect("latents", at::stack(trajectory));
    test.expect("images", base.vae->decode(latents / base.vae->config().scalingFactor));
  }
}

}  // namespace

void addDualHandlers(Handlers& handlers) {
  handlers["dual_attention"] = {runDualAttention, kOnDevice};
  handlers["dual_loss_grad"] = {runDualLossGrad, kOnDevice};
  handlers["dual_inpaint_grad"] = {runDualLossGrad, kOnDevice};
  handlers["sample"] = {runSample, kOnDevice};
}

}  // namespace dan::golden
