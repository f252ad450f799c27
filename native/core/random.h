// Random numbers: every draw comes from a generator that the caller passes.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

namespace dan {

// A CPU generator (mt19937) at the start of its sequence for `seed`.
at::Generator makeGenerator(uint64_t seed);

// The generator for item `index` of `seed`: independent of batch size, resume point and worker, because it is derived
// from the two numbers alone (splitmix64 of their combination).
at::Generator makeGenerator(uint64_t seed, uint64_t index);

// Standard normal numbers in float32 on the CPU, so that every device starts from the same noise.
at::Tensor randn(at::IntArrayRef shape, at::Generator generator);

// The whole state as a byte tensor, and back.
at::Tensor generatorState(const at::Generator& generator);
void setGeneratorState(at::Generator& generator, const at::Tensor& state);

}  // namespace dan
