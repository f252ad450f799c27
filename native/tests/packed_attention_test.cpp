// This file tests libtorch's attention on a CPU with AMX that runs the kernels of an older CPU. It works on any CPU,
// because in this program libtorch calls the function below instead of asking the CPU.
#include <ATen/Version.h>
#include <ATen/core/grad_mode.h>
#include <ATen/native/CPUBlas.h>
#include <dlfcn.h>

#include "core/random.h"
#include "ops/attention.h"
#include "tests/test.h"

namespace {
bool pretendsAmx = false;
}

namespace at::native::cpublas {

bool could_pack(ScalarType type) {
  if (pretendsAmx && at::isReducedFloatingType(type)) return true;
  static const auto own =
      reinterpret_cast<bool (*)(ScalarType)>(dlsym(RTLD_NEXT, "_ZN2at6native7cpublas10could_packEN3c1010ScalarTypeE"));
  if (own == nullptr) dan::tests::failTest("libtorch has no cpublas::could_pack");
  return own(type);
}

}  // namespace at::native::cpublas

namespace dan::tests {

namespace {

struct PretendAmx {
  PretendAmx() { pretendsAmx = true; }
  ~PretendAmx() { pretendsAmx = false; }
};

}  // namespace

DAN_TEST(attention_knows_when_libtorch_cannot_pack) {
  EXPECT(ops::cannotPack("DEFAULT", true) && ops::cannotPack("AVX2", true));
  EXPECT(!ops::cannotPack("AVX512", true));
  EXPECT(!ops::cannotPack("DEFAULT", false) && !ops::cannotPack("AVX512", false));
}

DAN_TEST(attention_in_half_precision_needs_no_avx512_where_there_is_amx) {
  // `npm test` also runs this file with the kernels of an older CPU.
  if (at::get_cpu_capability() == "AVX512") return;
  const PretendAmx amx;
  const int64_t heads = 8;
  for (const at::ScalarType dtype : {at::kBFloat16, at::kHalf}) {
    const auto input = [dtype](uint64_t seed) { return randn({2, 1024, 512}, makeGenerator(seed)).to(dtype); };
    const at::Tensor q = input(1), k = input(2), v = input(3).requires_grad_();
    const auto split = [](const at::Tensor& x) { return x.unflatten(-1, {heads, -1}).transpose(1, 2); };
    expectError([&] { at::scaled_dot_product_attention(split(q), split(k), split(v)); }, "avx512 is supported");

    const at::Tensor wide = v.detach().to(at::kDouble).requires_grad_();
    const at::Tensor expected = ops::attentionPlain(q.to(at::kDouble), k.to(at::kDouble), wide, heads);
    const at::Tensor actual = ops::attention(q, k, v, heads);
    EXPECT(actual.scalar_type() == dtype);
    expectClose(actual, expected, 1e-2, 1e-2, "the values");
    actual.sum().backward();
    expected.sum().backward();
    expectClose(v.grad(), wide.grad(), 1e-2, 1e-2, "the gradient");
    const at::NoGradGuard noGrad;
    expectClose(ops::attention(q, k, v, heads), expected, 1e-2, 1e-2, "the values without a gradient");
  }
}

}  // namespace dan::tests
