#include "core/connected_regions.h"

#include <algorithm>

namespace dan {

std::vector<std::vector<int64_t>> connectedRegions(const at::Tensor& mask, Neighbors neighbors) {
  const int64_t height = mask.size(0), width = mask.size(1);
  const at::Tensor bytes = (mask != 0).to(at::kByte).contiguous();
  std::vector<uint8_t> open(bytes.data_ptr<uint8_t>(), bytes.data_ptr<uint8_t>() + bytes.numel());
  std::vector<std::vector<int64_t>> regions;
  for (int64_t start = 0; start < height * width; ++start) {
    if (!open[start]) continue;
    std::vector<int64_t> region = {start};
    open[start] = 0;
    for (size_t next = 0; next < region.size(); ++next) {
      const int64_t y = region[next] / width, x = region[next] % width;
      for (int64_t ny = std::max<int64_t>(y - 1, 0); ny <= std::min(y + 1, height - 1); ++ny) {
        for (int64_t nx = std::max<int64_t>(x - 1, 0); nx <= std::min(x + 1, width - 1); ++nx) {
          const bool isDiagonal = ny != y && nx != x;
          if (!open[ny * width + nx] || (isDiagonal && neighbors == Neighbors::kFour)) continue;
          open[ny * width + nx] = 0;
          region.push_back(ny * width + nx);
        }
      }
    }
    regions.push_back(std::move(region));
  }
  return regions;
}

at::Tensor withoutHoles(const at::Tensor& mask, double mostShare) {
  const int64_t height = mask.size(0), width = mask.size(1);
  const double most = mostShare * mask.sum().item<double>();
  const auto touchesBorder = [&](int64_t pixel) {
    const int64_t y = pixel / width, x = pixel % width;
    return y == 0 || x == 0 || y == height - 1 || x == width - 1;
  };
  at::Tensor filled = mask.clone(at::MemoryFormat::Contiguous);
  for (const auto& region : connectedRegions(~mask, Neighbors::kFour)) {
    const bool isSmall = static_cast<double>(region.size()) <= most;
    if (!isSmall || std::any_of(region.begin(), region.end(), touchesBorder)) continue;
    filled.view(-1).index_fill_(0, at::tensor(region), true);
  }
  return filled;
}

}  // namespace dan
