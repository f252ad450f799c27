// These tests are about sampling on known ground.
#include "sample/known_ground.h"

#include <cmath>

#include "core/random.h"
#include "io/input_file.h"
#include "model/base_parts.h"
#include "sample/blank_condition.h"
#include "tests/place_models.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

constexpr int64_t kKnownGroundSide = 64;
const char* const kSchedulers[] = {"pndm", "ddim", "ddpm", "euler", "dpmsolver++", "dpmsolver++-karras", "unipc"};

sample::SampleOptions optionsOf(const std::string& scheduler) {
  sample::SampleOptions options;
  options.steps = 4;
  options.width = options.height = kKnownGroundSide;
  options.scheduler = scheduler;
  return options;
}

// Returns what is known of one pair of 8 x 8 latents, with an open place in the middle.
sample::GroundInputs groundOf(double strength) {
  sample::GroundInputs ground;
  ground.place = at::zeros({1, 1, 8, 8});
  ground.place.slice(2, 2, 6).slice(3, 3, 7).fill_(1);
  ground.place.slice(2, 0, 1).fill_(0.5);
  ground.latents = randn({2, 4, 8, 8}, makeGenerator(3));
  ground.layout = randn({2, 4, 8, 8}, makeGenerator(4));
  ground.maskedLatents = randn({2, 4, 8, 8}, makeGenerator(5));
  ground.strength = strength;
  return ground;
}

at::Tensor finalLatents(const sample::PairSampler& sampler, const sample::SampleOptions& options,
                        const std::optional<sample::GroundInputs>& ground) {
  sample::PairBatch batch(sampler.source(), options, {0}, ground);
  while (!batch.isDone()) batch.step();
  batch.expectFinite();
  return batch.latents();
}

}  // namespace

DAN_TEST(every_scheduler_keeps_known_ground_bit_for_bit) {
  const auto sampler = samplerOf(textBase());
  for (const char* scheduler : kSchedulers) {
    for (const double strength : {0.5, 1.0}) {
      const auto ground = groundOf(strength);
      const at::Tensor latents = finalLatents(sampler, optionsOf(scheduler), ground);
      const at::Tensor isKnown = (ground.place == 0).expand_as(latents);
      EXPECT(latents.masked_select(isKnown).equal(ground.latents.masked_select(isKnown)));
      const at::Tensor isOpen = (ground.place == 1).expand_as(latents);
      EXPECT(!latents.masked_select(isOpen).equal(ground.latents.masked_select(isOpen)));
    }
  }
}

DAN_TEST(schedulers_noise_samples_for_each_of_their_calls) {
  diffusion::ScheduleConfig config = textBase()->schedule;
  config.clipSample = false;
  const at::Tensor clean = at::randn({1, 4, 4, 4}, makeGenerator(1), at::kDouble);
  const at::Tensor noise = at::randn({1, 4, 4, 4}, makeGenerator(2), at::kDouble);
  for (const char* name : {"pndm", "ddim", "euler", "dpmsolver++", "dpmsolver++-karras", "unipc"}) {
    for (const int64_t left : {10, 6, 1}) {
      const auto scheduler = diffusion::makeScheduler(name, config, 10);
      const double lastOfAll = scheduler->timesteps().back();
      scheduler->keepLast(left);
      EXPECT(scheduler->timesteps().back() == lastOfAll);
      const size_t repeated = name == std::string("pndm") && left > 1 ? 1 : 0;
      EXPECT(scheduler->timesteps().size() == static_cast<size_t>(left) + repeated);
      at::Tensor sample = scheduler->addNoise(clean, noise, 0);
      for (size_t i = 0; i + 1 < scheduler->timesteps().size(); ++i) {
        sample = scheduler->step(noise, i, sample, {});
        expectClose(sample, scheduler->addNoise(clean, noise, i + 1), 1e-9, 1e-9, name);
      }
      EXPECT(scheduler->addNoise(clean, noise, scheduler->timesteps().size()).equal(clean));
    }
  }
}

DAN_TEST(unipc_takes_over_a_sample_that_was_changed) {
  const at::Tensor noise = randn({1, 4, 4, 4}, makeGenerator(1)), change = randn({1, 4, 4, 4}, makeGenerator(2));
  const auto run = [&](double amount) {
    const auto scheduler = diffusion::makeScheduler("unipc", textBase()->schedule, 5);
    at::Tensor sample = scheduler->step(at::zeros_like(noise), 0, noise, {}) + amount * change;
    for (size_t i = 1; i < 5; ++i) sample = scheduler->step(at::zeros_like(noise), i, sample, {});
    return sample;
  };
  // With a model that predicts no noise, the result is a multiple of the sample.
  const at::Tensor difference = run(1) - run(0);
  const double factor = (difference.sum() / change.sum()).item<double>();
  EXPECT(factor > 0.1);
  expectClose(difference, factor * change, 1e-3, 1e-3, "the change");
}

DAN_TEST(strength_decides_how_many_steps_remain) {
  EXPECT(sample::remainingSteps(1, 50) == 50);
  EXPECT(sample::remainingSteps(0.6, 8) == 4);
  EXPECT(sample::remainingSteps(0.1, 10) == 1);
  expectError([] { sample::remainingSteps(0.09, 10); }, "at least 0.1 for strength with 10 steps but received 0.09");
  for (const double strength : {0.0, -1.0, 1.01, std::nan("")}) {
    expectError([&] { sample::remainingSteps(strength, 50); }, "above 0 and up to 1 for strength");
  }
}

DAN_TEST(an_inpainting_base_is_written_as_one) {
  const Scratch scratch;
  writeInpaintingBase(scratch.at("base"), 1);
  model::writeBaseFolder(model::readBaseParts({scratch.at("base"), "", "", ""}), scratch.at("copy"), at::kFloat);
  const auto index = nlohmann::json::parse(io::readTextFile(scratch.at("copy/model_index.json")));
  EXPECT(index.at("_class_name") == "StableDiffusionInpaintPipeline");
  const auto base = model::loadBaseModel(scratch.at("copy"), at::kCPU, at::kFloat);
  EXPECT(base->isInpainting() && base->fingerprint == inpaintingBase(1)->fingerprint);
}

DAN_TEST(an_inpainting_base_gets_its_condition_at_every_call) {
  const auto options = optionsOf("ddim");
  // With weights of 0 for the condition, the base draws what the one for text draws.
  const auto blind = samplerOf(inpaintingBase(0));
  const at::Tensor plain = finalLatents(samplerOf(textBase()), options, {});
  expectClose(finalLatents(blind, options, {}), plain, 1e-4, 1e-4, "without weights for the condition");
  const at::Tensor latents = randn({2, 4, 8, 8}, makeGenerator(6)), t = at::full({2}, 500.0);
  const at::Tensor states = blind.textStates({"a vfx with sks", "sks"});
  expectClose(blind.predict(latents, t, states), samplerOf(textBase()).predict(latents, t, states), 1e-5, 1e-4,
              "a single call");
  const auto sampler = samplerOf(inpaintingBase(0.1));
  const auto ground = groundOf(1);
  auto other = ground;
  other.maskedLatents = ground.maskedLatents + 1;
  const at::Tensor drawn = finalLatents(sampler, options, ground);
  EXPECT(!drawn.equal(finalLatents(sampler, options, other)));
  // Without known ground, the place is everywhere and the masked images are blank.
  auto nothing = ground;
  nothing.place = at::ones_like(ground.place);
  const at::Tensor grey = sampler.base()->plainLatents(0, kKnownGroundSide, kKnownGroundSide);
  nothing.maskedLatents = at::cat({grey, grey});
  expectClose(finalLatents(sampler, options, nothing), finalLatents(sampler, options, {}), 0, 0, "nothing known");
}

}  // namespace dan::tests
