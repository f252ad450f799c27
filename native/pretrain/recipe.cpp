#include "pretrain/recipe.h"

#include <chrono>
#include <cmath>
#include <cstdio>

#include "io/safetensors.h"

namespace dan::pretrain {

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

TensorMap trainable(const TensorMap& parameters) {
  TensorMap result;
  for (const auto& [name, tensor] : parameters) {
    if (name.find("running_") != std::string::npos) continue;
    result[name] = tensor.requires_grad_();
  }
  return result;
}

nn::Weights startWeights(const RecipeOptions& options, const std::string& file, at::Generator generator) {
  if (!options.resume) return nn::Weights::random(std::move(generator));
  return nn::Weights::fromTensors(io::readSafetensors(file).tensors, file, at::kFloat);
}

model::Vae readVae(const std::string& folder) {
  const std::string file = folder + "/diffusion_pytorch_model.safetensors";
  return model::Vae(nn::Weights::fromTensors(io::readSafetensors(file).tensors, file, at::kFloat),
                    model::readVaeConfig(folder + "/config.json"));
}

double learningRateAt(int64_t step, double done, double base) {
  constexpr double kWarmup = 100, kFloor = 0.01;
  const double cosine = 0.5 * (1 + std::cos(M_PI * done));
  return base * std::min(1.0, (static_cast<double>(step) + 1) / kWarmup) * (kFloor + (1 - kFloor) * cosine);
}

RunLog::RunLog(const char* what, int64_t step) : what_(what), step_(step), start_(now()), last_(start_) {}

double RunLog::seconds() const { return now() - start_; }

void RunLog::operator()(double loss) {
  constexpr int64_t kEvery = 20;
  average_ = average_ == 0 ? loss : 0.98 * average_ + 0.02 * loss;
  if (++step_ % kEvery != 0) return;
  const double time = now();
  std::printf("%s %ld loss %.5f (%.2f s/step, %.0f s so far)\n", what_.c_str(), static_cast<long>(step_), average_,
              (time - last_) / kEvery, seconds());
  std::fflush(stdout);
  last_ = time;
}

void saveHalf(const std::string& path, const TensorMap& tensors, const io::Metadata& metadata) {
  TensorMap half;
  for (const auto& [name, tensor] : tensors) half[name] = tensor.detach().contiguous().to(at::kHalf);
  io::writeSafetensors(path, half, metadata);
}

at::Tensor drawIndices(int64_t n, int64_t count, at::Generator generator) {
  return at::randint(n, {count}, std::move(generator), at::TensorOptions().dtype(at::kLong));
}

}  // namespace dan::pretrain
