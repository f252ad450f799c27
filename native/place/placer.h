// The placer draws a defect into the place of each window of a photograph. Everything around the place stays known.
#pragma once

#include <functional>
#include <vector>

#include "core/task.h"
#include "sample/pair_sampler.h"

namespace dan::place {

// Images are (H, W, 3) uint8 and masks (H, W) uint8, as large as the options say.
struct PlaceWindow {
  int64_t index = 0;    // of the pair; it decides the noise, with the seed and the attempt
  int64_t attempt = 0;  // With attempt 0 the pair has the noise that it also has without known ground.
  at::Tensor photograph;
  // The weight of what is drawn, 0 to 255: nothing may be drawn at 0, and 255 shows all of it.
  at::Tensor place;
  at::Tensor defectImage, defectMask;  // a real defect in the window, to start from; may be undefined
  at::Tensor foreground;               // not 0 in the foreground; only for adapters with background compensation
};

struct PlaceOptions {
  sample::SampleOptions sample;
  double strength = 1;  // the share of the noise that sampling starts with; below 1 it starts from the real defect
};

struct PlacedDefect {
  int64_t index = 0;
  at::Tensor part;    // (H, W, 3) uint8
  at::Tensor change;  // (H, W, 3) float32, in units of [-1, 1]: the result less the autoencoder's photograph, weighted
  at::Tensor mask;    // (H, W) uint8, 0 and 255
};

// Draws the windows in one batch; with background compensation, in one batch each, because the photograph is the
// background. A window's result does not depend on the others. `onStep` is called with (step, steps) of all batches.
// Throws ERR_INVALID_OPTION for windows that do not fit the options or the adapter, and ERR_NON_FINITE.
std::vector<PlacedDefect> placeDefects(const sample::PairSampler& sampler, const PlaceOptions& options,
                                       const std::vector<PlaceWindow>& windows, const Task& task,
                                       const std::function<void(size_t step, size_t steps)>& onStep = {});

}  // namespace dan::place
