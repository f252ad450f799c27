#include "ops/amx_pays.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "core/random.h"
#include "ops/attention.h"
#include "ops/cpu/amx_product.h"
#include "ops/kernel_choice.h"

namespace dan::ops {

namespace {

// A class of sizes has the work that is measured for it.
struct Size {
  const char* name;
  int64_t limit;  // sizes up to this one
  int64_t measured;
};
constexpr Size kRows[] = {
    {"linear, to 512 rows", 512, 128}, {"linear, to 4096 rows", 4096, 2048}, {"linear, more rows", INT64_MAX, 8192}};
constexpr Size kSides[] = {{"convolution, to 512 pixels", 512, 16},
                           {"convolution, to 4096 pixels", 4096, 48},
                           {"convolution, more pixels", INT64_MAX, 80}};  // measured: the side of an image
constexpr Size kKeys[] = {{"attention, to 256 keys", 256, 77}, {"attention, more keys", INT64_MAX, 1024}};

// The power that a CPU needs, and so its speed, depends on the values.
at::Tensor drawn(at::IntArrayRef shape) { return randn(shape, makeGenerator(0)).to(at::kBFloat16); }

Contest linearContest(const Size& size) {
  constexpr int64_t kWidth = 640;
  const at::Tensor x = drawn({size.measured, kWidth}), weight = drawn({kWidth, kWidth}), bias = drawn({kWidth});
  const at::Tensor wideBias = bias.to(at::kFloat), result = at::empty_like(x);
  const cpu::ProductWeights weights{weight.const_data_ptr(), at::kBFloat16, kWidth, 1, kWidth, kWidth, 0, 1};
  return {size.name, [=] { cpu::amxLinear(*cpu::kernels(), x, weights, wideBias.const_data_ptr<float>(), result); },
          [=] { at::linear(x, weight, bias); }};
}

Contest convolutionContest(const Size& size) {
  constexpr int64_t kWidth = 320, kTaps = 9;
  const auto channelsLast = [](const at::Tensor& x) { return x.contiguous(at::MemoryFormat::ChannelsLast); };
  const at::Tensor x = channelsLast(drawn({1, kWidth, size.measured, size.measured}));
  const at::Tensor weight = channelsLast(drawn({kWidth, kWidth, 3, 3})), bias = drawn({kWidth});
  const at::Tensor wideBias = bias.to(at::kFloat), result = at::empty_like(x);
  const cpu::ProductWeights weights{weight.const_data_ptr(), at::kBFloat16, kWidth, kTaps, kWidth,
                                    kTaps * kWidth,          kWidth,        1};
  return {size.name,
          [=] { cpu::amxConvolution(*cpu::kernels(), x, weights, wideBias.const_data_ptr<float>(), result); },
          [=] { at::conv2d(x, weight, bias, 1, 1); }};
}

Contest attentionContest(const Size& size) {
  constexpr int64_t kQueries = 1024, kHeads = 8, kWidth = 40 * kHeads;
  const at::Tensor q = drawn({1, kQueries, kWidth}), kv = drawn({1, size.measured, kWidth});
  return {size.name, [=] { attentionOnKernels(q, kv, kv, kHeads); }, [=] { attentionPlain(q, kv, kv, kHeads); }};
}

bool oursIsUsed(const char* name) {
  static const Choices choices = [] {
    const at::NoGradGuard noGrad;
    std::vector<Contest> contests;
    for (const Size& size : kRows) contests.push_back(linearContest(size));
    for (const Size& size : kSides) contests.push_back(convolutionContest(size));
    for (const Size& size : kKeys) contests.push_back(attentionContest(size));
    const std::string machine = describeMachine();
    return readOrMeasure(choicesPath(machine), machine, contests, race);
  }();
  return choices.at(name);
}

template <size_t count>
bool paysFor(const Size (&sizes)[count], int64_t size) {
  const cpu::Kernels* kernels = cpu::kernels();
  if (kernels == nullptr || kernels->amx == nullptr) return false;
  if (cpu::areKernelsReplaced()) return true;  // by a test, whose own speed does not matter
  size_t index = 0;
  while (size > sizes[index].limit) ++index;
  return oursIsUsed(sizes[index].name);
}

}  // namespace

bool amxPaysForLinear(int64_t rows) { return rows >= cpu::kAmxRows && paysFor(kRows, rows); }
bool amxPaysForConvolution(int64_t pixels) { return paysFor(kSides, pixels); }
bool amxPaysForAttention(int64_t keys) { return paysFor(kKeys, keys); }

}  // namespace dan::ops
