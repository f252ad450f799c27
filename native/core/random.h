// Every draw of random numbers comes from a generator that the caller passes.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

namespace dan {

// Returns a CPU generator (mt19937) at the start of its sequence for `seed`.
at::Generator makeGenerator(uint64_t seed);

// Returns the generator for item `index` of `seed`. It derives only from these two numbers (by splitmix64), so it does
// not depend on the batch size, the resume point or the worker.
at::Generator makeGenerator(uint64_t seed, uint64_t index);

// Draws standard normal numbers in float32 on the CPU, so that every device starts from the same noise.
at::Tensor randn(at::IntArrayRef shape, at::Generator generator);

// These convert the whole state to a byte tensor and back.
at::Tensor generatorState(const at::Generator& generator);
void setGeneratorState(at::Generator& generator, const at::Tensor& state);

}  // namespace dan
