#include "binding/convert.h"
#include "binding/handles.h"
#include "binding/option_reader.h"
#include "binding/options.h"
#include "dual/dual_unet.h"

namespace dan::binding {

namespace {

using State = Made<TrainerState>;

// createRegions() returns an empty list of regions.
Napi::Value createRegions(const Napi::CallbackInfo& info) {
  return RegionsHandle::wrap(info.Env(), {std::make_shared<std::vector<train::TrainingRegion>>()},
                             EnvData::of(info.Env()).regions);
}

// createTrainer(model, options, regions, task) encodes the regions, or keeps them to cut windows out of them. It does
// not need the list afterwards.
Napi::Value createTrainer(const Napi::CallbackInfo& info) {
  const auto base = ModelHandle::from(info[0]);
  auto options = parseOptions<TrainerOptions>(info[1]);
  const auto regions = RegionsHandle::from(info[2]);
  return runTask<State>(
      info.Env(), TaskHandle::from(info[3]), info.Env().Undefined(),
      [=](const Task& task, const ReportProgress&) mutable {
        sample::checkResolution(*base, options.resolution, options.resolution);
        options.train.globalPrompts = options.globalPrompts;
        options.train.anomalyPrompts = options.anomalyPrompts;
        options.train.branches = train::parseBranches(options.branches);
        options.train.background = dual::parseBackgroundMode(options.background);
        const train::TrainingRegions data{*regions, options.resolution, parsePartFill(options.partFill), options.flips,
                                          train::parseRecipes(options.recipe)};
        return measured([&] {
          auto latents = train::makeLatentSource(*base, data, task);
          auto trainer = std::make_unique<train::PairTrainer>(*base, std::move(latents), options.train);
          return std::make_shared<TrainerState>(TrainerState{base, std::move(trainer)});
        });
      },
      [](Napi::Env env, State& state) -> Napi::Value {
        return TrainerHandle::wrap(env, std::move(state), EnvData::of(env).trainer);
      });
}

Napi::Value undefined(Napi::Env env, bool&) { return env.Undefined(); }

}  // namespace

// append(region) copies a region on the JS thread. A list must not grow while a trainer is created from it.
Napi::Value RegionsHandle::append(const Napi::CallbackInfo& info) {
  train::TrainingRegion region = toRegion(info[0]);
  for (const at::Tensor& pixels : {region.image, region.mask, region.foreground}) {
    if (pixels.defined()) grow(static_cast<int64_t>(pixels.nbytes()));
  }
  value()->push_back(std::move(region));
  return info.Env().Undefined();
}

// step(task) returns { step, loss, gradNorm, learningRate }, and in float16 lossScale and skippedSteps, too.
Napi::Value TrainerHandle::step(const Napi::CallbackInfo& info) {
  return runTask<train::StepResult>(
      info.Env(), TaskHandle::from(info[0]), info.Env().Undefined(),
      [state = value()](const Task& task, const ReportProgress&) { return state->trainer->step(task); },
      [scalesLoss = value()->trainer->scalesLoss()](Napi::Env env, train::StepResult& step) -> Napi::Value {
        Napi::Object result = Napi::Object::New(env);
        result.Set("step", Napi::Number::New(env, static_cast<double>(step.step)));
        result.Set("loss", Napi::Number::New(env, step.loss));
        result.Set("gradNorm", Napi::Number::New(env, step.gradNorm));
        result.Set("learningRate", Napi::Number::New(env, step.learningRate));
        if (!scalesLoss) return result;
        result.Set("lossScale", Napi::Number::New(env, step.lossScale));
        result.Set("skippedSteps", Napi::Number::New(env, static_cast<double>(step.skippedSteps)));
        return result;
      });
}

// saveCheckpoint(path, metadata, task) writes a file.
Napi::Value TrainerHandle::saveCheckpoint(const Napi::CallbackInfo& info) {
  const std::string path = info[0].ToString().Utf8Value();
  return runTask<bool>(
      info.Env(), TaskHandle::from(info[2]), info.Env().Undefined(),
      [path, metadata = toMetadata(info[1]), state = value()](const Task&, const ReportProgress&) {
        state->trainer->saveCheckpoint(path, metadata);
        return true;
      },
      undefined);
}

// loadCheckpoint(path, task) returns the step of the checkpoint.
Napi::Value TrainerHandle::loadCheckpoint(const Napi::CallbackInfo& info) {
  const std::string path = info[0].ToString().Utf8Value();
  return runTask<int64_t>(
      info.Env(), TaskHandle::from(info[1]), info.Env().Undefined(),
      [path, state = value()](const Task&, const ReportProgress&) {
        state->trainer->loadCheckpoint(path);
        return state->trainer->position();
      },
      [](Napi::Env env, int64_t& position) -> Napi::Value {
        return Napi::Number::New(env, static_cast<double>(position));
      });
}

// loadFinished(path, steps, task) loads the adapter of a finished run.
Napi::Value TrainerHandle::loadFinished(const Napi::CallbackInfo& info) {
  const std::string path = info[0].ToString().Utf8Value();
  const int64_t steps = info[1].ToNumber().Int64Value();
  return runTask<bool>(
      info.Env(), TaskHandle::from(info[2]), info.Env().Undefined(),
      [path, steps, state = value()](const Task&, const ReportProgress&) {
        state->trainer->loadFinished(path, steps);
        return true;
      },
      undefined);
}

// adapter(metadata, task) returns a copy of the current adapter.
Napi::Value TrainerHandle::adapter(const Napi::CallbackInfo& info) {
  return runTask<Made<dual::AdapterFile>>(
      info.Env(), TaskHandle::from(info[1]), info.Env().Undefined(),
      [metadata = toMetadata(info[0]), state = value()](const Task&, const ReportProgress&) {
        return measured([&] { return std::make_shared<dual::AdapterFile>(state->trainer->trainedAdapter(metadata)); });
      },
      [](Napi::Env env, Made<dual::AdapterFile>& adapter) -> Napi::Value {
        return AdapterHandle::wrap(env, std::move(adapter), EnvData::of(env).adapter);
      });
}

// preview(sampleOptions, indices, task) returns pairs from the current adapter.
Napi::Value TrainerHandle::preview(const Napi::CallbackInfo& info) {
  return runTask<std::vector<sample::SampledPair>>(
      info.Env(), TaskHandle::from(info[2]), info.Env().Undefined(),
      [options = parseOptions<sample::SampleOptions>(info[0]), indices = toIntegers(info[1]), state = value()](
          const Task& task, const ReportProgress&) {
        dual::DualUnet unet(*state->base->unet, state->trainer->adapter());
        sample::PairSource source{*state->base, state->trainer->adapter(), unet};
        source.latentMeans = state->trainer->latents().latentMeans();
        source.partFill = state->trainer->latents().data().fill;
        source.isOneBranch = state->trainer->options().branches == train::Branches::kGlobalAlone;
        const auto background = state->trainer->firstBackground();
        if (!background.defined()) return sample::samplePairs(source, options, indices, task);
        sample::BackgroundOptions settings;
        settings.scaled = state->trainer->options().backgroundScaled;
        settings.seed = options.seed;
        const sample::Backgrounds backgrounds(*state->base, background, settings);
        source.backgrounds = &backgrounds;
        return sample::samplePairs(source, options, indices, task);
      },
      sampledToJs);
}

Napi::Function RegionsHandle::define(Napi::Env env) {
  return DefineClass(env, "RegionsHandle", {method<&RegionsHandle::append>("append"), disposeMethod()});
}

Napi::Function TrainerHandle::define(Napi::Env env) {
  return DefineClass(
      env, "TrainerHandle",
      {method<&TrainerHandle::step>("step"), method<&TrainerHandle::saveCheckpoint>("saveCheckpoint"),
       method<&TrainerHandle::loadCheckpoint>("loadCheckpoint"), method<&TrainerHandle::loadFinished>("loadFinished"),
       method<&TrainerHandle::adapter>("adapter"), method<&TrainerHandle::preview>("preview"), disposeMethod()});
}

void defineTrainer(Napi::Env env, Napi::Object exports) {
  EnvData::of(env).trainer = Napi::Persistent(TrainerHandle::define(env));
  EnvData::of(env).regions = Napi::Persistent(RegionsHandle::define(env));
  exportFunction<createRegions>(exports, "createRegions");
  exportFunction<createTrainer>(exports, "createTrainer");
}

}  // namespace dan::binding
