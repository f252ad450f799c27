#include "train/adamw.h"

#include <ATen/core/grad_mode.h>

#include <cmath>

#include "core/error.h"

namespace dan::train {

AdamW::AdamW(const TensorMap& parameters, AdamWOptions options) : options_(options) {
  for (const auto& [name, parameter] : parameters) {
    names_.push_back(name);
    parameters_.push_back(parameter);
    expAvgs_.push_back(at::zeros_like(parameter));
    expAvgSqs_.push_back(at::zeros_like(parameter));
    steps_.push_back(at::zeros({}, parameter.options().dtype(at::kFloat)));
  }
}

void AdamW::clearGradients() {
  for (at::Tensor& parameter : parameters_) parameter.mutable_grad() = at::Tensor();
}

double AdamW::step(double learningRate, double gradientScale) {
  const at::NoGradGuard noGrad;
  std::vector<at::Tensor> parameters, gradients, expAvgs, expAvgSqs, steps, norms;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const at::Tensor gradient = parameters_[i].grad();
    if (!gradient.defined()) continue;
    if (gradientScale != 1.0) gradient.mul_(1 / gradientScale);
    parameters.push_back(parameters_[i]);
    gradients.push_back(gradient);
    expAvgs.push_back(expAvgs_[i]);
    expAvgSqs.push_back(expAvgSqs_[i]);
    steps.push_back(steps_[i]);
    norms.push_back(at::norm(gradient));
  }
  if (gradients.empty()) return 0.0;
  const double norm = at::norm(at::stack(norms)).item<double>();
  if (std::isfinite(norm)) {
    if (options_.maxGradNorm > 0 && norm > options_.maxGradNorm) {
      const double scale = options_.maxGradNorm / (norm + 1e-6);
      for (at::Tensor& gradient : gradients) gradient.mul_(scale);
    }
    for (at::Tensor& count : steps) count.add_(1);
    double decay = options_.weightDecay;
    if (!options_.decouplesDecay) {
      for (size_t i = 0; i < gradients.size(); ++i) gradients[i].add_(parameters[i], decay);
      decay = 0;
    }
    at::_fused_adamw_(parameters, gradients, expAvgs, expAvgSqs, {}, steps, learningRate, options_.beta1,
                      options_.beta2, decay, options_.eps, false, false);
  }
  clearGradients();
  return norm;
}

TensorMap AdamW::state() const {
  TensorMap state;
  for (size_t i = 0; i < names_.size(); ++i) {
    state["exp_avg/" + names_[i]] = expAvgs_[i];
    state["exp_avg_sq/" + names_[i]] = expAvgSqs_[i];
    state["step/" + names_[i]] = steps_[i];
  }
  return state;
}

void AdamW::loadState(const TensorMap& state, const std::string& source) {
  const at::NoGradGuard noGrad;
  const auto restore = [&](const char* what, size_t i, at::Tensor& into) {
    const auto found = state.find(what + names_[i]);
    if (found == state.end() || found->second.sizes() != into.sizes()) {
      fail(kWeightsInvalid, source, " lacks the optimiser's ", what, names_[i]);
    }
    into.copy_(found->second);
  };
  for (size_t i = 0; i < names_.size(); ++i) {
    restore("exp_avg/", i, expAvgs_[i]);
    restore("exp_avg_sq/", i, expAvgSqs_[i]);
    restore("step/", i, steps_[i]);
  }
}

}  // namespace dan::train
