#include "nn/convert_in_place.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace dan::nn {

namespace {

constexpr int64_t kBlockValues = 1 << 16;  // A block and its floats stay in the second-level cache.

bool isHalfPrecision(at::ScalarType dtype) { return dtype == at::kHalf || dtype == at::kBFloat16; }

// Exchanges the axes of a row of `channels` times `taps` values.
void channelsLast(uint16_t* row, int64_t channels, int64_t taps, std::vector<uint16_t>& copy) {
  copy.assign(row, row + channels * taps);
  for (int64_t tap = 0; tap < taps; ++tap) {
    for (int64_t channel = 0; channel < channels; ++channel) {
      row[tap * channels + channel] = copy[static_cast<size_t>(channel * taps + tap)];
    }
  }
}

}  // namespace

bool canConvertInPlace(const at::Tensor& weight, at::ScalarType dtype, size_t owners) {
  return (weight.dim() == 2 || weight.dim() == 4) && weight.is_cpu() && weight.is_contiguous() && weight.numel() > 0 &&
         isHalfPrecision(weight.scalar_type()) && isHalfPrecision(dtype) && weight.use_count() == owners &&
         weight.storage().use_count() == 1;
}

at::Tensor convertInPlace(const at::Tensor& weight, at::ScalarType dtype) {
  const at::NoGradGuard noGrad;
  const int64_t rows = weight.size(0), channels = weight.size(1), width = weight.numel() / rows;
  const at::Tensor from = weight.view({rows, width}), to = from.view(dtype);
  auto* data = static_cast<uint16_t*>(weight.mutable_data_ptr());
  const int64_t block = std::max<int64_t>(1, kBlockValues / width);
  at::parallel_for(0, rows, block, [&](int64_t begin, int64_t end) {
    std::vector<uint16_t> copy;
    const at::Tensor floats = at::empty({block, width}, at::kFloat);
    for (int64_t row = begin; row < end; row += block) {
      const int64_t count = std::min(block, end - row);
      if (width > channels) {
        for (int64_t i = row; i < row + count; ++i) channelsLast(data + i * width, channels, width / channels, copy);
      }
      if (weight.scalar_type() == dtype) continue;
      const at::Tensor numbers = floats.narrow(0, 0, count);
      numbers.copy_(from.narrow(0, row, count));
      to.narrow(0, row, count).copy_(numbers);
    }
  });
  if (weight.dim() == 2) return to;
  return to.as_strided(weight.sizes(), {width, 1, weight.size(3) * channels, channels});
}

}  // namespace dan::nn
