#include "dual/attention_maps.h"

#include <ATen/core/grad_mode.h>

#include <cmath>

namespace dan::dual {

namespace {

// This is 32 x 32, the second finest level of Stable Diffusion 1.5 at 512 pixels. The self-attention map of the finest
// level would cost 16 times the memory.
constexpr int64_t kMaxTokens = 1024;
constexpr int kMaxLevels = 16;

}  // namespace

at::Tensor attentionProbabilities(const at::Tensor& q, const at::Tensor& k, int64_t heads) {
  const auto split = [heads](const at::Tensor& x) {
    return x.to(at::kFloat).unflatten(-1, {heads, -1}).transpose(1, 2);
  };
  const double scale = 1 / std::sqrt(static_cast<double>(q.size(-1) / heads));
  return at::softmax(at::matmul(split(q) * scale, split(k).transpose(-1, -2)), -1);
}

AttentionMaps::AttentionMaps(int64_t pairs, int64_t height, int64_t width, std::vector<int64_t> words)
    : pairs_(pairs), height_(height), width_(width), words_(std::move(words)), grid_{height, width} {
  while (grid_.height * grid_.width > kMaxTokens) grid_ = {(grid_.height + 1) / 2, (grid_.width + 1) / 2};
}

AttentionMaps::Grid AttentionMaps::gridOf(int64_t tokens) const {
  Grid grid{height_, width_};
  for (int i = 0; i < kMaxLevels && grid.height * grid.width != tokens; ++i) {
    grid = {(grid.height + 1) / 2, (grid.width + 1) / 2};
  }
  TORCH_CHECK(grid.height * grid.width == tokens, "no level of ", height_, " x ", width_, " has ", tokens, " tokens");
  return grid;
}

void AttentionMaps::add(const nn::AttentionLayer& layer, const at::Tensor& q, const at::Tensor& k) {
  const at::NoGradGuard noGrad;
  const Grid grid = gridOf(q.size(1));
  if (layer.isSelfAttention) {
    if (grid.height != grid_.height || grid.width != grid_.width) return;
    if (!self_.defined()) self_ = at::zeros({pairs_, q.size(1), q.size(1)}, q.options().dtype(at::kFloat));
    // Handling one pair at a time limits the memory.
    for (int64_t pair = 0; pair < pairs_; ++pair) {
      self_[pair] += attentionProbabilities(q.narrow(0, pair, 1), k.narrow(0, pair, 1), layer.heads)[0].mean(0);
    }
    ++selfCount_;
    return;
  }
  const at::Tensor words = at::tensor(words_, q.options().dtype(at::kLong));
  const at::Tensor seen = attentionProbabilities(q, k, layer.heads).index_select(-1, words).sum(-1).mean(1);
  const at::Tensor map =
      at::_upsample_bilinear2d_aa(seen.view({pairs_, 1, grid.height, grid.width}), {grid_.height, grid_.width}, false);
  cross_ = cross_.defined() ? cross_ + map : map;
  ++crossCount_;
}

at::Tensor AttentionMaps::maps(int64_t height, int64_t width) const {
  TORCH_CHECK(crossCount_ > 0 && selfCount_ > 0, "attention maps were read before any step");
  const at::Tensor cross = (cross_ / static_cast<double>(crossCount_)).flatten(1).unsqueeze(-1);
  const at::Tensor refined = at::matmul(self_ / static_cast<double>(selfCount_), cross);
  // Most of a part is blank, so the median is the attention to the background. The embedded base looks away from a
  // defect as often as at it. In both cases the defect differs from the background.
  const at::Tensor contrast = (refined - std::get<0>(refined.median(1, /*keepdim=*/true))).abs();
  const at::Tensor spread = contrast / contrast.amax({1, 2}, true).clamp_min(1e-12);
  return at::upsample_bilinear2d(spread.view({pairs_, 1, grid_.height, grid_.width}), {height, width}, false)
      .squeeze(1);
}

}  // namespace dan::dual
