#include "dual/adapter_start.h"

#include <ATen/core/grad_mode.h>

#include "core/error.h"

namespace dan::dual {

namespace {

constexpr std::string_view kDown = ".down.weight", kUp = ".up.weight";

bool endsWith(std::string_view text, std::string_view ending) {
  return text.size() >= ending.size() && text.substr(text.size() - ending.size()) == ending;
}

struct LowRank {
  at::Tensor down, up;  // (rank, in), (out, rank)
};

LowRank cut(const LowRank& lora, int64_t rank) {
  const auto [u, s, vh] = at::linalg_svd(at::matmul(lora.up, lora.down), /*full_matrices=*/false);
  const at::Tensor root = s.slice(0, 0, rank).sqrt();
  LowRank result{root.unsqueeze(1) * vh.slice(0, 0, rank), u.slice(1, 0, rank) * root};
  const int64_t missing = rank - result.down.size(0);  // a layer narrower than the rank
  if (missing > 0)
    result = {at::constant_pad_nd(result.down, {0, 0, 0, missing}), at::constant_pad_nd(result.up, {0, missing})};
  return result;
}

LowRank resized(const LowRank& lora, const LowRank& fresh) {
  const int64_t rank = fresh.down.size(0), own = lora.down.size(0);
  if (own > rank) return cut(lora, rank);
  return {at::cat({lora.down, fresh.down.slice(0, own)}), at::cat({lora.up, fresh.up.slice(1, own)}, 1)};
}

}  // namespace

TensorMap startFrom(TensorMap fresh, const AdapterFile& start, const std::string& path) {
  const at::NoGradGuard noGrad;
  const auto take = [&](const std::string& name) {
    const auto found = start.tensors.find(name);
    if (found == start.tensors.end()) fail(kAdapterMismatch, path, " cannot start this training: it lacks ", name);
    return found->second.to(at::kFloat);
  };
  const auto expectShape = [&](const std::string& name, const at::Tensor& tensor, at::IntArrayRef shape) {
    if (tensor.sizes() == shape) return;
    fail(kAdapterMismatch, path, " cannot start this training: ", name, " has shape ", tensor.sizes(), ", expected ",
         shape);
  };
  for (const auto& [name, tensor] : start.tensors) {
    if (fresh.count(name) == 0)
      fail(kAdapterMismatch, path, " cannot start this training: nothing here is called ", name);
  }
  for (auto& [name, tensor] : fresh) {
    if (endsWith(name, kUp)) continue;  // with its `down`
    if (endsWith(name, kDown)) {
      at::Tensor& up = fresh.at(name.substr(0, name.size() - kDown.size()) + std::string(kUp));
      const LowRank lora{
          take(name), take(name.substr(0, name.size() - kDown.size()) + std::string(kUp)) * start.settings.loraScale};
      expectShape(name, lora.down, {start.settings.rank, tensor.size(1)});
      expectShape(name, lora.up, {up.size(0), start.settings.rank});
      const LowRank fitted = resized(lora, {tensor, up});
      tensor = fitted.down.contiguous();
      up = fitted.up.contiguous();
      continue;
    }
    if (start.settings.background == BackgroundMode::kOff && name.find(".background.") != std::string::npos) continue;
    const at::Tensor own = take(name);
    expectShape(name, own, tensor.sizes());
    tensor = own.clone();
  }
  return fresh;
}

}  // namespace dan::dual
