// These structs and functions name the engine's options on the JavaScript side.
#pragma once

#include <optional>

#include "detect/detector.h"
#include "metrics/image_bootstrap.h"
#include "place/move_defect.h"
#include "place/placer.h"
#include "train/pair_trainer.h"

namespace dan::binding {

struct LoadOptions {
  std::string device, dtype;
  model::BaseOptions base;
  std::vector<std::string> loraFiles;
  std::vector<double> loraScales;  // one for each file
};

struct ConvertBaseOptions {
  model::BaseSource source;
  std::string out, dtype;
};

struct ConvertAdapterOptions {
  std::string input, out, format, dtype;
  int64_t saimRank = 0;
};

struct TrainerOptions {
  train::TrainOptions train;
  std::string partFill, background, branches, recipe;
  std::vector<std::string> globalPrompts, anomalyPrompts;  // one for each type
  bool flips = true;
  int64_t resolution = 0;
};

struct AugmenterOptions {
  uint64_t seed = 0;
};

struct BackgroundOptions {
  sample::BackgroundOptions chosen;
  int64_t count = 0, width = 0, height = 0;  // of the images that the call passes
};

struct MaskOptions {
  int64_t width = 0, height = 0;
  double threshold = 0.5;
  double fill = 127.5;  // the part's blank level, for the threshold method
};

struct PasteOptions {
  int64_t side = 0, channels = 0;  // of the photograph's window
  int64_t resolution = 0;          // the side of the change and of the mask
};

struct MoveOptions {
  int64_t width = 0, height = 0;
  place::MoveSettings settings;
};

struct ClassifierOptions {
  detect::LearnerOptions training;
  detect::SourceOptions source;
  std::string device;
};

struct DetectorOptions {
  detect::DetectorSettings settings;
  detect::SourceOptions source;  // of the kind `none` for a detector that gets no defects
  std::string device;
};

struct MapOptions {
  int64_t count = 0, width = 0, height = 0;
};

struct TestedMapOptions {
  int64_t part = 0;
  std::optional<double> score;
};

template <class Visitor>
void visitOptions(model::BaseSource& o, Visitor&& field) {
  field("path", o.path);
  field("configFolder", o.configFolder);
  field("tokenizerFolder", o.tokenizerFolder);
  field("predictionType", o.predictionType);
}

template <class Visitor>
void visitOptions(LoadOptions& o, Visitor&& field) {
  visitOptions(o.base.source, field);
  field("device", o.device);
  field("dtype", o.dtype);
  field("loraFiles", o.loraFiles);
  field("loraScales", o.loraScales);
  field("taesd", o.base.taesd);
}

template <class Visitor>
void visitOptions(ConvertBaseOptions& o, Visitor&& field) {
  visitOptions(o.source, field);
  field("out", o.out);
  field("dtype", o.dtype);
}

template <class Visitor>
void visitOptions(ConvertAdapterOptions& o, Visitor&& field) {
  field("input", o.input);
  field("out", o.out);
  field("format", o.format);
  field("dtype", o.dtype);
  field("saimRank", o.saimRank);
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
  field("defectLossShare", o.train.defectLossShare);
  field("initialAdapter", o.train.initialAdapter);
  field("branches", o.branches);
  field("background", o.background);
  field("backgroundScaled", o.train.backgroundScaled);
  field("globalPrompts", o.globalPrompts);
  field("anomalyPrompts", o.anomalyPrompts);
  field("trainTextEncoder", o.train.trainTextEncoder);
  field("gradientCheckpointing", o.train.gradientCheckpointing);
  field("seed", o.train.seed);
  field("partFill", o.partFill);
  field("flips", o.flips);
  field("recipe", o.recipe);
  field("resolution", o.resolution);
}

template <class Visitor>
void visitOptions(sample::SampleOptions& o, Visitor&& field) {
  field("steps", o.steps);
  field("width", o.width);
  field("height", o.height);
  field("guidanceScale", o.guidanceScale);
  field("guidedFrom", o.guidedFrom);
  field("guidedTo", o.guidedTo);
  field("reuseFeatures", o.reuseFeatures);
  field("eta", o.eta);
  field("scheduler", o.scheduler);
  field("globalPrompt", o.prompts.global);
  field("anomalyPrompt", o.prompts.anomaly);
  field("negativePrompt", o.prompts.negative);
  field("seed", o.seed);
  field("startFromLatentMean", o.startFromLatentMean);
  field("attention", o.attention);
  field("fastDecoder", o.fastDecoder);
}

template <class Visitor>
void visitOptions(place::PlaceOptions& o, Visitor&& field) {
  visitOptions(o.sample, field);
  field("strength", o.strength);
}

template <class Visitor>
void visitOptions(PasteOptions& o, Visitor&& field) {
  field("side", o.side);
  field("channels", o.channels);
  field("resolution", o.resolution);
}

template <class Visitor>
void visitOptions(augment::Box& o, Visitor&& field) {
  field("left", o.left);
  field("top", o.top);
  field("width", o.width);
  field("height", o.height);
}

template <class Visitor>
void visitOptions(MoveOptions& o, Visitor&& field) {
  field("width", o.width);
  field("height", o.height);
  field("seed", o.settings.seed);
  field("box", o.settings.box);
  field("angle", o.settings.angle);
}

template <class Visitor>
void visitOptions(AugmenterOptions& o, Visitor&& field) {
  field("seed", o.seed);
}

template <class Visitor>
void visitOptions(BackgroundOptions& o, Visitor&& field) {
  field("every", o.chosen.every);
  field("scaled", o.chosen.scaled);
  field("freshNoise", o.chosen.freshNoise);
  field("keepFeatures", o.chosen.keepFeatures);
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

template <class Visitor>
void visitOptions(detect::LearnerOptions& o, Visitor&& field) {
  field("channels", o.channels);
  field("batchSize", o.batchSize);
  field("iterations", o.iterations);
  field("learningRate", o.learningRate);
  field("flips", o.flips);
  field("seed", o.seed);
}

template <class Visitor>
void visitOptions(detect::SourceOptions& o, Visitor&& field) {
  field("source", o.kind);
  field("flipDefects", o.flips);
}

template <class Visitor>
void visitOptions(ClassifierOptions& o, Visitor&& field) {
  visitOptions(o.training, field);
  visitOptions(o.source, field);
  field("device", o.device);
}

template <class Visitor>
void visitOptions(DetectorOptions& o, Visitor&& field) {
  field("detector", o.settings.name);
  field("backbone", o.settings.backbone);
  field("backboneFile", o.settings.backboneFile);
  visitOptions(o.settings.training, field);
  visitOptions(o.source, field);
  field("device", o.device);
}

template <class Visitor>
void visitOptions(MapOptions& o, Visitor&& field) {
  field("count", o.count);
  field("width", o.width);
  field("height", o.height);
}

template <class Visitor>
void visitOptions(TestedMapOptions& o, Visitor&& field) {
  field("part", o.part);
  field("score", o.score);
}

template <class Visitor>
void visitOptions(metrics::BootstrapOptions& o, Visitor&& field) {
  field("replicates", o.replicates);
  field("seed", o.seed);
  field("level", o.level);
}

template <class Visitor>
void visitOptions(metrics::Thresholds& o, Visitor&& field) {
  field("pixel", o.pixel);
  field("image", o.image);
}

}  // namespace dan::binding
