#include <ATen/core/grad_mode.h>

#include <cmath>

#include "core/pixel_values.h"
#include "core/random.h"
#include "dual/adapter_start.h"
#include "dual/dual_unet.h"
#include "dual/folded_unet.h"
#include "model/base_model.h"
#include "tests/test.h"
#include "train/adamw.h"
#include "train/pair_trainer.h"

namespace dan::tests {

namespace {

const model::BaseModel& dualBase() {
  static const auto base = model::loadBaseModel(fixture("tiny-sd"), at::kCPU, at::kFloat);
  return *base;
}

std::unique_ptr<dual::Adapter> publishedAdapter() {
  const auto file = dual::readAdapterFile(fixture("golden/dual-checkpoint/pytorch_lora_weights.bin"));
  return std::make_unique<dual::Adapter>(file.tensors, file.settings, *dualBase().unet,
                                         dualBase().textEncoder->config(), "published");
}

// Parts are mostly blank. ATen's channels-last group norm subtracts sums of squares, which loses two digits for means
// that reach 20. diffusers runs in the contiguous layout and is within 2e-5.
constexpr double kBlankGround = 5e-4;

// This is SAIM as in the paper: softmax attention over the two branches' tokens.
at::Tensor plainSaim(const dual::Saim& saim, const at::Tensor& attended) {
  const at::Tensor tokens = saim.input(saim.norm(attended.transpose(1, 2)));  // (B, L, 2, C)
  const at::Tensor scores =
      at::matmul(saim.q(tokens), saim.k(tokens).transpose(-1, -2)) / std::sqrt(static_cast<double>(tokens.size(-1)));
  return saim.output(at::matmul(at::softmax(scores, -1), saim.v(tokens))).transpose(1, 2);
}

}  // namespace

DAN_TEST(saim_is_softmax_attention_over_two_tokens) {
  // Fewer pairs of tokens than channels use products; more use folding.
  for (const int64_t length : {7, 70}) {
    const nn::Weights weights = nn::Weights::random(makeGenerator(1), at::kDouble);
    const dual::Saim saim(weights, 24);
    const auto gradients = [&](const auto& form, const at::Tensor& input) {
      const at::Tensor x = input.clone().requires_grad_();
      for (const auto& [name, parameter] : weights.taken()) {
        at::Tensor(parameter).requires_grad_().mutable_grad() = at::Tensor();
      }
      const at::Tensor output = form(x);
      (output * at::linspace(-1, 1, output.numel(), at::kDouble).view_as(output)).sum().backward();
      std::vector<at::Tensor> results{output.detach(), x.grad()};
      for (const auto& [name, parameter] : weights.taken()) results.push_back(parameter.grad());
      return results;
    };
    const at::Tensor x = randn({3, 2, length, 24}, makeGenerator(2)).to(at::kDouble);
    const auto ours = gradients([&](const at::Tensor& input) { return saim(input); }, x);
    const auto plain = gradients([&](const at::Tensor& input) { return plainSaim(saim, input); }, x);
    EXPECT(ours.size() == plain.size() && ours.size() == 14);
    for (size_t i = 0; i < ours.size(); ++i) expectClose(ours[i], plain[i], 1e-11, 1e-9, "the output or a gradient");
  }
}

DAN_TEST(a_training_step_and_three_updates_follow_the_published_code) {
  const auto& t = fixtureTensors("golden/dual.safetensors");
  const auto json = fixtureJson("golden/dual.json");
  const auto& base = dualBase();
  const auto adapter = publishedAdapter();
  adapter->requireGradients();
  // Pixels give the posterior's mean and deviation. The latents then follow with the given noise.
  for (const char* branch : {"blend", "fg"}) {
    const at::NoGradGuard noGrad;
    const auto posterior = base.vae->encode(t.at(std::string("train.pixel_") + branch));
    expectClose(posterior.mean, t.at(std::string("train.posterior_mean_") + branch), kBlankGround, 1e-5, "mean");
    const at::Tensor latent =
        posterior.sample(t.at(std::string("train.posterior_eps_") + branch)) * base.vae->config().scalingFactor;
    expectClose(latent, t.at(std::string("train.latent_") + branch), kBlankGround, 1e-5, "latents");
  }
  expectClose(anomalyPart(t.at("train.pixel_blend"), t.at("train.mask"), PartFill::kGrey), t.at("train.pixel_fg"), 1e-6,
              0, "the part");

  const at::Tensor latents = dual::packBranches(t.at("train.latent_blend"), t.at("train.latent_fg"));
  const at::Tensor noise = dual::packBranches(t.at("train.noise_blend"), t.at("train.noise_fg"));
  const diffusion::NoiseSchedule schedule(base.schedule);
  const dual::DualUnet unet(*base.unet, *adapter);
  const auto run = [&] {
    const at::Tensor encoded =
        base.textEncoder->forward(base.tokenize({"a vfx with sks", "sks"}), adapter->textHook()).repeat({2, 1, 1});
    return train::pairLoss(unet, schedule, latents, noise, t.at("train.timesteps"), encoded);
  };
  const auto first = run();
  expectClose(first.noisy, t.at("train.noisy_model_input"), 1e-5, 1e-5, "noisy latents");
  expectClose(first.prediction, t.at("train.model_pred"), 2e-5, 1e-5, "prediction");
  first.loss.backward();
  for (const auto& [name, expected] : json.at("train").at("grads").items()) {
    const at::Tensor gradient = adapter->parameters().at(dual::fromPublishedName(name)).grad();
    const double norm = expected.at("norm");
    EXPECT(std::abs(gradient.norm().item<double>() - norm) <= 1e-3 * norm + 1e-7);
  }
  for (const auto& [name, tensor] : adapter->parameters()) at::Tensor(tensor).mutable_grad() = at::Tensor();

  const auto settings = json.at("adamw");
  train::AdamW optimizer(adapter->parameters(),
                         {0.9, 0.999, settings.at("weight_decay"), settings.at("eps"), settings.at("clip_norm")});
  const auto losses = settings.at("losses_before_each_step_and_after_last").get<std::vector<double>>();
  const auto norms = settings.at("grad_norms_before_clip").get<std::vector<double>>();
  for (size_t i = 0; i < losses.size(); ++i) {
    const at::Tensor loss = run().loss;
    EXPECT(std::abs(loss.item<double>() - losses[i]) <= 2e-5 * losses[i]);
    if (i == norms.size()) break;
    loss.backward();
    EXPECT(std::abs(optimizer.step(settings.at("lr")) - norms[i]) <= 1e-3 * norms[i]);
  }
  const std::string prefix = "adamw.after3.";
  size_t compared = 0;
  for (const auto& [name, expected] : t) {
    if (name.rfind(prefix, 0) != 0) continue;
    const at::Tensor actual = adapter->parameters().at(dual::fromPublishedName(name.substr(prefix.size())));
    // If a gradient is near zero, Adam's step is its sign: at most the learning rate per step.
    const at::Tensor error = (actual.detach() - expected).abs();
    EXPECT(error.max().item<double>() <= 3e-3);
    EXPECT(error.mean().item<double>() <= 2e-5);
    ++compared;
  }
  EXPECT(compared >= 20);
}

DAN_TEST(pairs_of_a_batch_do_not_see_each_other) {
  const at::NoGradGuard noGrad;
  const auto& t = fixtureTensors("golden/dual.safetensors");
  const auto adapter = publishedAdapter();
  const dual::DualUnet unet(*dualBase().unet, *adapter);
  // Pairs are independent: a pair alone has the same result as in a batch of two.
  const at::Tensor sample = t.at("fwd1.sample"), context = t.at("train.encoder_hidden_states");
  const at::Tensor timesteps = at::full({4}, 1, at::kLong);
  const at::Tensor both = unet.forward(sample, timesteps, context);
  expectClose(both, t.at("fwd1.out"), 2e-5, 1e-5, "the pair's forward");
  const at::Tensor second = unet.forward(sample.slice(0, 2), timesteps.slice(0, 2), context.slice(0, 2));
  expectClose(second, both.slice(0, 2), 2e-5, 1e-5, "the second pair alone");
}

DAN_TEST(a_folded_adapter_predicts_what_the_plain_one_does) {
  const at::NoGradGuard noGrad;
  const auto& base = dualBase();
  const auto& t = fixtureTensors("golden/dual.safetensors");
  const at::Tensor sample = t.at("fwd1.sample"), context = t.at("train.encoder_hidden_states");
  const at::Tensor timesteps = at::full({4}, 1, at::kLong);
  for (const auto mode : {dual::BackgroundMode::kOff, dual::BackgroundMode::kAdd, dual::BackgroundMode::kInterpolate}) {
    const dual::AdapterSettings settings{3, mode, 0.7};
    TensorMap tensors =
        dual::Adapter::initialTensors(settings, *base.unet, base.textEncoder->config(), makeGenerator(5));
    at::Generator generator = makeGenerator(6);
    for (auto& [name, tensor] : tensors) tensor = tensor + 0.1 * randn(tensor.sizes(), generator);
    const dual::Adapter adapter(tensors, settings, *base.unet, base.textEncoder->config(), "a test");
    const dual::DualUnet plain(*base.unet, adapter);
    const dual::FoldedAdapter folded(*base.unet, adapter);
    const dual::FoldedUnet fast(*base.unet, folded);
    dual::BackgroundFeatures features, fastFeatures;
    if (mode != dual::BackgroundMode::kOff) {
      const at::Tensor background = randn({2, 4, sample.size(2), sample.size(3)}, generator);
      const at::Tensor global = dual::unpackBranches(context).select(1, dual::kGlobal);
      features = plain.backgroundFeatures(background, timesteps.slice(0, 2), global);
      fastFeatures = fast.backgroundFeatures(background, timesteps.slice(0, 2), global);
    }
    const bool off = features.empty();
    const at::Tensor expected = plain.forward(sample, timesteps, context, off ? nullptr : &features);
    // The second call reuses the prompt's keys from the first.
    for (int call = 0; call < 2; ++call) {
      const at::Tensor actual = fast.forward(sample, timesteps, context, off ? nullptr : &fastFeatures);
      EXPECT(((actual - expected).norm() / expected.norm()).item<double>() < 1e-5);
    }
    // Another prompt must not get the keys of the previous one.
    const at::Tensor other = context.flip(1);
    expectClose(fast.forward(sample, timesteps, other, off ? nullptr : &fastFeatures),
                plain.forward(sample, timesteps, other, off ? nullptr : &features), 1e-4, 1e-4, "another prompt");
  }
}

DAN_TEST(an_adapter_starts_from_another_of_any_rank) {
  const at::NoGradGuard noGrad;
  const auto& base = dualBase();
  const auto& text = base.textEncoder->config();
  const auto& t = fixtureTensors("golden/dual.safetensors");
  const auto fresh = [&](int64_t rank, uint64_t seed, dual::BackgroundMode background = dual::BackgroundMode::kOff) {
    return dual::Adapter::initialTensors({rank, background, 1.0}, *base.unet, text, makeGenerator(seed));
  };
  const at::Generator generator = makeGenerator(9);
  dual::AdapterFile start{fresh(4, 1), {4, dual::BackgroundMode::kOff, 0.5}, {}};
  for (auto& [name, tensor] : start.tensors) {
    if (name.find(".up.") != std::string::npos) tensor = 0.3 * randn(tensor.sizes(), generator);
  }
  const auto predict = [&](const TensorMap& tensors, const dual::AdapterSettings& settings) {
    const dual::Adapter adapter(tensors, settings, *base.unet, text, "a test");
    return dual::DualUnet(*base.unet, adapter)
        .forward(t.at("fwd1.sample"), at::full({4}, 1, at::kLong), t.at("train.encoder_hidden_states"));
  };
  const at::Tensor expected = predict(start.tensors, start.settings);
  for (const int64_t rank : {4, 7}) {
    const TensorMap tensors = dual::startFrom(fresh(rank, 2), start, "start");
    expectClose(predict(tensors, {rank, dual::BackgroundMode::kOff, 1.0}), expected, 2e-5, 1e-5, "the prediction");
  }
  // No matrix of rank 2 is nearer (Eckart and Young): the squared error is the sum of all but the two largest
  // eigenvalues of W'W.
  const TensorMap cut = dual::startFrom(fresh(2, 2), start, "start");
  const std::string layer = "text_encoder.layers.0.to_q_lora.";
  const auto product = [&](const TensorMap& tensors) {
    return at::matmul(tensors.at(layer + "up.weight"), tensors.at(layer + "down.weight")).to(at::kDouble);
  };
  const at::Tensor whole = 0.5 * product(start.tensors);
  const at::Tensor values = at::linalg_eigvalsh(at::matmul(whole.t(), whole));  // ascending
  const at::Tensor left = values.slice(0, 0, values.size(0) - 2).sum();
  expectClose((product(cut) - whole).square().sum(), left, 1e-6, 1e-4, "the error of rank 2");
  // If the start does not fill the rank, the rest stays fresh and can learn, even after a cut: no row is all zero.
  dual::AdapterFile untrained{fresh(4, 1), {4, dual::BackgroundMode::kOff, 1.0}, {}};
  for (const auto& [name, tensor] : dual::startFrom(fresh(2, 2), untrained, "start")) {
    if (name.find(".down.") != std::string::npos) EXPECT(tensor.abs().amax(1).min().item<double>() > 0);
  }
  // Tensors that the start lacks stay fresh. The error names a tensor that does not belong.
  const TensorMap mixed = dual::startFrom(fresh(4, 3, dual::BackgroundMode::kAdd), start, "start");
  EXPECT(mixed.size() > start.tensors.size());
  start.tensors["unet.elsewhere.saim.o.bias"] = at::zeros({3});
  expectError([&] { dual::startFrom(fresh(4, 2), start, "start"); }, "unet.elsewhere.saim.o.bias");
  start.tensors.erase("unet.elsewhere.saim.o.bias");
  start.tensors[layer + "down.weight"] = at::zeros({4, 3});
  expectError([&] { dual::startFrom(fresh(4, 2), start, "start"); }, layer + "down.weight has shape [4, 3]");
}

DAN_TEST(a_defect_gets_its_share_of_the_loss) {
  at::Tensor defect = at::zeros({4, 1, 8, 8});
  defect[1][0][2][3] = 1;             // 1/64 of the picture
  defect[2].slice(1, 0, 6).fill_(1);  // This covers three quarters, more than the share.
  defect[3].fill_(1);
  const at::Tensor weights = train::defectWeights(defect, 0.25);
  expectClose(weights.mean({1, 2, 3}), at::ones({4}), 1e-5, 0, "the mean");
  expectClose((weights * defect).mean({1, 2, 3}), at::tensor({0.0, 0.25, 0.75, 1.0}), 1e-5, 0, "the defect's share");
  const at::Tensor uniform = train::defectWeights(defect, 0.0);
  expectClose(uniform, at::ones_like(uniform), 1e-5, 0, "no share asked for");
}

DAN_TEST(an_adapter_comes_back_as_it_was_written_and_fits_only_its_base) {
  const auto& base = dualBase();
  const dual::AdapterSettings settings{3, dual::BackgroundMode::kAdd, 1.0};
  const auto tensors =
      dual::Adapter::initialTensors(settings, *base.unet, base.textEncoder->config(), makeGenerator(5));
  const dual::Adapter adapter(tensors, settings, *base.unet, base.textEncoder->config(), "fresh");
  const Scratch scratch;
  const std::string path = scratch.at("adapter.safetensors");
  dual::writeAdapterFile(path, dual::copyOf(adapter, {{"type", "crack"}}, "The adapter"));
  const auto file = dual::readAdapterFile(path);
  EXPECT(file.metadata.at("type") == "crack");
  EXPECT(file.settings.rank == 3 && file.settings.background == dual::BackgroundMode::kAdd);
  for (const auto& [name, tensor] : adapter.parameters()) EXPECT(file.tensors.at(name).equal(tensor));
  auto broken = tensors;
  broken.begin()->second = at::zeros({1, 2});
  expectError([&] { dual::Adapter(broken, settings, *base.unet, base.textEncoder->config(), "broken"); },
              broken.begin()->first);
}

}  // namespace dan::tests
