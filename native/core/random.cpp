#include "core/random.h"

#include <ATen/CPUGeneratorImpl.h>

namespace dan {

namespace {

// This is the finaliser of SplitMix64 (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators").
uint64_t splitmix64(uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

}  // namespace

at::Generator makeGenerator(uint64_t seed) { return at::detail::createCPUGenerator(seed); }

at::Generator makeGenerator(uint64_t seed, uint64_t index) {
  return at::detail::createCPUGenerator(splitmix64(splitmix64(seed) ^ index));
}

at::Tensor randn(at::IntArrayRef shape, at::Generator generator) {
  return at::randn(shape, std::move(generator), at::TensorOptions().dtype(at::kFloat));
}

at::Tensor generatorState(const at::Generator& generator) { return generator.get_state().clone(); }

void setGeneratorState(at::Generator& generator, const at::Tensor& state) { generator.set_state(state); }

}  // namespace dan
