#include "place/placer.h"

#include <ATen/core/grad_mode.h>
#include <ATen/record_function.h>

#include "core/error.h"
#include "dual/branch.h"
#include "place/placed_mask.h"
#include "place/window_latents.h"

namespace dan::place {

namespace {

using Steps = std::function<void(size_t step, size_t steps)>;

// Each attempt at a pair has its own stream of random numbers. The first has that of the pair without known ground.
int64_t streamOf(const PlaceWindow& window) { return window.index + (window.attempt << 40); }

// Returns true if the photograph, (H, W, 3), has equal channels. Its change then has equal channels, too.
bool isGrey(const at::Tensor& photograph) {
  return photograph.select(2, 0).equal(photograph.select(2, 1)) &&
         photograph.select(2, 0).equal(photograph.select(2, 2));
}

class Batch {
 public:
  Batch(const sample::PairSource& source, const PlaceOptions& options, const std::vector<PlaceWindow>& windows)
      : source_(source), options_(options), windows_(windows) {}

  std::vector<PlacedDefect> draw(const Task& task, const Steps& onStep) const {
    std::vector<int64_t> streams;
    for (const PlaceWindow& window : windows_) streams.push_back(streamOf(window));
    const sample::GroundInputs ground = encode(task);
    sample::PairBatch batch(source_, options_.sample, streams, ground);
    while (!batch.isDone()) {
      task.checkCancelled();
      batch.step();
      if (onStep) onStep(batch.position(), batch.timesteps().size());
    }
    batch.expectFinite();
    std::vector<PlacedDefect> drawn;
    for (size_t i = 0; i < windows_.size(); ++i) {
      task.checkCancelled();
      const auto pair = static_cast<int64_t>(i);
      drawn.push_back(
          decode(windows_[i], dual::unpackBranches(batch.latents())[pair], dual::unpackBranches(ground.latents)[pair]));
    }
    return drawn;
  }

 private:
  sample::GroundInputs encode(const Task& task) const {
    RECORD_USER_SCOPE("encode the photograph's windows");
    return encodeWindows(source_.base, source_.partFill, options_, windows_, task);
  }

  // latents, known: (2, 4, h, w).
  PlacedDefect decode(const PlaceWindow& window, const at::Tensor& latents, const at::Tensor& known) const {
    RECORD_USER_SCOPE("decode");
    const at::Tensor result = pixels(latents[dual::kGlobal]), reconstruction = pixels(known[dual::kGlobal]);
    const at::Tensor weight = window.place.to(at::kFloat) / 255;
    at::Tensor change = (result - reconstruction)[0].permute({1, 2, 0}).cpu() * weight.unsqueeze(-1);
    if (isGrey(window.photograph)) change = change.mean(-1, true).expand(change.sizes());
    PlacedDefect placed{window.index, toBytes(pixels(latents[dual::kAnomaly]))[0].cpu(), change.contiguous(), {}};
    const double fill = (blankValue(source_.partFill) + 1) * kLevelsPerUnit;
    placed.mask = placedMask({placed.part, fill, placed.change, window.place != 0});
    return placed;
  }

  // latents: (4, h, w). Returns (1, 3, H, W) in [-1, 1].
  at::Tensor pixels(const at::Tensor& latents) const {
    FiniteChecks checks;
    const at::Tensor decoded =
        sample::decodePixels(source_.base, latents.unsqueeze(0), options_.sample.fastDecoder, checks);
    checks.expect();
    return decoded.clamp(-1, 1);
  }

  const sample::PairSource& source_;
  const PlaceOptions& options_;
  const std::vector<PlaceWindow>& windows_;
};

// Draws one window. The photograph is its background.
std::vector<PlacedDefect> drawOnBackground(const sample::PairSampler& sampler, const PlaceOptions& options,
                                           const PlaceWindow& window, const Task& task, const Steps& onStep) {
  sample::BackgroundOptions background;
  background.scaled = sampler.hasScaledBackgrounds();
  background.seed = options.sample.seed;
  const sample::Backgrounds backgrounds(
      *sampler.base(), {window.photograph.unsqueeze(0), window.foreground.unsqueeze(0)}, background, task);
  return Batch(sampler.source(&backgrounds), options, {window}).draw(task, onStep);
}

}  // namespace

std::vector<PlacedDefect> placeDefects(const sample::PairSampler& sampler, const PlaceOptions& options,
                                       const std::vector<PlaceWindow>& windows, const Task& task, const Steps& onStep) {
  RECORD_USER_SCOPE("place defects");
  const at::NoGradGuard noGrad;
  const sample::PairSource source = sampler.source();
  const bool hasBackground = source.adapter.settings().background != dual::BackgroundMode::kOff;
  sample::checkResolution(source.base, options.sample.width, options.sample.height);
  sample::remainingSteps(options.strength, options.sample.steps);
  if (source.isOneBranch) {
    fail(kInvalidOption,
         "The adapter draws no parts, because only its global branch was trained: it cannot place "
         "defects, whose masks come from their parts");
  }
  for (const PlaceWindow& window : windows) checkWindow(window, options, hasBackground);
  if (windows.empty()) return {};
  if (!hasBackground) return Batch(source, options, windows).draw(task, onStep);
  std::vector<PlacedDefect> all;
  for (const PlaceWindow& window : windows) {
    const size_t done = all.size();
    const auto report = [&](size_t step, size_t steps) {
      if (onStep) onStep(done * steps + step, windows.size() * steps);
    };
    for (PlacedDefect& placed : drawOnBackground(sampler, options, window, task, report)) {
      all.push_back(std::move(placed));
    }
  }
  return all;
}

}  // namespace dan::place
