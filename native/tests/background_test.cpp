#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/function.h>

#include <cmath>
#include <set>

#include "dual/adapter_file.h"
#include "dual/dual_unet.h"
#include "dual/folded_unet.h"
#include "model/base_model.h"
#include "nn/gradient_checkpoint.h"
#include "sample/denoise.h"
#include "tests/test.h"
#include "train/adamw.h"
#include "train/pair_trainer.h"

namespace dan::tests {

namespace {

const model::BaseModel& backgroundBase() {
  static const auto base = model::loadBaseModel(fixture("tiny-sd"), at::kCPU, at::kFloat);
  return *base;
}

std::unique_ptr<dual::Adapter> adapterFrom(const std::string& path, dual::BackgroundMode form) {
  const auto file = dual::readAdapterFile(fixture(path), form);
  return std::make_unique<dual::Adapter>(file.tensors, file.settings, *backgroundBase().unet,
                                         backgroundBase().textEncoder->config(), path);
}

constexpr const char* kBcmCheckpoint = "golden/bcm-checkpoint/pytorch_lora_weights.safetensors";

train::PairLoss trainingLoss(const dual::Adapter& adapter) {
  const auto& t = fixtureTensors("golden/bcm.safetensors");
  const auto& base = backgroundBase();
  const diffusion::NoiseSchedule schedule(base.schedule);
  const dual::DualUnet unet(*base.unet, adapter);
  const at::Tensor encoded =
      base.textEncoder->forward(base.tokenize({"a vfx with sks", "sks"}), adapter.textHook()).repeat({2, 1, 1});
  const at::Tensor timesteps = t.at("train.timesteps");
  const at::Tensor noisy = schedule.addNoise(t.at("train.cond_lat"), t.at("train.cond_noise"), timesteps);
  const auto features =
      unet.backgroundFeatures(noisy, timesteps, dual::unpackBranches(encoded).select(1, dual::kGlobal));
  return train::pairLoss(unet, schedule, dual::packBranches(t.at("train.latent_blend"), t.at("train.latent_fg")),
                         dual::packBranches(t.at("train.noise_blend"), t.at("train.noise_fg")), timesteps, encoded,
                         {&features, {}, {}});
}

// Compares the gradient norms. Parameters that the published code owns but never reads have no gradient.
void expectGradients(const dual::Adapter& adapter, const nlohmann::json& expected) {
  const auto unread = fixtureJson("golden/bcm.json").at("train").at("params_with_no_grad").get<std::set<std::string>>();
  size_t compared = 0;
  for (const auto& [name, numbers] : expected.items()) {
    if (unread.count(name) > 0) continue;
    const at::Tensor gradient = adapter.parameters().at(dual::fromPublishedName(name)).grad();
    const double norm = numbers.at("norm");
    EXPECT(std::abs(gradient.norm().item<double>() - norm) <= 1e-3 * norm + 1e-7);
    ++compared;
  }
  EXPECT(compared > 100);
}

// Counts the nodes of the graph behind a loss.
int64_t countNodes(const at::Tensor& loss) {
  std::set<torch::autograd::Node*> seen;
  std::vector<torch::autograd::Node*> next = {loss.grad_fn().get()};
  while (!next.empty()) {
    torch::autograd::Node* node = next.back();
    next.pop_back();
    if (node == nullptr || !seen.insert(node).second) continue;
    for (const auto& edge : node->next_edges()) next.push_back(edge.function.get());
  }
  return static_cast<int64_t>(seen.size());
}

}  // namespace

DAN_TEST(background_compensation_trains_as_published_in_both_forms) {
  const auto& t = fixtureTensors("golden/bcm.safetensors");
  const auto json = fixtureJson("golden/bcm.json");
  // The background latents come from pixels and are not scaled.
  {
    const at::NoGradGuard noGrad;
    const auto posterior = backgroundBase().vae->encode(t.at("train.cond_pixel"));
    expectClose(posterior.sample(t.at("train.posterior_eps_cond")), t.at("train.cond_lat"), 5e-3, 1e-5,
                "the background");
  }
  for (const bool checkpointed : {false, true}) {
    const nn::GradientCheckpointing checkpointing(checkpointed);
    const auto lerp = adapterFrom(kBcmCheckpoint, dual::BackgroundMode::kInterpolate);
    lerp->requireGradients();
    const auto first = trainingLoss(*lerp);
    expectClose(first.prediction, t.at("train.model_pred"), 2e-5, 1e-5, "prediction");
    expectClose(first.loss, t.at("train.loss"), 0, 1e-5, "loss");
    first.loss.backward();
    expectGradients(*lerp, json.at("train").at("grads"));

    const auto add = adapterFrom(kBcmCheckpoint, dual::BackgroundMode::kAdd);
    add->requireGradients();
    const auto additive = trainingLoss(*add);
    expectClose(additive.prediction, t.at("additive.train.model_pred"), 2e-5, 1e-5, "prediction of the paper's form");
    additive.loss.backward();
    expectGradients(*add, json.at("additive").at("grads"));
  }
}

// The activations of every sublayer are freed after the forward pass, including those of its linear layers.
DAN_TEST(checkpointed_gradients_are_those_of_all_at_once_and_keep_less) {
  const auto gradients = [](bool checkpointed, int64_t& kept) {
    const nn::GradientCheckpointing checkpointing(checkpointed);
    const auto adapter = adapterFrom(kBcmCheckpoint, dual::BackgroundMode::kAdd);
    adapter->requireGradients();
    const at::Tensor loss = trainingLoss(*adapter).loss;
    kept = countNodes(loss);
    loss.backward();
    TensorMap found;
    for (const auto& [name, parameter] : adapter->parameters()) found[name] = parameter.grad();
    return found;
  };
  int64_t allNodes = 0, keptNodes = 0;
  const TensorMap expected = gradients(false, allNodes), actual = gradients(true, keptNodes);
  for (const auto& [name, gradient] : expected) {
    EXPECT(gradient.defined() == actual.at(name).defined());
    if (gradient.defined()) expectClose(actual.at(name), gradient, 1e-6, 1e-5, name);
  }
  EXPECT(keptNodes < allNodes / 3);
}

DAN_TEST(three_updates_with_a_background_follow_the_published_code) {
  const auto json = fixtureJson("golden/bcm.json").at("adamw");
  const auto adapter = adapterFrom(kBcmCheckpoint, dual::BackgroundMode::kInterpolate);
  adapter->requireGradients();
  train::AdamW optimizer(adapter->parameters(),
                         {0.9, 0.999, json.at("weight_decay"), json.at("eps"), json.at("clip_norm")});
  const auto losses = json.at("losses_before_each_step_and_after_last").get<std::vector<double>>();
  const auto norms = json.at("grad_norms_before_clip").get<std::vector<double>>();
  EXPECT(norms.size() == 3);
  for (size_t i = 0; i < losses.size(); ++i) {
    const at::Tensor loss = trainingLoss(*adapter).loss;
    EXPECT(std::abs(loss.item<double>() - losses[i]) <= 2e-5 * losses[i]);
    if (i == norms.size()) break;
    loss.backward();
    EXPECT(std::abs(optimizer.step(json.at("lr")) - norms[i]) <= 1e-3 * norms[i]);
  }
}

// Runs the published pipelines from their noise to the last latents, on both forms of the UNet.
DAN_TEST(sampling_follows_the_published_pipelines) {
  const at::NoGradGuard noGrad;
  const auto& base = backgroundBase();
  const diffusion::NoiseSchedule schedule(base.schedule);
  for (const std::string name : {"dual_pndm10_g1.0_nocfg_8x8", "dual_pndm10_g2.5_batch2_neg_8x8",
                                 "dual_ddim10_g2.5_8x8", "bcm_pndm10_g2.5_batch2_8x8", "bcm_ddim10_g2.5_16x16"}) {
    const bool hasBackground = name.rfind("bcm", 0) == 0;
    const auto& t = fixtureTensors("golden/sampling/" + name + ".safetensors");
    const auto runs = fixtureJson(hasBackground ? "golden/sampling/bcm.json" : "golden/sampling/dual.json").at("runs");
    const auto run = runs.at(name.substr(name.find('_') + 1));
    const auto adapter = adapterFrom(hasBackground ? kBcmCheckpoint : "golden/dual-checkpoint/pytorch_lora_weights.bin",
                                     dual::BackgroundMode::kInterpolate);
    sample::DenoiseInputs inputs;
    inputs.initialLatents = t.at("initial_latents");
    inputs.encoderHiddenStates = t.at("encoder_hidden_states");
    inputs.guidanceScale = run.at("guidance_scale");
    std::unique_ptr<sample::BackgroundPass> background;
    if (hasBackground) {
      sample::BackgroundInputs passes;
      for (int64_t row = 0; row < t.at("cond.cond_lat").size(0); ++row) passes.ofPair.push_back(row);
      passes.noisy = [&](size_t call, double timestep) {
        const at::Tensor latents = t.at("cond.cond_lat");
        return schedule.addNoise(latents, t.at("bg_noise")[static_cast<int64_t>(call)],
                                 at::full({latents.size(0)}, static_cast<int64_t>(timestep), at::kLong));
      };
      background = std::make_unique<sample::BackgroundPass>(passes, inputs.encoderHiddenStates);
      inputs.background = background.get();
    }
    const dual::DualUnet plain(*base.unet, *adapter);
    const dual::FoldedAdapter folded(*base.unet, *adapter);
    const dual::FoldedUnet fast(*base.unet, folded);
    for (const dual::PairModel* unet :
         {static_cast<const dual::PairModel*>(&plain), static_cast<const dual::PairModel*>(&fast)}) {
      const auto scheduler = diffusion::makeScheduler(run.at("scheduler"), base.schedule, run.at("steps"));
      expectClose(sample::denoise(*unet, *scheduler, inputs, Task()) / base.vae->config().scalingFactor,
                  t.at("vae_decode_input"), 3e-3, 1e-5, name);
    }
  }
}

}  // namespace dan::tests
