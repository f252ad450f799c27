#include "binding/fit_methods.h"
#include "binding/option_reader.h"
#include "binding/options.h"
#include "core/device.h"

namespace dan::binding {

namespace {

// createClassifier(options, good, defects, groups, types, number of types, backbone file or '', task) takes two pools.
// Each image of a defect has a group and a type.
Napi::Value createClassifier(const Napi::CallbackInfo& info) {
  const augment::Pool good = PoolHandle::from(info[1]), defects = PoolHandle::from(info[2]);
  return runTask<Made<detect::Classifier>>(
      info.Env(), TaskHandle::from(info[7]), info.Env().Undefined(),
      [options = parseOptions<ClassifierOptions>(info[0]), good, defects, strata = toStrata(info[3], info[4], defects),
       classes = info[5].ToNumber().Int64Value(),
       backbone = info[6].ToString().Utf8Value()](const Task&, const ReportProgress&) {
        return measured([&] {
          return std::make_shared<detect::Classifier>(options.training,
                                                      makeDefectSource(options.source, good, defects, strata), classes,
                                                      backbone, parseDevice(options.device));
        });
      },
      [](Napi::Env env, Made<detect::Classifier>& made) -> Napi::Value {
        return ClassifierHandle::wrap(env, std::move(made), EnvData::of(env).classifier);
      });
}

}  // namespace

Napi::Value ClassifierHandle::step(const Napi::CallbackInfo& info) { return fitStep(value(), info); }

Napi::Value ClassifierHandle::saveCheckpoint(const Napi::CallbackInfo& info) {
  return writeFitted<&detect::Classifier::saveCheckpoint>(value(), info);
}

Napi::Value ClassifierHandle::loadCheckpoint(const Napi::CallbackInfo& info) { return loadFit(value(), info); }

// predict(images, options, task) returns { data, shape }.
Napi::Value ClassifierHandle::predict(const Napi::CallbackInfo& info) {
  const auto options = parseOptions<MapOptions>(info[1]);
  const at::Tensor images = toTensor(info[0], {options.count, options.height, options.width, 3});
  return runTask<at::Tensor>(
      info.Env(), TaskHandle::from(info[2]), info.Env().Undefined(),
      [images, classifier = value()](const Task& task, const ReportProgress&) {
        return classifier->predict(images, task);
      },
      [](Napi::Env env, at::Tensor& probabilities) -> Napi::Value { return toJsTensor(env, probabilities); });
}

Napi::Function ClassifierHandle::define(Napi::Env env) {
  return DefineClass(env, "ClassifierHandle",
                     {method<&ClassifierHandle::step>("step"), method<&ClassifierHandle::predict>("predict"),
                      method<&ClassifierHandle::saveCheckpoint>("saveCheckpoint"),
                      method<&ClassifierHandle::loadCheckpoint>("loadCheckpoint"), disposeMethod()});
}

void defineClassifier(Napi::Env env, Napi::Object exports) {
  EnvData::of(env).classifier = Napi::Persistent(ClassifierHandle::define(env));
  exportFunction<createClassifier>(exports, "createClassifier");
}

}  // namespace dan::binding
