#include "binding/convert.h"
#include "binding/handles.h"
#include "binding/option_reader.h"
#include "binding/options.h"
#include "core/device.h"
#include "evaluate/classifier.h"
#include "evaluate/detector.h"
#include "evaluate/quality.h"

namespace dan::binding {

namespace {

using Learner = Made<evaluate::Learner>;

// Both networks take (options, good, defects, groups, types, ...). `good` and `defects` are pools. Each image of a
// defect has a group and a type.
struct LearnerInput {
  LearnerOptions options;
  augment::Pool good, defects;
  evaluate::Strata strata;

  explicit LearnerInput(const Napi::CallbackInfo& info)
      : options(parseOptions<LearnerOptions>(info[0])),
        good(PoolHandle::from(info[1])),
        defects(PoolHandle::from(info[2])),
        strata{toIntegers(info[3]), toIntegers(info[4])} {
    const size_t count = defects->images.size();
    if (strata.groups.size() != count || strata.types.size() != count) {
      throw Napi::TypeError::New(info.Env(), "expected a group and a type for each image of a defect");
    }
  }
};

Napi::Value wrapLearner(Napi::Env env, Learner& learner) {
  return LearnerHandle::wrap(env, std::move(learner), EnvData::of(env).learner);
}

// createDetector(options, good, defects, groups, types, textures or undefined, task) returns a learner.
Napi::Value createDetector(const Napi::CallbackInfo& info) {
  const augment::Pool textures = info[5].IsUndefined() ? nullptr : PoolHandle::from(info[5]);
  return runTask<Learner>(
      info.Env(), TaskHandle::from(info[6]), info.Env().Undefined(),
      [input = LearnerInput(info), textures](const Task&, const ReportProgress&) -> Learner {
        const auto& [options, good, defects, strata] = input;
        const at::Device device = parseDevice(options.device);
        return measured([&, &good = good, &defects = defects]() -> std::shared_ptr<evaluate::Learner> {
          auto source = evaluate::makeDefectSource(options.source, good, defects, strata, textures);
          return std::make_shared<evaluate::Detector>(options.training, good, std::move(source), device);
        });
      },
      wrapLearner);
}

// createClassifier(options, good, defects, groups, types, number of types, backbone file or '', task) returns a
// learner.
Napi::Value createClassifier(const Napi::CallbackInfo& info) {
  const int64_t classes = info[5].ToNumber().Int64Value();
  const std::string backbone = info[6].ToString().Utf8Value();
  return runTask<Learner>(
      info.Env(), TaskHandle::from(info[7]), info.Env().Undefined(),
      [input = LearnerInput(info), classes, backbone](const Task&, const ReportProgress&) -> Learner {
        const auto& [options, good, defects, strata] = input;
        const at::Device device = parseDevice(options.device);
        return measured([&]() -> std::shared_ptr<evaluate::Learner> {
          auto source = evaluate::makeDefectSource(options.source, good, defects, strata);
          return std::make_shared<evaluate::Classifier>(options.training, std::move(source), classes, backbone, device);
        });
      },
      wrapLearner);
}

// inceptionScore(pool, weights, device, task) returns the score of the pool's images.
Napi::Value inceptionScore(const Napi::CallbackInfo& info) {
  return runTask<double>(
      info.Env(), TaskHandle::from(info[3]), info.Env().Undefined(),
      [pool = PoolHandle::from(info[0]), weights = info[1].ToString().Utf8Value(),
       device = info[2].ToString().Utf8Value()](const Task& task, const ReportProgress&) {
        return evaluate::inceptionScoreOf(pool->images, weights, parseDevice(device), task);
      },
      [](Napi::Env env, double& score) -> Napi::Value { return Napi::Number::New(env, score); });
}

// icLpips(generated, real, backbone, linear, device, task) takes two pools.
Napi::Value icLpips(const Napi::CallbackInfo& info) {
  return runTask<double>(
      info.Env(), TaskHandle::from(info[5]), info.Env().Undefined(),
      [generated = PoolHandle::from(info[0]), real = PoolHandle::from(info[1]),
       backbone = info[2].ToString().Utf8Value(), linear = info[3].ToString().Utf8Value(),
       device = info[4].ToString().Utf8Value()](const Task& task, const ReportProgress&) {
        return evaluate::icLpipsOf(generated->images, real->images, {backbone, linear}, parseDevice(device), task);
      },
      [](Napi::Env env, double& value) -> Napi::Value { return Napi::Number::New(env, value); });
}

}  // namespace

// step(task) returns { step, loss }.
Napi::Value LearnerHandle::step(const Napi::CallbackInfo& info) {
  return runTask<evaluate::LearnerStep>(
      info.Env(), TaskHandle::from(info[0]), info.Env().Undefined(),
      [learner = value()](const Task& task, const ReportProgress&) { return learner->step(task); },
      [](Napi::Env env, evaluate::LearnerStep& step) -> Napi::Value {
        Napi::Object result = Napi::Object::New(env);
        result.Set("step", Napi::Number::New(env, static_cast<double>(step.step)));
        result.Set("loss", Napi::Number::New(env, step.loss));
        return result;
      });
}

// predict(images, options, task) returns { data, shape }.
Napi::Value LearnerHandle::predict(const Napi::CallbackInfo& info) {
  const auto options = parseOptions<MapOptions>(info[1]);
  const at::Tensor images = toTensor(info[0], {options.count, options.height, options.width, 3});
  return runTask<at::Tensor>(
      info.Env(), TaskHandle::from(info[2]), info.Env().Undefined(),
      [images, learner = value()](const Task& task, const ReportProgress&) { return learner->predict(images, task); },
      [](Napi::Env env, at::Tensor& maps) -> Napi::Value { return toJsTensor(env, maps); });
}

// saveCheckpoint(path, metadata, task) writes a file.
Napi::Value LearnerHandle::saveCheckpoint(const Napi::CallbackInfo& info) {
  const std::string path = info[0].ToString().Utf8Value();
  return runTask<bool>(
      info.Env(), TaskHandle::from(info[2]), info.Env().Undefined(),
      [path, metadata = toMetadata(info[1]), learner = value()](const Task&, const ReportProgress&) {
        learner->saveCheckpoint(path, metadata);
        return true;
      },
      [](Napi::Env env, bool&) -> Napi::Value { return env.Undefined(); });
}

// loadCheckpoint(path, task) returns the step of the checkpoint.
Napi::Value LearnerHandle::loadCheckpoint(const Napi::CallbackInfo& info) {
  const std::string path = info[0].ToString().Utf8Value();
  return runTask<int64_t>(
      info.Env(), TaskHandle::from(info[1]), info.Env().Undefined(),
      [path, learner = value()](const Task&, const ReportProgress&) {
        learner->loadCheckpoint(path);
        return learner->position();
      },
      [](Napi::Env env, int64_t& position) -> Napi::Value {
        return Napi::Number::New(env, static_cast<double>(position));
      });
}

Napi::Function LearnerHandle::define(Napi::Env env) {
  return DefineClass(env, "LearnerHandle",
                     {method<&LearnerHandle::step>("step"), method<&LearnerHandle::predict>("predict"),
                      method<&LearnerHandle::saveCheckpoint>("saveCheckpoint"),
                      method<&LearnerHandle::loadCheckpoint>("loadCheckpoint"), disposeMethod()});
}

void defineEvaluation(Napi::Env env, Napi::Object exports) {
  EnvData::of(env).learner = Napi::Persistent(LearnerHandle::define(env));
  exportFunction<createDetector>(exports, "createDetector");
  exportFunction<createClassifier>(exports, "createClassifier");
  exportFunction<inceptionScore>(exports, "inceptionScore");
  exportFunction<icLpips>(exports, "icLpips");
}

}  // namespace dan::binding
