#include "golden/case.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "io/safetensors.h"

namespace dan::golden {

namespace {

// Cases share files, so we read each file once.
const TensorMap& tensorsOf(const std::string& path) {
  static std::map<std::string, TensorMap> files;
  const auto found = files.find(path);
  return found != files.end() ? found->second : files[path] = io::readSafetensors(path).tensors;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

Case::Case(std::string folder, const nlohmann::json& entry, at::Device device)
    : device_(device),
      folder_(std::move(folder)),
      name_(entry.at("case")),
      kind_(entry.at("kind")),
      file_(entry.at("file")),
      params_(entry.at("params")),
      inputs_(entry.at("inputs").get<std::vector<std::string>>()),
      outputs_(entry.at("outputs").get<std::vector<std::string>>()),
      atol_(entry.at("atol")),
      rtol_(entry.at("rtol")) {}

at::Tensor Case::tensor(const std::string& name) const {
  const TensorMap& tensors = tensorsOf(filePath());
  const auto found = tensors.find(name_ + "/" + name);
  if (found == tensors.end()) throw std::runtime_error(filePath() + " lacks " + name_ + "/" + name);
  return found->second;
}

bool Case::hasInput(const std::string& name) const { return contains(inputs_, name); }
bool Case::hasOutput(const std::string& name) const { return contains(outputs_, name); }

void Case::expect(const std::string& name, const at::Tensor& actual) {
  compared_[name] = true;
  const at::Tensor expected = tensor(name);
  if (actual.numel() != expected.numel() || (expected.dim() > 1 && actual.sizes() != expected.sizes())) {
    return fail(c10::str(name, " has shape ", actual.sizes(), ", expected ", expected.sizes()));
  }
  const at::Tensor a = actual.detach().cpu().to(at::kDouble).flatten(), b = expected.to(at::kDouble).flatten();
  if (a.numel() == 0) return;
  if (!at::isfinite(a).all().item<bool>()) return fail(name + " is not finite");
  const at::Tensor error = (a - b).abs();
  maxAbsolute_ = std::max(maxAbsolute_, error.max().item<double>());
  maxRelative_ = std::max(maxRelative_, (error / b.abs().clamp_min(1e-12)).max().item<double>());
  const double excess = (error - atol_ - rtol_ * b.abs()).max().item<double>();
  if (!(excess <= 0)) fail(c10::str(name, " is off by up to ", error.max().item<double>()));
}

void Case::expectNumber(const std::string& name, double actual, double expected, double atol, double rtol) {
  const double error = std::abs(actual - expected);
  if (!(error <= atol + rtol * std::abs(expected))) fail(c10::str(name, " is ", actual, ", expected ", expected));
}

void Case::fail(const std::string& reason) {
  if (failures_.size() < 500) failures_ += (failures_.empty() ? "" : "; ") + reason;
}

void Case::finish() const {
  for (const std::string& name : outputs_) {
    if (kind_ == "tokenizer") continue;  // The tokenizer's output is compared as JSON.
    if (compared_.count(name) == 0) throw std::runtime_error("the output " + name + " was not compared");
  }
}

}  // namespace dan::golden
