#include "dual/compact_saim.h"

#include <ATen/core/grad_mode.h>

#include <cmath>
#include <set>

#include "core/error.h"
#include "dual/saim.h"

namespace dan::dual {

namespace {

constexpr const char* kFold = ".saim.fold.";
constexpr const char* kInput = ".saim.i.weight";

std::set<std::string> layersWith(const TensorMap& tensors, const std::string& ending) {
  std::set<std::string> layers;
  for (const auto& [name, tensor] : tensors) {
    const size_t at = name.find(ending);
    if (at != std::string::npos) layers.insert(name.substr(0, at));
  }
  return layers;
}

// Writes `matrix` at `rank` and returns the relative error.
double writeThin(TensorMap& tensors, const std::string& name, const at::Tensor& matrix, int64_t rank) {
  const auto [u, s, vh] = at::linalg_svd(matrix, /*full_matrices=*/false);
  const at::Tensor root = s.slice(0, 0, rank).sqrt();
  tensors[name + ".up"] = (u.slice(1, 0, rank) * root).to(at::kFloat).contiguous();
  tensors[name + ".down"] = (root.unsqueeze(1) * vh.slice(0, 0, rank)).to(at::kFloat).contiguous();
  const double whole = s.square().sum().item<double>();
  return whole == 0 ? 0 : std::sqrt(s.slice(0, rank).square().sum().item<double>() / whole);
}

}  // namespace

std::vector<CompactError> compactSaim(TensorMap& tensors, int64_t rank) {
  const at::NoGradGuard noGrad;
  std::vector<CompactError> errors;
  for (const std::string& layer : layersWith(tensors, kInput)) {
    const int64_t width = tensors.at(layer + kInput).size(0);
    const nn::Weights weights = nn::Weights::fromTensors(tensors, layer, at::kDouble);
    const SaimFold fold(Saim(weights.scope(layer + ".saim"), width), at::kDouble);
    for (const char* part : {"i", "q", "k", "v", "o"}) {
      for (const char* kind : {".weight", ".bias"}) tensors.erase(layer + ".saim." + part + kind);
    }
    const std::string name = layer + kFold;
    const int64_t kept = std::min(rank, width);
    CompactError error{layer, writeThin(tensors, name + "scores", fold.scores, kept),
                       writeThin(tensors, name + "values", fold.values, kept)};
    tensors[name + "score_bias"] = fold.scoreBias.to(at::kFloat);
    tensors[name + "bias"] = fold.bias.to(at::kFloat);
    errors.push_back(std::move(error));
  }
  return errors;
}

void expandSaim(TensorMap& tensors, const std::string& source) {
  const at::NoGradGuard noGrad;
  for (const std::string& layer : layersWith(tensors, std::string(kFold) + "bias")) {
    const std::string name = layer + kFold;
    const auto take = [&](const std::string& part, int64_t dims) {
      const auto found = tensors.find(name + part);
      if (found == tensors.end()) fail(kWeightsInvalid, source, " lacks the tensor ", name, part);
      if (found->second.dim() != dims) {
        fail(kWeightsInvalid, source, ": ", name, part, " has shape ", found->second.sizes());
      }
      const at::Tensor tensor = found->second.to(at::kFloat);
      tensors.erase(found);
      return tensor;
    };
    const auto product = [&](const std::string& part) {
      const at::Tensor up = take(part + ".up", 2), down = take(part + ".down", 2);
      if (up.size(0) != down.size(1) || up.size(1) != down.size(0)) {
        fail(kWeightsInvalid, source, ": ", name, part, " is ", up.sizes(), " x ", down.sizes());
      }
      return at::matmul(up, down);
    };
    const at::Tensor scores = product("scores"), values = product("values");
    const at::Tensor scoreBias = take("score_bias", 1), bias = take("bias", 1);
    const int64_t width = values.size(0);
    const double root = std::sqrt(static_cast<double>(width));
    const auto put = [&](const char* part, const at::Tensor& weight, const at::Tensor& offset) {
      // Training changes each in place.
      tensors[layer + ".saim." + part + ".weight"] = weight.clone(at::MemoryFormat::Contiguous);
      tensors[layer + ".saim." + part + ".bias"] = offset.clone();
    };
    const at::Tensor identity = at::eye(width, at::kFloat), zero = at::zeros({width});
    // A = Wi' Wq' Wk Wi / sqrt(C), c = Wi' Wk' (Wq bi + bq) / sqrt(C); B = Wo Wv Wi, b = Wo (Wv bi + bv) + bo.
    put("i", identity, zero);
    put("q", root * scores.t(), root * scoreBias);
    put("k", identity, zero);
    put("v", values, zero);
    put("o", identity, bias);
  }
}

}  // namespace dan::dual
