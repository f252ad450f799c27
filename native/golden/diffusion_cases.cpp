// This file handles the kinds scheduler and add_noise.
#include "diffusion/scheduler.h"
#include "golden/case.h"

namespace dan::golden {

namespace {

// The fixtures use this analytic model, so that they do not depend on any weights.
constexpr const char* kKnownModel = "eps(x_scaled, t) = 0.1*x_scaled + sin(t/100)";

void runScheduler(Case& test) {
  const auto& params = test.params();
  if (params.at("model") != kKnownModel) return test.fail("the model of the case is unknown");
  const auto scheduler = diffusion::makeScheduler(params.at("scheduler"),
                                                  diffusion::parseScheduleConfig(params.at("config"), test.filePath()),
                                                  params.at("num_inference_steps"));
  at::Tensor sample = test.input("initial");
  std::vector<at::Tensor> trajectory = {sample};
  const auto& timesteps = scheduler->timesteps();
  for (size_t i = 0; i < timesteps.size(); ++i) {
    const at::Tensor output = 0.1 * scheduler->scaleModelInput(sample, i) + std::sin(timesteps[i] / 100);
    sample = scheduler->step(output, i, sample, [&]() -> at::Tensor { throw std::runtime_error("noise was drawn"); });
    trajectory.push_back(sample);
  }
  test.expect("timesteps", at::tensor(timesteps, at::kDouble));
  test.expect("trajectory", at::stack(trajectory));
}

void runAddNoise(Case& test) {
  const diffusion::NoiseSchedule schedule(diffusion::parseScheduleConfig(test.params().at("config"), test.filePath()));
  const at::Tensor t = at::tensor(test.params().at("timesteps").get<std::vector<int64_t>>(), at::kLong);
  test.expect("noisy", schedule.addNoise(test.input("sample"), test.input("noise"), t));
  if (test.hasOutput("velocity")) {
    test.expect("velocity", schedule.velocity(test.input("sample"), test.input("noise"), t));
  }
}

}  // namespace

void addDiffusionHandlers(Handlers& handlers) {
  handlers["scheduler"] = {runScheduler, kOnDevice};
  handlers["add_noise"] = {runAddNoise, kOnDevice};
}

}  // namespace dan::golden
