// These tests run the products of AMX on any CPU: with the model of its tiles, and with the machine code of amx.cpp,
// whose instructions are emulated where the CPU lacks them.
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <cfloat>
#include <cmath>
#include <cstring>
#include <functional>
#include <random>

#include "core/random.h"
#include "ops/cpu/amx_product.h"
#include "ops/frozen.h"
#include "tests/amx_model.h"
#include "tests/amx_trap.h"
#include "tests/emulated_kernels.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

using ops::cpu::Capability;

// The loops of the emulated kernels are compiled for AVX2.
bool canEmulate() { return ops::cpu::kernelSets()[static_cast<size_t>(Capability::kAvx2)].isSupported; }
// If the operating system refuses AMX, only some of its instructions are illegal, so they cannot all be emulated.
bool canTrap() { return !ops::cpu::isAmxRefused(); }

template <class To, class From>
To bitCast(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof(to));
  return to;
}

float flushDenormal(float x) { return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.0F, x) : x; }
float makeFp32(uint16_t x) { return flushDenormal(bitCast<float>(static_cast<uint32_t>(x) << 16)); }
// A sum and a product in 113 bits are rounded once.
float fusedMultiplyAdd(float a, float b, float c) {
  return flushDenormal(static_cast<float>(static_cast<__float128>(a) * b + c));
}

// This is TDPBF16PS as in Intel's Software Developer's Manual, element by element. a: m x 2k, b: k x 2n, c: m x n.
void multiplyByManual(int m, int k, int n, const uint16_t* a, const uint16_t* b, float* c) {
  for (int row = 0; row < m; ++row) {
    for (int column = 0; column < n; ++column) {
      float temp[2] = {0, 0};
      for (int pair = 0; pair < k; ++pair) {
        for (int half = 0; half < 2; ++half) {
          const uint16_t left = a[row * 2 * k + 2 * pair + half], right = b[pair * 2 * n + 2 * column + half];
          temp[half] = fusedMultiplyAdd(makeFp32(left), makeFp32(right), temp[half]);
        }
      }
      float& sum = c[row * n + column];
      sum = flushDenormal(flushDenormal(sum) + flushDenormal(temp[0] + temp[1]));
    }
  }
}

// |actual - expected| must be within half a unit of bfloat16's last place of the result, and the rounding of float32
// sums: each of the K additions errs by at most 2^-24 of a sum, which the sum of the magnitudes bounds.
void expectRounded(const at::Tensor& actual, const at::Tensor& expected, const at::Tensor& magnitudes, int64_t depth,
                   const std::string& what) {
  EXPECT(actual.sizes() == expected.sizes());
  EXPECT(actual.scalar_type() == at::kBFloat16);
  const double share = static_cast<double>(depth + 2) * std::pow(2.0, -24);
  const at::Tensor bound = expected.abs() * std::pow(2.0, -8) + magnitudes * share * 2;
  const at::Tensor excess = (actual.to(at::kDouble) - expected).abs() - bound;
  if (!(excess.max().item<double>() <= 0))
    failTest(c10::str(what, " is off by ", excess.max().item<double>(), " more"));
}

at::Tensor wide(const at::Tensor& x) { return x.to(at::kDouble); }
at::Tensor drawn(at::IntArrayRef shape, uint64_t seed) { return randn(shape, makeGenerator(seed)).to(at::kBFloat16); }

// Runs `body` on one thread, which packs the columns that it multiplies if rows are few and there are several blocks of
// columns. Then it runs `body` on four threads, which share the packed columns of such small products.
void onFewAndManyThreads(const std::string& how, const std::function<void(const std::string&)>& body) {
  const int before = at::get_num_threads();
  for (const int threads : {1, 4}) {
    at::set_num_threads(threads);
    body(c10::str(how, " on ", threads, " threads"));
  }
  at::set_num_threads(before);
}

// Runs `body` with the model and with the emulated machine code.
void withBoth(const std::function<void(const std::string&)>& body) {
  if (!canEmulate()) return;
  {
    const UseKernels model(emulatedAmx());
    onFewAndManyThreads("the model", body);
  }
  if (!canTrap()) return;
  const UseKernels trapped(trappedAmx());
  const AmxTrap trap;
  onFewAndManyThreads("the machine code", body);
}

}  // namespace

DAN_TEST(the_model_of_amx_multiplies_as_intels_manual_says) {
  std::mt19937 random(1);
  for (const auto& [m, k, n] : {std::array<int, 3>{16, 16, 16}, {1, 1, 1}, {5, 3, 9}, {16, 2, 7}}) {
    // Any bits but those of infinities and NaN, so also denormals, zeros and overflows.
    const auto bfloat16 = [&] {
      for (;;) {
        const auto bits = static_cast<uint16_t>(random());
        if ((bits & 0x7F80) != 0x7F80) return random() % 8 == 0 ? static_cast<uint16_t>(bits & 0x807F) : bits;
      }
    };
    for (int round = 0; round < 40; ++round) {
      std::vector<uint16_t> a(static_cast<size_t>(m * 2 * k)), b(static_cast<size_t>(k * 2 * n));
      std::vector<float> expected(static_cast<size_t>(m * n));
      // In every second round the values are near one, so that sums have all their bits.
      const auto value = [&] {
        return round % 2 == 0 ? bfloat16()
                              : static_cast<uint16_t>((bfloat16() & 0x807F) | ((120 + random() % 10) << 7));
      };
      for (uint16_t& x : a) x = value();
      for (uint16_t& x : b) x = value();
      for (float& x : expected) x = bitCast<float>(static_cast<uint32_t>(value()) << 16);
      std::vector<float> actual = expected;
      multiplyByManual(m, k, n, a.data(), b.data(), expected.data());
      ops::cpu::AmxConfig config;
      config.rows[0] = config.rows[1] = static_cast<uint8_t>(m);
      config.rows[2] = static_cast<uint8_t>(k);
      config.bytesOfRow[0] = config.bytesOfRow[2] = static_cast<uint16_t>(4 * n);
      config.bytesOfRow[1] = static_cast<uint16_t>(4 * k);
      AmxModel::configure(config);
      AmxModel::load(0, actual.data(), 4 * n);
      AmxModel::load(1, a.data(), 4 * k);
      AmxModel::load(2, b.data(), 4 * n);
      AmxModel::multiplyAdd(0, 1, 2);
      AmxModel::store(0, actual.data(), 4 * n);
      AmxModel::release();
      for (size_t i = 0; i < actual.size(); ++i) {
        EXPECT(std::isnan(expected[i]) ? std::isnan(actual[i])
                                       : bitCast<uint32_t>(actual[i]) == bitCast<uint32_t>(expected[i]));
      }
    }
  }
}

DAN_TEST(blocks_of_amx_are_those_of_the_model) {
  if (!canTrap()) return;
  // On a CPU with AMX this compares the model with the CPU itself, which may add in another order.
  const bool hasAmx = ops::cpu::kernelSets()[static_cast<size_t>(Capability::kAmx)].isSupported;
  constexpr int64_t kSteps = 3, kColumns = 48;
  const at::Tensor left = drawn({ops::cpu::kAmxRows, kSteps * ops::cpu::kAmxDepth + 6}, 1);
  const at::Tensor right = drawn({kSteps * ops::cpu::kAmxWords, 2 * kColumns}, 2);
  const at::Tensor start = randn({ops::cpu::kAmxRows, kColumns}, makeGenerator(3));
  const std::array<int64_t, 3> offsets = {64, 0, 38};
  const int64_t before = AmxTrap::emulated();
  for (const bool accumulate : {false, true}) {
    for (const bool isNarrow : {false, true}) {
      for (const int64_t* stepOffsets : {static_cast<const int64_t*>(nullptr), offsets.data()}) {
        const auto run = [&](const ops::cpu::AmxProducts& products) {
          at::Tensor sums = start.clone();
          products.configure();
          (isNarrow ? products.multiplyNarrow
                    : products.multiply)({static_cast<const uint16_t*>(left.const_data_ptr()), left.stride(0),
                                          ops::cpu::kAmxTileRows * left.stride(0), stepOffsets, kSteps,
                                          static_cast<const float*>(right.const_data_ptr()), kColumns, 32,
                                          sums.mutable_data_ptr<float>(), kColumns, accumulate});
          products.release();
          return sums;
        };
        const AmxTrap trap;
        const at::Tensor sums = run(ops::cpu::kAmxProducts);
        const at::Tensor expected = run(kModelProducts);
        EXPECT(hasAmx ? at::allclose(sums, expected, 1e-5, 1e-4) : at::equal(sums, expected));
        EXPECT(at::equal(sums.narrow(1, 16, 16), start.narrow(1, 16, 16)) == isNarrow);
        EXPECT(at::equal(sums.narrow(1, 32, 16), start.narrow(1, 32, 16)));
      }
    }
  }
  EXPECT((AmxTrap::emulated() > before) == !hasAmx);
}

DAN_TEST(amx_linear_takes_any_rows_columns_and_layout) {
  const at::NoGradGuard noGrad;
  withBoth([](const std::string& how) {
    uint64_t seed = 0;
    for (const auto& [rows, in, out] :
         // The deepest products are added up in two chunks.
         {std::array<int64_t, 3>{32, 32, 5},
          {33, 64, 32},
          {77, 320, 130},
          {300, 544, 100},
          {40, 12320, 33},
          {32, 12320, 97},
          {1100, 32, 130}}) {
      const at::Tensor x = drawn({rows, in}, ++seed), weight = drawn({out, in}, ++seed), bias = drawn({out}, ++seed);
      const at::Tensor expected = at::linear(wide(x), wide(weight), wide(bias));
      const at::Tensor magnitudes = at::linear(wide(x).abs(), wide(weight).abs(), wide(bias).abs());
      for (const at::Tensor& stored :
           {weight, weight.t().contiguous().t(), at::cat({weight, weight}, 1).narrow(1, 0, in),
            at::cat({weight, weight}, 1).narrow(1, 1, in)}) {
        const bool isShifted = stored.storage_offset() == 1;
        const at::Tensor own = isShifted ? at::linear(wide(x), wide(stored), wide(bias)) : expected;
        const at::Tensor ownMagnitudes =
            isShifted ? at::linear(wide(x).abs(), wide(stored).abs(), wide(bias).abs()) : magnitudes;
        expectRounded(ops::frozenLinear(x, stored, bias), own, ownMagnitudes, in,
                      c10::str(how, ", ", rows, " x ", in, " x ", out));
      }
      expectRounded(ops::frozenLinear(x.unsqueeze(0), weight, {}), (expected - wide(bias)).unsqueeze(0),
                    magnitudes.unsqueeze(0), in, "without a bias");
    }
  });
}

DAN_TEST(amx_convolution_takes_any_image) {
  const at::NoGradGuard noGrad;
  withBoth([](const std::string& how) {
    uint64_t seed = 20;
    for (const auto& [images, height, width] :
         // Some images are one task, and some are several: of rows that tiles fill or not, and of single rows.
         {std::array<int64_t, 3>{1, 1, 1},
          {2, 5, 7},
          {3, 8, 8},
          {1, 2, 40},
          {1, 33, 3},
          {2, 18, 16},
          {1, 9, 33},
          {1, 3, 257},
          {1, 3, 272},
          {1, 6, 257},
          {1, 6, 272},
          {5, 18, 16}}) {
      const at::Tensor x = drawn({images, 64, height, width}, ++seed), bias = drawn({100}, ++seed);
      for (const int64_t kernel : {1, 3}) {
        const at::Tensor weight = drawn({100, 64, kernel, kernel}, ++seed);
        const auto convolve = [&](const auto& of) { return at::conv2d(of(x), of(weight), of(bias), 1, kernel / 2); };
        const at::Tensor expected = convolve(wide);
        const at::Tensor magnitudes = convolve([](const at::Tensor& t) { return wide(t).abs(); });
        for (const auto layout : {at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast}) {
          const at::Tensor result =
              ops::frozenConv2d(x.contiguous(layout), weight.contiguous(layout), bias, {1, kernel / 2, 1});
          expectRounded(result, expected, magnitudes, 64 * kernel * kernel,
                        c10::str(how, ", ", images, " images of ", height, " x ", width, ", kernel ", kernel));
        }
      }
    }
  });
}

DAN_TEST(amx_serves_grouped_layers_and_gradients) {
  withBoth([](const std::string& how) {
    const at::Tensor x = drawn({2, 40, 96}, 41), weight = drawn({2, 96, 3 * 50}, 42).narrow(2, 50, 50);
    {
      const at::NoGradGuard noGrad;
      expectRounded(ops::groupedLinear(x, weight), at::bmm(wide(x), wide(weight)),
                    at::bmm(wide(x).abs(), wide(weight).abs()), 96, how + ", groups");
    }
    // The gradient of a sum with these factors is the product of the factors and the weights.
    const at::Tensor input = drawn({50, 64}, 43).requires_grad_(), matrix = drawn({96, 64}, 44);
    const at::Tensor factors = drawn({50, 96}, 45);
    (ops::frozenLinear(input, matrix, {}) * factors).sum().backward();
    expectRounded(input.grad(), at::mm(wide(factors), wide(matrix)), at::mm(wide(factors).abs(), wide(matrix).abs()),
                  96, how + ", linear's gradient");

    const at::Tensor image = drawn({2, 32, 6, 5}, 46).requires_grad_(), kernel = drawn({64, 32, 3, 3}, 47);
    const at::Tensor ofResult = drawn({2, 64, 6, 5}, 48);
    (ops::frozenConv2d(image, kernel, {}, {1, 1, 1}) * ofResult).sum().backward();
    const auto turned = [](const at::Tensor& gradient, const at::Tensor& weights) {
      return at::conv_transpose2d(gradient, weights, std::nullopt, 1, 1);
    };
    expectRounded(image.grad(), turned(wide(ofResult), wide(kernel)), turned(wide(ofResult).abs(), wide(kernel).abs()),
                  64 * 9, how + ", convolution's gradient");
  });
}

DAN_TEST(amx_leaves_other_layers_to_libtorch) {
  const at::NoGradGuard noGrad;
  if (!canEmulate()) return;
  const UseKernels use(emulatedAmx());
  const auto expectPlain = [](const at::Tensor& actual, const at::Tensor& plain) { EXPECT(at::equal(actual, plain)); };
  // Too few rows, a depth that fills no whole step, and another geometry.
  for (const auto& [rows, in] : {std::array<int64_t, 2>{31, 64}, {40, 48}, {0, 64}}) {
    const at::Tensor x = drawn({rows, in}, 51), weight = drawn({8, in}, 52);
    expectPlain(ops::frozenLinear(x, weight, {}), ops::frozenLinearPlain(x, weight, {}));
  }
  const at::Tensor image = drawn({1, 32, 12, 12}, 53), kernel = drawn({8, 32, 3, 3}, 54);
  for (const ops::ConvGeometry& geometry : {ops::ConvGeometry{2, 1, 1}, {1, 0, 1}, {1, 2, 2}})
    expectPlain(ops::frozenConv2d(image, kernel, {}, geometry), ops::frozenConv2dPlain(image, kernel, {}, geometry));
}

DAN_TEST(amx_gives_the_same_bits_with_any_number_of_threads) {
  const at::NoGradGuard noGrad;
  if (!canEmulate()) return;
  const UseKernels use(emulatedAmx());
  const int threads = at::get_num_threads();
  const auto expectSameBits = [&](const std::function<at::Tensor()>& multiply) {
    std::vector<at::Tensor> results;
    // One thread and three pack the columns that they multiply if rows are few. Twenty share the packed columns.
    for (const int count : {1, 3, 20}) {
      at::set_num_threads(count);
      results.push_back(multiply());
    }
    at::set_num_threads(threads);
    EXPECT(at::equal(results[0], results[1]) && at::equal(results[0], results[2]));
  };
  // If rows are many, there are enough columns that more threads form more groups of them.
  const at::Tensor weight = drawn({416, 640}, 62), kernel = drawn({416, 32, 3, 3}, 64);
  for (const int64_t rows : {300, 1100}) {
    const at::Tensor x = drawn({rows, 640}, 61);
    expectSameBits([&] { return ops::frozenLinear(x, weight, {}); });
  }
  for (const int64_t images : {2, 3}) {
    const at::Tensor image = drawn({images, 32, 18, 16}, 63);
    expectSameBits([&] { return ops::frozenConv2d(image, kernel, {}, {1, 1, 1}); });
  }
}

}  // namespace dan::tests
