// The engine chooses some things once per process, and several users share others at the same time.
#include <ATen/core/grad_mode.h>

#include <fstream>
#include <sstream>

#include "core/accelerator.h"
#include "core/random.h"
#include "io/safetensors.h"
#include "model/base_model.h"
#include "ops/frozen.h"
#include "ops/geglu.h"
#include "ops/group_norm_silu.h"
#include "ops/pair_norm.h"
#include "tests/on_threads.h"
#include "tests/test.h"

namespace dan::tests {

DAN_TEST(operations_are_found_and_chosen_by_several_threads) {
  const at::Tensor x = randn({2, 32, 12, 12}, makeGenerator(1)), tokens = randn({2, 9, 32}, makeGenerator(2));
  const at::Tensor kernel = randn({32, 32, 3, 3}, makeGenerator(3)), weight = randn({64, 32}, makeGenerator(4));
  const at::Tensor scale = randn({32}, makeGenerator(5)), shift = randn({32}, makeGenerator(6));
  const auto compute = [&] {
    const at::NoGradGuard noGrad;
    return std::vector<at::Tensor>{
        ops::frozenConv2d(x, kernel, shift, {1, 1, 1}), ops::geglu(ops::frozenLinear(tokens, weight, {})),
        ops::groupNormSilu(x, 8, scale, shift, 1e-5), std::get<1>(ops::pairNorm(tokens, scale, shift, 1e-6))};
  };
  std::vector<std::vector<at::Tensor>> results(kThreads);
  onThreads([&](int i) {
    EXPECT(cudaState().services == openedCudaServices());
    results[static_cast<size_t>(i)] = compute();
  });
  const auto expected = compute();
  for (const auto& result : results) {
    for (size_t k = 0; k < expected.size(); ++k) EXPECT(result[k].equal(expected[k]));
  }
}

DAN_TEST(bases_are_loaded_and_files_written_by_several_threads) {
  const Scratch scratch;
  const auto path = [&](int i) { return scratch.at(c10::str("states-", i, ".safetensors")); };
  std::vector<std::string> fingerprints(kThreads);
  onThreads([&](int i) {
    const at::NoGradGuard noGrad;
    const auto base = model::loadBaseModel(fixture("tiny-sd"), at::kCPU, at::kFloat);
    fingerprints[static_cast<size_t>(i)] = base->fingerprint;
    io::writeSafetensors(path(i), {{"states", base->textEncoder->forward(base->tokenize({"a stain"}))}}, {});
  });
  const auto bytes = [&](int i) {
    std::ostringstream text;
    text << std::ifstream(path(i), std::ios::binary).rdbuf();
    return text.str();
  };
  for (int i = 1; i < kThreads; ++i) {
    EXPECT(fingerprints[static_cast<size_t>(i)] == fingerprints[0]);
    EXPECT(bytes(i) == bytes(0) && !bytes(i).empty());
  }
}

}  // namespace dan::tests
