// All benchmarks share these options and this result.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "model/base_model.h"

namespace dan::bench {

struct BenchOptions {
  std::string name, device = "cpu", dtype = "float32", base, out;
  std::string stored = "float16";  // the precision of the base's files
  int64_t size = 512, pairs = 1, rank = 32;
  int64_t tokens = 4096, width = 320;  // of saim
  int threads = 0, reps = 3;
  bool guidance = false;
  bool plain = false;          // saim: computed as in the paper
  bool checkpointing = false;  // train-step: gradient checkpointing
  bool profile = false;        // If true, a further run is profiled by operation.
};

// Runs `step` once to warm up, then `reps` times. Returns the keys that peer/dual_step.py prints.
nlohmann::json measure(const BenchOptions& options, const std::string& what, int64_t batch, int64_t trainable,
                       const std::function<void()>& step);

// Loads the base of `--base`, or builds one with Stable Diffusion 1.5's sizes and random weights.
std::unique_ptr<model::BaseModel> makeBase(const BenchOptions& options);

nlohmann::json denoiseStep(const BenchOptions& options);
nlohmann::json trainStep(const BenchOptions& options);
nlohmann::json saim(const BenchOptions& options);
nlohmann::json bcm(const BenchOptions& options);
nlohmann::json vae(const BenchOptions& options);
nlohmann::json sample(const BenchOptions& options);
nlohmann::json load(const BenchOptions& options);
// This is not a benchmark. It writes a random base of Stable Diffusion 1.5's sizes in half precision to the folder
// `--out`, with the tokenizer of the base `--base`, and a fresh adapter for it.
nlohmann::json writeStandIn(const BenchOptions& options);

}  // namespace dan::bench
