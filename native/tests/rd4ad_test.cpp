// Reverse distillation gives the values of a plain PyTorch writing of it (scripts/compare/detectors/rd4ad.py).
#include <ATen/core/grad_mode.h>

#include "core/random.h"
#include "detect/rd4ad_detector.h"
#include "tests/detector_golden.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

std::vector<at::Tensor> teacherStages(const std::vector<int64_t>& channels, int64_t side) {
  std::vector<at::Tensor> stages;
  for (size_t i = 0; i < channels.size(); ++i) {
    const int64_t size = side / (int64_t{4} << i);
    stages.push_back(1 + wave("stage" + std::to_string(i), {2, channels[i], size, size}));
  }
  return stages;
}

void expectGolden(const std::string& name, const model::ReverseDistillationConfig& config) {
  const DetectorGolden golden(name);
  const nn::Weights weights = nn::Weights::random(makeGenerator(0), at::kDouble);
  const model::ReverseDistillation net(weights, config);
  setToFormula(weights);
  const std::vector<at::Tensor> stages = teacherStages(config.channels, 32);
  {
    const at::NoGradGuard noGrad;
    const std::vector<at::Tensor> decoded = net.forward(stages);
    golden.expectTensor("decoded", decoded[2]);
    const at::Tensor maps = detect::distillationMaps(stages, decoded, 32, 32);
    golden.expectTensor("maps", maps.slice(1, 0, 32, 4).slice(2, 0, 32, 4));
  }
  golden.expectLossAndGradients(detect::distillationLoss(stages, net.forward(stages, /*training=*/true)), weights);
}

}  // namespace

DAN_TEST(reverse_distillation_is_that_of_plain_pytorch) {
  model::ReverseDistillationConfig config;
  config.channels = {4, 8, 8};
  config.blocks = {1, 1, 2};
  config.embeddingBlocks = 1;
  expectGolden("rd4ad", config);
  config.channels = {8, 8, 8};
  config.blocks = {1, 2, 1};
  config.embeddingBlocks = 2;
  config.bottleneck = true;
  config.widthFactor = 2;
  expectGolden("rd4ad-bottleneck", config);
}

DAN_TEST(reverse_distillation_rejects_stages_that_do_not_halve) {
  const nn::Weights weights = nn::Weights::random(makeGenerator(0));
  const model::ReverseDistillation net(weights, model::ReverseDistillationConfig::of("resnet18", {4, 8, 8}));
  std::vector<at::Tensor> stages = {at::zeros({1, 4, 12, 12}), at::zeros({1, 8, 6, 6}), at::zeros({1, 8, 3, 3})};
  expectError([&] { net.forward(stages); }, "multiples of 32");
  stages = {at::zeros({1, 4, 4, 4}), at::zeros({1, 8, 4, 4}), at::zeros({1, 8, 4, 4})};
  expectError([&] { net.forward(stages); }, "strides of 4, 8 and 16");
  expectError(
      [&] {
        model::ReverseDistillation(weights, model::ReverseDistillationConfig::of("resnet18", {4, 8}));
      },
      "three stages");
}

}  // namespace dan::tests
