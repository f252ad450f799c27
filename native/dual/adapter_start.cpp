#include "dual/adapter_start.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "core/error.h"
#include "core/text.h"

namespace dan::dual {

namespace {

constexpr std::string_view kDown = ".down.weight", kUp = ".up.weight";

struct LowRank {
  at::Tensor down, up;  // (rank, in), (out, rank)
};

// Keeps the largest singular values. The rest of the rank stays fresh, because a row of zeros in both `down` and `up`
// has no gradient and would never learn.
LowRank cut(const LowRank& lora, const LowRank& fresh) {
  const auto [u, s, vh] = at::linalg_svd(at::matmul(lora.up, lora.down), /*full_matrices=*/false);
  const auto used = (s > 1e-6 * s[0]).sum().item<int64_t>();
  const int64_t kept = std::min(used, fresh.down.size(0));
  const at::Tensor root = s.slice(0, 0, kept).sqrt();
  return {at::cat({root.unsqueeze(1) * vh.slice(0, 0, kept), fresh.down.slice(0, kept)}),
          at::cat({u.slice(1, 0, kept) * root, fresh.up.slice(1, kept)}, 1)};
}

LowRank resized(const LowRank& lora, const LowRank& fresh) {
  const int64_t rank = fresh.down.size(0), own = lora.down.size(0);
  if (own > rank) return cut(lora, fresh);
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
    if (endsWith(name, kUp)) continue;  // It is handled together with its `down`.
    if (endsWith(name, kDown)) {
      const std::string upName = name.substr(0, name.size() - kDown.size()) + std::string(kUp);
      at::Tensor& up = fresh.at(upName);
      const LowRank lora{take(name), take(upName) * start.settings.loraScale};
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
