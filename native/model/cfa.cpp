#include "model/cfa.h"

namespace dan::model {

at::Tensor joinedPatches(const std::vector<at::Tensor>& stages) {
  std::vector<at::Tensor> patches;
  for (const at::Tensor& stage : stages) {
    patches.push_back(at::upsample_bilinear2d(at::avg_pool2d(stage, 3, 1, 1), {stages[0].size(2), stages[0].size(3)},
                                              /*align_corners=*/false));
  }
  return at::cat(patches, 1);
}

CfaDescriptor::CfaDescriptor(const nn::Weights& weights, int64_t channels)
    : conv_(weights, channels + 2, channels, 1) {}

at::Tensor CfaDescriptor::forward(const at::Tensor& patches) const {
  const int64_t count = patches.size(0), height = patches.size(2), width = patches.size(3);
  const at::Tensor rows = at::linspace(-1, 1, height, patches.options()).view({1, 1, height, 1});
  const at::Tensor columns = at::linspace(-1, 1, width, patches.options()).view({1, 1, 1, width});
  const auto everywhere = [&](const at::Tensor& line) { return line.expand({count, 1, height, width}); };
  return conv_(at::cat({patches, everywhere(rows), everywhere(columns)}, 1));
}

}  // namespace dan::model
