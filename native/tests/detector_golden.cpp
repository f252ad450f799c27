#include "tests/detector_golden.h"

#include <cmath>

#include "model/json_file.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

// Some gradients are 0 but for rounding, such as that of a bias before a norm.
constexpr double kTolerance = 1e-7, kRounding = 1e-12;

bool contains(const std::string& name, const char* text) { return name.find(text) != std::string::npos; }

at::Tensor formulaWeight(const std::string& name, at::IntArrayRef shape) {
  const at::Tensor values = wave(name, shape);
  if (shape.size() >= 2) {
    return values * std::sqrt(3 * static_cast<double>(shape[0]) / static_cast<double>(values.numel()));
  }
  const bool nearOne = contains(name, "running_var") || contains(name, "weight");
  return nearOne ? 1 + 0.3 * values : 0.1 * values;
}

void expectNear(double actual, double expected, double scale, const std::string& what) {
  if (!(std::abs(actual - expected) <= kTolerance * scale + kRounding)) {
    failTest(c10::str(what, ": expected ", expected, " but received ", actual));
  }
}

}  // namespace

at::Tensor wave(const std::string& name, at::IntArrayRef shape) {
  int64_t bytes = 0;
  for (const char character : name) bytes += static_cast<unsigned char>(character);
  const at::Tensor i = at::arange(c10::multiply_integers(shape), at::kDouble);
  return at::sin(0.37 * static_cast<double>(bytes) + 0.91 * i + 0.0013 * i * i).view(shape);
}

void setToFormula(const nn::Weights& weights) {
  for (const auto& [name, weight] : weights.taken()) {
    at::Tensor tensor = weight;
    tensor.copy_(formulaWeight(name, tensor.sizes()));
    if (!contains(name, "running_")) tensor.requires_grad_();
  }
}

DetectorGolden::DetectorGolden(const std::string& name)
    : json_(model::readJsonFile(std::string(DAN_TEST_DATA) + "/detectors/" + name + ".json")), name_(name) {}

void DetectorGolden::expectTensor(const std::string& key, const at::Tensor& actual) const {
  const nlohmann::json& golden = json_.at(key);
  const auto shape = golden.at("shape").get<std::vector<int64_t>>();
  const auto values = golden.at("values").get<std::vector<double>>();
  const at::Tensor expected = at::tensor(values, at::kDouble).view(shape);
  expectClose(actual, expected, kTolerance * expected.abs().max().item<double>(), 0, name_ + " " + key);
}

void DetectorGolden::expectLossAndGradients(const at::Tensor& loss, const nn::Weights& weights) const {
  expectNear(loss.item<double>(), json_.at("loss"), std::abs(json_.at("loss").get<double>()), name_ + " loss");
  loss.backward();
  size_t compared = 0;
  for (const auto& [name, weight] : weights.taken()) {
    if (!weight.grad().defined()) continue;
    const nlohmann::json& expected = json_.at("gradients").at(name);
    const double norm = expected.at(0);
    expectNear(weight.grad().norm().item<double>(), norm, norm, name_ + " gradient's norm of " + name);
    const double product = (weight.grad() * wave(name + "'", weight.sizes())).sum().item<double>();
    expectNear(product, expected.at(1), norm * std::sqrt(static_cast<double>(weight.numel())),
               name_ + " gradient of " + name);
    ++compared;
  }
  EXPECT(compared > 0 && compared == json_.at("gradients").size());
}

}  // namespace dan::tests
