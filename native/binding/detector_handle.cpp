#include "binding/fit_methods.h"
#include "binding/option_reader.h"
#include "binding/options.h"
#include "core/device.h"
#include "metrics/tested_images.h"

namespace dan::binding {

namespace {

Napi::Value wrapDetector(Napi::Env env, Made<detect::Detector>& made) {
  return DetectorHandle::wrap(env, std::move(made), EnvData::of(env).detector);
}

// createDetector(options, good, defects, groups, types, textures or undefined, task) takes pools and starts a fit. Each
// image of a defect has a group and a type. With the source `none` the detector gets no defects.
Napi::Value createDetector(const Napi::CallbackInfo& info) {
  const augment::Pool good = PoolHandle::from(info[1]), defects = PoolHandle::from(info[2]);
  const augment::Pool textures = info[5].IsUndefined() ? nullptr : PoolHandle::from(info[5]);
  return runTask<Made<detect::Detector>>(
      info.Env(), TaskHandle::from(info[6]), info.Env().Undefined(),
      [options = parseOptions<DetectorOptions>(info[0]), good, defects, strata = toStrata(info[3], info[4], defects),
       textures](const Task&, const ReportProgress&) {
        return measured([&]() -> std::shared_ptr<detect::Detector> {
          detect::FitData data{good, nullptr};
          if (options.source.kind != "none") {
            data.defects = makeDefectSource(options.source, good, defects, strata, textures);
          }
          return makeDetector(options.settings, std::move(data), parseDevice(options.device));
        });
      },
      wrapDetector);
}

// loadDetector(path, device, task) reads a saved detector, which cannot be fitted further.
Napi::Value loadDetector(const Napi::CallbackInfo& info) {
  return runTask<Made<detect::Detector>>(
      info.Env(), TaskHandle::from(info[2]), info.Env().Undefined(),
      [path = info[0].ToString().Utf8Value(), device = info[1].ToString().Utf8Value()](const Task&,
                                                                                       const ReportProgress&) {
        return measured(
            [&]() -> std::shared_ptr<detect::Detector> { return detect::loadDetector(path, parseDevice(device)); });
      },
      wrapDetector);
}

// imageScore(map, task) returns the score of an image whose detector gives only a map, { data, shape: [height, width]
// }.
Napi::Value imageScore(const Napi::CallbackInfo& info) {
  return runTask<double>(
      info.Env(), TaskHandle::from(info[1]), info.Env().Undefined(),
      [map = fromJsTensor(info[0])](const Task&, const ReportProgress&) { return metrics::imageScore(map); },
      [](Napi::Env env, double& score) -> Napi::Value { return Napi::Number::New(env, score); });
}

}  // namespace

Napi::Value DetectorHandle::step(const Napi::CallbackInfo& info) { return fitStep(value(), info); }

// steps() returns the number of the fit's steps.
Napi::Value DetectorHandle::steps(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(value()->steps()));
}

// bytes() returns the size of what a saved detector holds.
Napi::Value DetectorHandle::bytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(value()->bytes()));
}

Napi::Value DetectorHandle::saveCheckpoint(const Napi::CallbackInfo& info) {
  return writeFitted<&detect::Detector::saveCheckpoint>(value(), info);
}

Napi::Value DetectorHandle::loadCheckpoint(const Napi::CallbackInfo& info) { return loadFit(value(), info); }

Napi::Value DetectorHandle::save(const Napi::CallbackInfo& info) {
  return writeFitted<&detect::Detector::save>(value(), info);
}

// score(images, options, task) returns { maps, scores }, two tensors. `scores` may be undefined.
Napi::Value DetectorHandle::score(const Napi::CallbackInfo& info) {
  const auto options = parseOptions<MapOptions>(info[1]);
  const at::Tensor images = toTensor(info[0], {options.count, options.height, options.width, 3});
  return runTask<detect::Scored>(
      info.Env(), TaskHandle::from(info[2]), info.Env().Undefined(),
      [images, detector = value()](const Task& task, const ReportProgress&) { return detector->score(images, task); },
      [](Napi::Env env, detect::Scored& scored) -> Napi::Value {
        Napi::Object result = Napi::Object::New(env);
        result.Set("maps", toJsTensor(env, scored.maps));
        result.Set("scores", scored.scores.defined() ? toJsTensor(env, scored.scores) : env.Undefined());
        return result;
      });
}

Napi::Function DetectorHandle::define(Napi::Env env) {
  return DefineClass(env, "DetectorHandle",
                     {method<&DetectorHandle::step>("step"), method<&DetectorHandle::steps>("steps"),
                      method<&DetectorHandle::bytes>("bytes"), method<&DetectorHandle::score>("score"),
                      method<&DetectorHandle::save>("save"), method<&DetectorHandle::saveCheckpoint>("saveCheckpoint"),
                      method<&DetectorHandle::loadCheckpoint>("loadCheckpoint"), disposeMethod()});
}

void defineDetector(Napi::Env env, Napi::Object exports) {
  EnvData::of(env).detector = Napi::Persistent(DetectorHandle::define(env));
  exportFunction<createDetector>(exports, "createDetector");
  exportFunction<loadDetector>(exports, "loadDetector");
  exportFunction<imageScore>(exports, "imageScore");
}

}  // namespace dan::binding
