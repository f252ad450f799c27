#include "augment/box_filter.h"

#include <algorithm>
#include <vector>

namespace dan::augment {

namespace {

constexpr int64_t kBlock = 64;  // So many neighbouring sums stay in the registers while the pixels pass.

// sums[i] = x[i] + x[i + stride] + ... + x[i + (count - 1) * stride] for kBlock values.
[[gnu::always_inline]] inline void sumsOfBlock(const float* x, int64_t count, int64_t stride, float* sums) {
  float block[kBlock] = {};
  for (int64_t k = 0; k < count; ++k) {
    for (int64_t j = 0; j < kBlock; ++j) block[j] += x[k * stride + j];
  }
  for (int64_t j = 0; j < kBlock; ++j) sums[j] = block[j];
}

// result[i] = (x[i] + x[i + stride] + ... + x[i + (count - 1) * stride]) / divisors[i] for `width` values. The order of
// the additions is libtorch's, so that the sums are rounded alike.
[[gnu::always_inline]] inline void meanOfValues(const float* x, int64_t count, int64_t stride, int64_t width,
                                                const float* divisors, float* result) {
  int64_t i = 0;
  for (; i + kBlock <= width; i += kBlock) sumsOfBlock(x + i, count, stride, result + i);
  if (i < width && width >= kBlock) {  // The last block overlaps the one before it.
    sumsOfBlock(x + width - kBlock, count, stride, result + width - kBlock);
    i = width;
  }
  for (; i < width; ++i) {
    float sum = 0;
    for (int64_t k = 0; k < count; ++k) sum += x[i + k * stride];
    result[i] = sum;
  }
  for (int64_t j = 0; j < width; ++j) result[j] /= divisors[j];
}

using MeanOf = void (*)(const float* x, int64_t count, int64_t stride, int64_t width, const float* divisors,
                        float* result);

#ifdef __x86_64__
[[gnu::target("avx2")]] void meanOfAvx2(const float* x, int64_t count, int64_t stride, int64_t width,
                                        const float* divisors, float* result) {
  meanOfValues(x, count, stride, width, divisors, result);
}
#endif
void meanOfAnywhere(const float* x, int64_t count, int64_t stride, int64_t width, const float* divisors,
                    float* result) {
  meanOfValues(x, count, stride, width, divisors, result);
}

// Wider vectors give the same bits, because the additions of each value keep their order.
MeanOf widestMeanOf() {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx2") != 0) return meanOfAvx2;
#endif
  return meanOfAnywhere;
}
const MeanOf widestMean = widestMeanOf();

// Pixels of [0, extent) that lie within `radius` of pixel `at`.
struct Span {
  int64_t first, count;
  Span(int64_t at, int64_t radius, int64_t extent)
      : first(std::max<int64_t>(at - radius, 0)), count(std::min(at + radius + 1, extent) - first) {}
};

// Averages the rows of x. Zeros beyond the edges leave the sums as they are, so that all values of a row take the same
// steps.
void meanOfRows(const float* x, int64_t radius, int64_t height, int64_t width, float* result) {
  std::vector<float> padded(static_cast<size_t>(width + 2 * radius)), divisors;
  for (int64_t at = 0; at < width; ++at) divisors.push_back(static_cast<float>(Span(at, radius, width).count));
  for (int64_t y = 0; y < height; ++y) {
    std::copy_n(x + y * width, width, padded.data() + radius);
    widestMean(padded.data(), 2 * radius + 1, 1, width, divisors.data(), result + y * width);
  }
}

void meanOfColumns(const float* x, int64_t radius, int64_t height, int64_t width, float* result) {
  std::vector<float> divisors(static_cast<size_t>(width));
  for (int64_t y = 0; y < height; ++y) {
    const Span span(y, radius, height);
    std::fill(divisors.begin(), divisors.end(), static_cast<float>(span.count));
    widestMean(x + span.first * width, span.count, width, width, divisors.data(), result + y * width);
  }
}

// Marks every value of a line within `radius` of a marked one.
void dilateRow(const bool* row, int64_t radius, int64_t width, bool* result) {
  int64_t since = radius + 1;
  for (int64_t x = 0; x < width; ++x) {
    since = row[x] ? 0 : since + 1;
    result[x] = since <= radius;
  }
  since = radius + 1;
  for (int64_t x = width - 1; x >= 0; --x) {
    since = row[x] ? 0 : since + 1;
    result[x] = result[x] || since <= radius;
  }
}

// Does the same for all columns.
void dilateColumns(const bool* mask, int64_t radius, int64_t height, int64_t width, bool* result) {
  std::vector<int64_t> since(static_cast<size_t>(width), radius + 1);
  const auto pass = [&](int64_t y) {
    for (int64_t x = 0; x < width; ++x) {
      int64_t& rows = since[static_cast<size_t>(x)];
      rows = mask[y * width + x] ? 0 : rows + 1;
      result[y * width + x] = result[y * width + x] || rows <= radius;
    }
  };
  std::fill_n(result, height * width, false);
  for (int64_t y = 0; y < height; ++y) pass(y);
  std::fill(since.begin(), since.end(), radius + 1);
  for (int64_t y = height - 1; y >= 0; --y) pass(y);
}

}  // namespace

at::Tensor boxMean(const at::Tensor& x, int64_t radius) {
  const at::Tensor source = x.contiguous(), rows = at::empty_like(source), result = at::empty_like(source);
  const int64_t height = x.size(-2), width = x.size(-1);
  const auto* from = source.const_data_ptr<float>();
  auto *const between = rows.mutable_data_ptr<float>(), *const to = result.mutable_data_ptr<float>();
  for (int64_t channel = 0; channel < x.numel(); channel += height * width) {
    meanOfRows(from + channel, radius, height, width, between + channel);
    meanOfColumns(between + channel, radius, height, width, to + channel);
  }
  return result;
}

at::Tensor boxMeanPlain(const at::Tensor& x, int64_t radius) {
  const int64_t size = 2 * radius + 1;
  const at::Tensor rows = at::avg_pool2d(x.unsqueeze(0), {1, size}, 1, {0, radius}, false, /*count_include_pad=*/false);
  return at::avg_pool2d(rows, {size, 1}, 1, {radius, 0}, false, /*count_include_pad=*/false)[0];
}

at::Tensor dilated(const at::Tensor& mask, int64_t radius) {
  const at::Tensor source = mask.contiguous(), rows = at::empty_like(source), result = at::empty_like(source);
  const int64_t height = mask.size(0), width = mask.size(1);
  const auto* from = source.const_data_ptr<bool>();
  auto* const between = rows.mutable_data_ptr<bool>();
  for (int64_t y = 0; y < height; ++y) dilateRow(from + y * width, radius, width, between + y * width);
  dilateColumns(between, radius, height, width, result.mutable_data_ptr<bool>());
  return result;
}

at::Tensor dilatedPlain(const at::Tensor& mask, int64_t radius) {
  const int64_t size = 2 * radius + 1;  // Rows and then columns give the same result as a square, but need less work.
  const at::Tensor rows = at::max_pool2d(mask.to(at::kFloat).unsqueeze(0), {1, size}, 1, {0, radius});
  return at::max_pool2d(rows, {size, 1}, 1, {radius, 0})[0] > 0;
}

}  // namespace dan::augment
