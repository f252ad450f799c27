#include "detect/quality.h"

#include "binding/convert.h"
#include "binding/handles.h"
#include "core/device.h"
#include "metrics/feature_comparison.h"

namespace dan::binding {

namespace {

// inceptionScore(pool, weights, device, task) returns the score of the pool's images.
Napi::Value inceptionScore(const Napi::CallbackInfo& info) {
  return runTask<double>(
      info.Env(), TaskHandle::from(info[3]), info.Env().Undefined(),
      [pool = PoolHandle::from(info[0]), weights = info[1].ToString().Utf8Value(),
       device = info[2].ToString().Utf8Value()](const Task& task, const ReportProgress&) {
        return detect::inceptionScoreOf(pool->images, weights, parseDevice(device), task);
      },
      [](Napi::Env env, double& score) -> Napi::Value { return Napi::Number::New(env, score); });
}

// imageFeatures(pool, network, weights, device, task) returns { data, shape: [images, channels] }.
Napi::Value imageFeatures(const Napi::CallbackInfo& info) {
  return runTask<at::Tensor>(
      info.Env(), TaskHandle::from(info[4]), info.Env().Undefined(),
      [pool = PoolHandle::from(info[0]), network = info[1].ToString().Utf8Value(),
       weights = info[2].ToString().Utf8Value(),
       device = info[3].ToString().Utf8Value()](const Task& task, const ReportProgress&) {
        return detect::imageFeaturesOf(pool->images, network, weights, parseDevice(device), task);
      },
      [](Napi::Env env, at::Tensor& features) -> Napi::Value { return toJsTensor(env, features); });
}

// compareFeatures(generated, real, parts, task) takes features as { data, shape: [images, width] }.
Napi::Value compareFeatures(const Napi::CallbackInfo& info) {
  return runTask<metrics::FeatureComparison>(
      info.Env(), TaskHandle::from(info[3]), info.Env().Undefined(),
      [generated = fromJsTensor(info[0]), real = fromJsTensor(info[1]), parts = toIntegers(info[2])](
          const Task&, const ReportProgress&) { return metrics::compareFeatures(generated, real, parts); },
      [](Napi::Env env, metrics::FeatureComparison& comparison) -> Napi::Value {
        Napi::Object result = Napi::Object::New(env);
        result.Set("kernelDistance", comparison.kernelDistance);
        result.Set("nearest", comparison.nearest);
        result.Set("nearestReal", comparison.nearestReal);
        result.Set("copies", comparison.copies);
        return result;
      });
}

// icLpips(generated, real, backbone, linear, device, task) takes two pools.
Napi::Value icLpips(const Napi::CallbackInfo& info) {
  return runTask<double>(
      info.Env(), TaskHandle::from(info[5]), info.Env().Undefined(),
      [generated = PoolHandle::from(info[0]), real = PoolHandle::from(info[1]),
       backbone = info[2].ToString().Utf8Value(), linear = info[3].ToString().Utf8Value(),
       device = info[4].ToString().Utf8Value()](const Task& task, const ReportProgress&) {
        return detect::icLpipsOf(generated->images, real->images, {backbone, linear}, parseDevice(device), task);
      },
      [](Napi::Env env, double& value) -> Napi::Value { return Napi::Number::New(env, value); });
}

}  // namespace

void defineQuality(Napi::Object exports) {
  exportFunction<inceptionScore>(exports, "inceptionScore");
  exportFunction<imageFeatures>(exports, "imageFeatures");
  exportFunction<compareFeatures>(exports, "compareFeatures");
  exportFunction<icLpips>(exports, "icLpips");
}

}  // namespace dan::binding
