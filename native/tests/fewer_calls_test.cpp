// Guidance intervals and reused features save calls of the model or parts of them.
#include <ATen/core/grad_mode.h>

#include "core/random.h"
#include "dual/folded_unet.h"
#include "model/base_model.h"
#include "sample/denoise.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

struct Fixture {
  std::unique_ptr<model::BaseModel> base = model::loadBaseModel(fixture("tiny-sd"), at::kCPU, at::kFloat);
  dual::Adapter adapter{dual::Adapter::initialTensors({3}, *base->unet, base->textEncoder->config(), makeGenerator(1)),
                        {3},
                        *base->unet,
                        base->textEncoder->config(),
                        "a test"};
  dual::FoldedAdapter folded{*base->unet, adapter};
  dual::FoldedUnet unet{*base->unet, folded};

  at::Tensor draw(at::IntArrayRef shape, uint64_t seed) const { return randn(shape, makeGenerator(seed)); }
  at::Tensor context(int64_t rows, uint64_t seed) const {
    return draw({rows, 77, base->unet->config().crossAttentionDim}, seed);
  }
};

}  // namespace

DAN_TEST(inner_features_serve_the_calls_that_ask_for_them) {
  const at::NoGradGuard noGrad;
  Fixture f;
  const at::Tensor first = f.draw({4, 4, 8, 8}, 2), second = f.draw({4, 4, 8, 8}, 3), context = f.context(4, 4);
  const auto predict = [&](const at::Tensor& latents, double timestep) {
    return f.unet.forward(latents, at::full({latents.size(0)}, timestep, at::kFloat),
                          context.narrow(0, 0, latents.size(0)), nullptr);
  };
  const at::Tensor plain = predict(first, 500), other = predict(second, 400);
  model::InnerFeatures inner;
  std::optional<dual::PairModel::Extras> sharing(std::in_place, f.unet, nullptr, &inner);
  expectClose(predict(first, 500), plain, 0, 0, "keeping them changes nothing");
  inner.reuse = true;
  expectClose(predict(first, 500), plain, 0, 0, "they are what the same call would make");
  // The inner levels are still those of `first`.
  EXPECT(!predict(second, 400).equal(other));
  const at::Tensor fewer = predict(second.narrow(0, 0, 2), 400);
  sharing.reset();
  expectClose(fewer, predict(second.narrow(0, 0, 2), 400), 0, 0, "those of another number of rows are not taken");
  expectClose(predict(second, 400), other, 0, 0, "and they end");
}

DAN_TEST(calls_outside_the_guidance_interval_are_the_conditional_half) {
  const at::NoGradGuard noGrad;
  Fixture f;
  sample::DenoiseInputs inputs;
  inputs.initialLatents = f.draw({4, 4, 8, 8}, 5);
  inputs.encoderHiddenStates = f.context(8, 6);
  inputs.conditionalStates = inputs.encoderHiddenStates.chunk(2)[1];
  inputs.guidanceScale = 3.0;
  const auto denoise = [&](const sample::DenoiseInputs& with, int64_t steps) {
    const auto scheduler = diffusion::makeScheduler("ddim", f.base->schedule, steps);
    return sample::denoise(f.unet, *scheduler, with, Task());
  };
  sample::DenoiseInputs unguided = inputs;
  unguided.guidanceScale = 1.0;
  unguided.encoderHiddenStates = inputs.conditionalStates;
  const at::Tensor guided = denoise(inputs, 6);

  sample::DenoiseInputs none = inputs;
  none.guidedFrom = none.guidedTo = 1e6;
  expectClose(denoise(none, 6), denoise(unguided, 6), 1e-6, 1e-5, "none is guided");
  sample::DenoiseInputs some = inputs;
  some.guidedFrom = 300;
  const at::Tensor mixed = denoise(some, 6);
  EXPECT(!mixed.equal(guided) && !mixed.equal(denoise(unguided, 6)));
  some.guidedFrom = 0;
  expectClose(denoise(some, 6), guided, 0, 0, "all are");
}

}  // namespace dan::tests
