#include "sample/decoding.h"

#include <algorithm>

#include "core/pixel_values.h"
#include "dual/branch.h"

namespace dan::sample {

namespace {

// So many pairs are decoded at once. On a CPU we decode few, because the decoder needs much memory for each.
constexpr int64_t kDecodedOnCpu = 1, kDecodedOnDevice = 4;

// Copies from CUDA without waiting. DrawnPairs::arrived tells when the copy is complete.
at::Tensor sentToHost(const at::Tensor& x) {
  if (!x.is_cuda()) return x.cpu();
  return at::empty(x.sizes(), x.options().device(at::kCPU).pinned_memory(true)).copy_(x, /*non_blocking=*/true);
}

// Decodes latents, (N, 4, h, w), to (N, H, W, 3) uint8 on the host.
at::Tensor decodedBytes(const DecodeInputs& inputs, const at::Tensor& latents, FiniteChecks& checks) {
  return sentToHost(toBytes(decodePixels(inputs.base, latents, inputs.isFast, checks)));
}

// Decodes pairs `from` .. `from` + `count` - 1.
std::vector<SampledPair> decodeSome(const DecodeInputs& inputs, int64_t from, int64_t count, FiniteChecks& checks) {
  const at::Tensor byPair = dual::unpackBranches(inputs.latents).narrow(0, from, count);
  std::vector<SampledPair> pairs(static_cast<size_t>(count));
  if (inputs.isOneBranch) {
    const at::Tensor images = decodedBytes(inputs, byPair.select(1, dual::kGlobal), checks);
    for (int64_t i = 0; i < count; ++i) pairs[static_cast<size_t>(i)].image = images[i];
    for (SampledPair& pair : pairs) pair.part = pair.image;
    return pairs;
  }
  const at::Tensor bytes = dual::unpackBranches(decodedBytes(inputs, byPair.flatten(0, 1), checks));
  for (int64_t i = 0; i < count; ++i) {
    pairs[static_cast<size_t>(i)].image = bytes[i][dual::kGlobal];
    pairs[static_cast<size_t>(i)].part = bytes[i][dual::kAnomaly];
  }
  return pairs;
}

}  // namespace

at::Tensor decodePixels(const model::BaseModel& base, const at::Tensor& latents, bool isFast, FiniteChecks& checks) {
  const at::Tensor pixels =
      isFast ? base.taesd->decode(latents) : base.vae->decode(latents / base.vae->config().scalingFactor);
  checks.add(pixels, isFast ? model::kTaesdDecoder : model::kVaeDecoder);
  return pixels;
}

std::vector<SampledPair> DrawnPairs::take() {
  if (arrived) arrived->wait();
  checks.expect();
  return std::move(pairs);
}

DrawnPairs decodePairs(const DecodeInputs& inputs, FiniteChecks checks, const Task& task) {
  const at::Device device = inputs.base.device();
  const auto all = static_cast<int64_t>(inputs.indices.size());
  const int64_t most = device.is_cpu() ? kDecodedOnCpu : kDecodedOnDevice;
  at::Tensor attention;
  if (inputs.attention.defined()) attention = sentToHost(inputs.attention.mul(255).round().to(at::kByte));
  DrawnPairs drawn;
  drawn.checks = std::move(checks);
  for (int64_t from = 0; from < all; from += most) {
    task.checkCancelled();
    for (SampledPair& pair : decodeSome(inputs, from, std::min(most, all - from), drawn.checks)) {
      const size_t i = drawn.pairs.size();
      pair.index = inputs.indices[i];
      if (attention.defined()) pair.attention = attention[static_cast<int64_t>(i)];
      drawn.pairs.push_back(std::move(pair));
    }
  }
  drawn.checks.send();
  if (device.is_cuda()) drawn.arrived = cudaState().services->mark(device);
  return drawn;
}

}  // namespace dan::sample
