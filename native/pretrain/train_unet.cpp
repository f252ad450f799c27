// We train the base and its initial adapter together. Some steps show the bare UNet single pictures, the others show
// pairs to the dual UNet. An adapter for a real defect then starts from one that already models pairs.
#include <cstdio>
#include <filesystem>

#include "core/random.h"
#include "diffusion/noise_schedule.h"
#include "dual/dual_unet.h"
#include "model/clip_tokenizer.h"
#include "pretrain/narrow_products.h"
#include "pretrain/recipe.h"
#include "pretrain/run_state.h"
#include "pretrain/trained_base.h"
#include "pretrain/windows.h"

namespace dan::pretrain {

namespace {

constexpr int64_t kPlainEvery = 4;     // The bare UNet gets one step in four.
constexpr double kEmptyCaption = 0.1;  // We drop this share of the captions for classifier-free guidance.
constexpr int64_t kWindow = 128;       // Every other step has windows of half this size, and four times as many.
constexpr double kSaveSeconds = 240;
constexpr double kWarmupSteps = 200, kSlowingSteps = 2000;
// The pair of a good picture has this caption in its anomaly branch, so that guidance leads towards defects.
constexpr const char* kNothing = "nothing";

// The captions are those of the data, then "nothing", then the empty one.
struct Captions {
  at::Tensor tokens;  // (captions + 2, 77)
  int64_t nothing = 0, empty = 0;
  Captions(const TrainingData& data, const model::ClipTokenizer& tokenizer) {
    std::vector<std::string> texts = data.captions;
    nothing = static_cast<int64_t>(texts.size());
    empty = nothing + 1;
    texts.insert(texts.end(), {kNothing, ""});
    std::vector<at::Tensor> ids;
    for (const std::string& text : texts) ids.push_back(at::tensor(tokenizer.encode(text), at::kLong));
    tokens = at::stack(ids);
  }
  // Returns (B * 2) caption numbers for the pairs `index`. A caption is dropped for both branches at once.
  at::Tensor ofPairs(const TrainingData& data, const at::Tensor& index, at::Generator generator) const {
    const at::Tensor part = data.partIds.index({index});
    const at::Tensor ids = at::stack({data.captionIds.index({index}), at::where(part < 0, nothing, part)}, 1);
    const at::Tensor dropped = at::rand({index.size(0), 1}, generator, at::TensorOptions()) < kEmptyCaption;
    return at::where(dropped, empty, ids).flatten();
  }
};

// The run has no planned end, so the rate falls with the square root of the steps. The averages that we save do what a
// decay to zero would do.
double rateAt(int64_t step, double base) {
  const auto steps = static_cast<double>(step);
  return base * std::min(1.0, (steps + 1) / kWarmupSteps) / std::sqrt(1 + steps / kSlowingSteps);
}

}  // namespace

void trainUnet(const RecipeOptions& options) {
  const TrainingData data = readTrainingData(options.data);
  const model::Vae vae = readVae(options.base + "/vae");
  const TrainedBase base(options.start, options.seed);
  train::AdamW optimizer(base.parameters(), {0.9, 0.99, 1e-4, 1e-8, 1.0});
  RunState state(base.parameters(), optimizer, options.seed);
  if (std::filesystem::exists(options.checkpoint)) {
    state.load(options.checkpoint);
    std::printf("resuming %s at step %ld\n", options.checkpoint.c_str(), static_cast<long>(state.step()));
  }

  const Captions captions(data, model::ClipTokenizer(options.base + "/tokenizer", base.textConfig().maxLength));
  const diffusion::ScheduleConfig schedule = scheduleConfig();
  const diffusion::NoiseSchedule noiseSchedule(schedule);
  const dual::DualUnet dualUnet(base.unet(), base.adapter());
  at::Generator& generator = state.generator();
  const auto save = [&] {
    state.save(options.checkpoint);
    base.save(options.base, state.averages());
  };
  RunLog log("unet", state.step());
  double saved = 0;
  while (state.step() < options.steps && log.seconds() < 60 * options.minutes) {
    const int64_t step = state.step();
    // The number of pixels is the same at both sizes.
    const bool large = step % 2 == 0;
    const int64_t pairs = large ? options.batchSize / 2 : 2 * options.batchSize;
    const at::Tensor index = drawIndices(data.size(), pairs, generator);
    const Windows windows = drawWindows(data, index, large ? kWindow : kWindow / 2, generator);
    const EncodedPairs latents = encodePairs(vae, windows, drawPlaces(windows.masks, generator));
    const at::Tensor noise = randn(latents.clean.sizes(), generator);
    const at::Tensor timesteps =
        drawIndices(schedule.numTrainTimesteps, pairs, generator).repeat_interleave(dual::kNumBranches);
    // We encode only the captions of this batch.
    const auto [used, position] = at::_unique(captions.ofPairs(data, index, generator), true, true);
    const at::Tensor context = base.textEncoder().forward(captions.tokens.index({used})).index({position});
    const at::Tensor input = latents.condition.appendTo(noiseSchedule.addNoise(latents.clean, noise, timesteps));
    const bool plain = (step / 2) % kPlainEvery == 0;
    const at::Tensor prediction = [&] {
      const NarrowProducts narrow;
      return plain ? base.unet().forward(input, timesteps, context) : dualUnet.forward(input, timesteps, context);
    }();
    const at::Tensor loss = ((prediction - noise).square() * latents.weights).mean();
    loss.backward();
    optimizer.step(rateAt(step, options.learningRate));
    state.advance();
    log(loss.item<double>());
    if (log.seconds() - saved < kSaveSeconds) continue;
    save();
    saved = log.seconds();
  }
  save();
}

}  // namespace dan::pretrain
