// The names of the engine's options on the JavaScript side.
#pragma once

#include "sample/pair_sampler.h"
#include "train/pair_trainer.h"

namespace dan::binding {

struct LoadOptions {
  std::string folder, device, dtype;
};

struct TrainerOptions {
  train::TrainOptions train;
  std::string partFill, background;
  bool flips = true;
  int64_t count = 0, width = 0, height = 0;  // of the images that come with it
};

struct BackgroundOptions {
  sample::BackgroundOptions chosen;
  int64_t count = 0, width = 0, height = 0;  // of the images that come with it
};

struct MaskOptions {
  int64_t width = 0, height = 0;
  double threshold = 0.5;
  double fill = 127.5;  // the part's blank level, for the threshold method
};

template <class Visitor>
void visitOptions(LoadOptions& o, Visitor&& field) {
  field("folder", o.folder);
  field("device", o.device);
  field("dtype", o.dtype);
}

template <class Visitor>
void visitOptions(TrainerOptions& o, Visitor&& field) {
  field("rank", o.train.rank);
  field("batchSize", o.train.batchSize);
  field("gradientAccumulation", o.train.gradientAccumulation);
  field("warmupSteps", o.train.warmupSteps);
  field("learningRate", o.train.learningRate);
  field("weightDecay", o.train.weightDecay);
  field("maxGradNorm", o.train.maxGradNorm);
  field("timestepPower", o.train.timestepPower);
  field("defectShare", o.train.defectShare);
  field("initialAdapter", o.train.initialAdapter);
  field("background", o.background);
  field("backgroundScaled", o.train.backgroundScaled);
  field("globalPrompt", o.train.globalPrompt);
  field("anomalyPrompt", o.train.anomalyPrompt);
  field("trainTextEncoder", o.train.trainTextEncoder);
  field("seed", o.train.seed);
  field("partFill", o.partFill);
  field("flips", o.flips);
  field("count", o.count);
  field("width", o.width);
  field("height", o.height);
}

template <class Visitor>
void visitOptions(sample::SampleOptions& o, Visitor&& field) {
  field("steps", o.steps);
  field("width", o.width);
  field("height", o.height);
  field("guidanceScale", o.guidanceScale);
  field("eta", o.eta);
  field("scheduler", o.scheduler);
  field("globalPrompt", o.globalPrompt);
  field("anomalyPrompt", o.anomalyPrompt);
  field("negativePrompt", o.negativePrompt);
  field("seed", o.seed);
  field("matchLevels", o.matchLevels);
}

template <class Visitor>
void visitOptions(BackgroundOptions& o, Visitor&& field) {
  field("every", o.chosen.every);
  field("scaled", o.chosen.scaled);
  field("freshNoise", o.chosen.freshNoise);
  field("seed", o.chosen.seed);
  field("count", o.count);
  field("width", o.width);
  field("height", o.height);
}

template <class Visitor>
void visitOptions(MaskOptions& o, Visitor&& field) {
  field("width", o.width);
  field("height", o.height);
  field("threshold", o.threshold);
  field("fill", o.fill);
}

}  // namespace dan::binding
