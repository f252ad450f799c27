// dualanodiff-bench NAME [--size N] [--pairs N] [--cfg] [--dtype X] [--device X] [--threads N] [--reps N] [--base DIR]
//                   [--stored X] [--tokens N] [--width N] [--plain] [--checkpointing] [--profile] [--capability X]
// The program prints one line of JSON. Users start it through bench/run.mjs.
#include <ATen/Parallel.h>

#include <cstdio>
#include <iostream>
#include <map>

#include "bench/options.h"
#include "core/error.h"
#include "core/host_memory.h"
#include "core/wait_policy.h"
#include "ops/cpu/kernels.h"

namespace {

using dan::bench::BenchOptions;

// Lets the process use the kernels of a less capable CPU than this one.
void limitCapability(const std::string& name) {
  const auto capability = dan::ops::cpu::capabilityNamed(name);
  if (!capability)
    dan::fail(dan::kInvalidOption, "--capability must be avx2, avx512, avx512_bf16 or amx, but it is '", name, "'");
  dan::ops::cpu::limitCapability(*capability);
  const auto& set = dan::ops::cpu::kernelSets()[static_cast<size_t>(*capability)];
  if (!set.isSupported) dan::fail(dan::kInvalidOption, "--capability ", name, " is more than this CPU can do");
}

BenchOptions parse(int argc, char** argv) {
  BenchOptions options;
  options.name = argc > 1 ? argv[1] : "";
  for (int i = 2; i < argc; ++i) {
    const std::string flag = argv[i];
    const std::map<std::string, bool*> switches = {{"--cfg", &options.guidance},
                                                   {"--plain", &options.plain},
                                                   {"--checkpointing", &options.checkpointing},
                                                   {"--profile", &options.profile}};
    if (switches.count(flag) > 0) {
      *switches.at(flag) = true;
      continue;
    }
    if (i + 1 >= argc) dan::fail(dan::kInvalidOption, flag, " needs a value");
    const std::string value = argv[++i];
    if (flag == "--size")
      options.size = std::stoll(value);
    else if (flag == "--pairs")
      options.pairs = std::stoll(value);
    else if (flag == "--tokens")
      options.tokens = std::stoll(value);
    else if (flag == "--width")
      options.width = std::stoll(value);
    else if (flag == "--rank")
      options.rank = std::stoll(value);
    else if (flag == "--dtype")
      options.dtype = value;
    else if (flag == "--stored")
      options.stored = value;
    else if (flag == "--device")
      options.device = value;
    else if (flag == "--threads")
      options.threads = std::stoi(value);
    else if (flag == "--reps")
      options.reps = std::stoi(value);
    else if (flag == "--capability")
      limitCapability(value);
    else if (flag == "--base")
      options.base = value;
    else if (flag == "--out")
      options.out = value;
    else
      dan::fail(dan::kInvalidOption, "unknown flag ", flag);
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  dan::restartWithWaitPolicy(argv);
  const std::map<std::string, nlohmann::json (*)(const BenchOptions&)> benchmarks = {
      {"denoise-step", dan::bench::denoiseStep},
      {"train-step", dan::bench::trainStep},
      {"saim", dan::bench::saim},
      {"bcm", dan::bench::bcm},
      {"vae", dan::bench::vae},
      {"sample", dan::bench::sample},
      {"load", dan::bench::load},
      {"write-stand-in", dan::bench::writeStandIn}};
  try {
    const BenchOptions options = parse(argc, argv);
    const auto benchmark = benchmarks.find(options.name);
    if (benchmark == benchmarks.end()) {
      std::cerr << "expected denoise-step, train-step, saim, bcm, vae, sample or load\n";
      return 2;
    }
    dan::keepHostMemory();
    if (options.threads > 0) at::set_num_threads(options.threads);
    std::cout << benchmark->second(options) << "\n";
  } catch (const c10::Error& error) {
    std::cerr << error.what_without_backtrace() << "\n";
    return 1;
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
