#include <cmath>
#include <set>

#include "diffusion/scheduler.h"
#include "io/input_file.h"
#include "tests/test.h"

namespace dan::tests {

using namespace diffusion;

// The package does not offer ancestral Euler.
const std::set<std::string> kNotOffered = {"EulerAncestralDiscreteScheduler"};

DAN_TEST(schedulers_follow_diffusers_trajectories) {
  const auto& tensors = fixtureTensors("golden/schedulers.safetensors");
  size_t runs = 0;
  // Python writes -Infinity, which JSON does not have. We do not read the key with this value.
  std::string text = io::readTextFile(fixture("golden/schedulers.json"));
  const std::string infinity = "-Infinity";
  for (size_t at; (at = text.find(infinity)) != std::string::npos;) text.replace(at, infinity.size(), "null");
  const auto json = nlohmann::json::parse(text);
  for (const auto& [name, run] : json.at("runs").items()) {
    if (kNotOffered.count(run.at("class_"))) continue;
    const size_t dot = name.rfind('.');
    const double eta = name.find("eta0.7") != std::string::npos ? 0.7 : 0.0;
    const auto scheduler = makeScheduler(run.at("class_"), parseScheduleConfig(run.at("config"), name),
                                         std::stoll(name.substr(dot + 1)), eta);
    const auto expectedTimesteps = run.at("timesteps").get<std::vector<double>>();
    expectClose(at::tensor(scheduler->timesteps(), at::kDouble), at::tensor(expectedTimesteps, at::kDouble), 1e-3, 0,
                name + " timesteps");
    at::Tensor sample = tensors.at("x_unit") * scheduler->initNoiseSigma();
    std::vector<at::Tensor> latents;
    int64_t draws = 0;
    for (size_t i = 0; i < expectedTimesteps.size(); ++i) {
      const at::Tensor output = 0.1 * scheduler->scaleModelInput(sample, i) + std::sin(scheduler->timesteps()[i] / 100);
      sample = scheduler->step(output, i, sample, [&] { return tensors.at(name + ".noise")[draws++]; });
      latents.push_back(sample);
    }
    const bool usesSigmas =
        run.at("class_").get<std::string>().find("DPM") != std::string::npos || name[0] == 'e' || name[0] == 'u';
    expectClose(at::stack(latents), tensors.at(name + ".latents"), usesSigmas ? 1e-4 : 2e-5, 1e-5, name);
    ++runs;
  }
  EXPECT(runs >= 40);
}

DAN_TEST(ddim_with_the_true_noise_returns_the_sample) {
  ScheduleConfig config;
  config.clipSample = false;
  const NoiseSchedule schedule(config);
  const auto scheduler = makeScheduler("ddim", config, 20);
  const at::Tensor clean = at::randn({1, 4, 4, 4}, at::kDouble), noise = at::randn({1, 4, 4, 4}, at::kDouble);
  const auto first = static_cast<int64_t>(scheduler->timesteps()[0]);
  const double a = schedule.alphaCumprod(first);
  at::Tensor sample = std::sqrt(a) * clean + std::sqrt(1 - a) * noise;
  for (size_t i = 0; i < scheduler->timesteps().size(); ++i) sample = scheduler->step(noise, i, sample, {});
  expectClose(sample, clean, 1e-12, 0, "the recovered sample");
}

DAN_TEST(scheduler_names_and_steps_are_checked) {
  expectError([] { makeScheduler("heun", {}, 10); }, "heun");
  expectError([] { makeScheduler("ddim", {}, 0); }, "received 0");
  expectError([] { parseScheduleConfig({{"beta_schedule", "cubic"}}, "config.json"); }, "beta_schedule is cubic");
}

}  // namespace dan::tests
