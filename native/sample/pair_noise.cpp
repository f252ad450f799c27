#include "sample/pair_noise.h"

#include <cmath>

#include "core/random.h"
#include "dual/branch.h"

namespace dan::sample {

namespace {

at::Tensor asColumns(const at::Tensor& means) { return means.unsqueeze(-1).unsqueeze(-1); }

}  // namespace

PairNoise::PairNoise(const Inputs& inputs) : device_(inputs.base.device()) {
  const model::VaeConfig& vae = inputs.base.vae->config();
  latentShape_ = {dual::kNumBranches, vae.latentChannels, inputs.height / vae.downscale(),
                  inputs.width / vae.downscale()};
  for (const int64_t index : inputs.indices) {
    generators_.push_back(makeGenerator(inputs.seed, static_cast<uint64_t>(index)));
  }
}

at::Tensor PairNoise::draw(int64_t branches) {
  std::vector<int64_t> shape = latentShape_;
  shape[0] = branches;
  std::vector<at::Tensor> rows;
  for (at::Generator& generator : generators_) rows.push_back(randn(shape, generator));
  return at::cat(rows).to(device_);
}

at::Tensor startFromLatentMeans(const at::Tensor& noise, const LatentMeanStart& start) {
  // The model would take the noise's own mean for a colour, so we subtract it.
  const at::Tensor noiseMean = noise.mean({2, 3}, true);
  const double positions = static_cast<double>(noise.size(2) * noise.size(3));
  const auto rows = [&](int64_t which) {
    return asColumns(start.trainingMeans[which].to(noise.options()).repeat({noise.size(0) / dual::kNumBranches, 1}));
  };
  const at::Tensor target = rows(0) + rows(1) * noiseMean * std::sqrt(positions);
  if (start.backgroundMeans.defined()) {
    dual::unpackBranches(target).select(1, dual::kGlobal).copy_(asColumns(start.backgroundMeans));
  }
  const double a = start.alphaCumprod;
  return std::sqrt(a) * target + std::sqrt(1 - a) * (noise - noiseMean);
}

}  // namespace dan::sample
