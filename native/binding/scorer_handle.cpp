#include "binding/convert.h"
#include "binding/handles.h"
#include "binding/option_reader.h"
#include "binding/options.h"

namespace dan::binding {

namespace {

using metrics::BootstrapResult;
using metrics::Decisions;
using metrics::DetectionDecisions;
using metrics::DetectionScores;
using metrics::Intervals;
using metrics::Thresholds;

// createMapScorer() returns a scorer without maps.
Napi::Value createMapScorer(const Napi::CallbackInfo& info) {
  return ScorerHandle::wrap(info.Env(), {std::make_shared<detect::MapScorer>()}, EnvData::of(info.Env()).scorer);
}

Napi::Value scoresToJs(Napi::Env env, DetectionScores& scores) {
  Napi::Object result = Napi::Object::New(env);
  for (const auto& [name, value] : metrics::kDetectionScores) result.Set(name, scores.*value);
  return result;
}

Napi::Value intervalsToJs(Napi::Env env, const Intervals& intervals) {
  Napi::Object result = Napi::Object::New(env);
  for (size_t i = 0; i < intervals.size(); ++i) {
    Napi::Array ends = Napi::Array::New(env, 2);
    ends.Set(0U, intervals[i].low);
    ends.Set(1U, intervals[i].high);
    result.Set(metrics::kDetectionScores[i].name, ends);
  }
  return result;
}

Napi::Value bootstrapToJs(Napi::Env env, BootstrapResult& intervals) {
  Napi::Array types = Napi::Array::New(env);
  for (const Intervals& type : intervals.types) types.Set(types.Length(), intervalsToJs(env, type));
  Napi::Object result = Napi::Object::New(env);
  result.Set("types", types);
  result.Set("average", intervalsToJs(env, intervals.average));
  result.Set("together", intervalsToJs(env, intervals.together));
  return result;
}

Napi::Value thresholdsToJs(Napi::Env env, Thresholds& thresholds) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("pixel", thresholds.pixel);
  result.Set("image", thresholds.image);
  return result;
}

Napi::Value decisionsToJs(Napi::Env env, DetectionDecisions& decisions) {
  const auto toJs = [env](const Decisions& made) {
    Napi::Object result = Napi::Object::New(env);
    result.Set("f1", made.f1);
    result.Set("precision", made.precision);
    result.Set("recall", made.recall);
    return result;
  };
  Napi::Object result = Napi::Object::New(env);
  result.Set("pixels", toJs(decisions.pixels));
  result.Set("images", toJs(decisions.images));
  return result;
}

}  // namespace

// add(set, map, mask, { part, score }, task) takes a map as { data, shape: [height, width] } and its mask with one byte
// for each pixel. `score` may be undefined. It returns the pixel average precision of the map.
Napi::Value ScorerHandle::add(const Napi::CallbackInfo& info) {
  const at::Tensor map = fromJsTensor(info[1]), mask = toTensor(info[2], map.sizes());
  const auto options = parseOptions<TestedMapOptions>(info[3]);
  grow(map.numel() * static_cast<int64_t>(sizeof(float)));
  return runTask<double>(
      info.Env(), TaskHandle::from(info[4]), info.Env().Undefined(),
      [set = info[0].ToString().Utf8Value(), map, mask, options, scorer = value()](const Task&, const ReportProgress&) {
        return scorer->add(set, map, mask, options.score, options.part);
      },
      [](Napi::Env env, double& value) -> Napi::Value { return Napi::Number::New(env, value); });
}

// score(sets, task) measures the maps of these sets together.
Napi::Value ScorerHandle::score(const Napi::CallbackInfo& info) {
  return runTask<DetectionScores>(
      info.Env(), TaskHandle::from(info[1]), info.Env().Undefined(),
      [sets = toTexts(info[0]), scorer = value()](const Task&, const ReportProgress&) { return scorer->score(sets); },
      scoresToJs);
}

// bootstrap(types, good, { replicates, seed, level }, task) returns the intervals of all measures.
Napi::Value ScorerHandle::bootstrap(const Napi::CallbackInfo& info) {
  return runTask<BootstrapResult>(
      info.Env(), TaskHandle::from(info[3]), info.Env().Undefined(),
      [types = toTexts(info[0]), good = info[1].ToString().Utf8Value(),
       options = parseOptions<metrics::BootstrapOptions>(info[2]), scorer = value()](
          const Task& task, const ReportProgress&) { return scorer->bootstrap(types, good, options, task); },
      bootstrapToJs);
}

// bestThresholds(sets, task) returns the { pixel, image } thresholds with the best F1.
Napi::Value ScorerHandle::bestThresholds(const Napi::CallbackInfo& info) {
  return runTask<Thresholds>(
      info.Env(), TaskHandle::from(info[1]), info.Env().Undefined(),
      [sets = toTexts(info[0]), scorer = value()](const Task&, const ReportProgress&) {
        return scorer->bestThresholds(sets);
      },
      thresholdsToJs);
}

// quantileThresholds(sets, above, task) returns the { pixel, image } thresholds that a share of the good ones reaches.
Napi::Value ScorerHandle::quantileThresholds(const Napi::CallbackInfo& info) {
  return runTask<Thresholds>(
      info.Env(), TaskHandle::from(info[2]), info.Env().Undefined(),
      [sets = toTexts(info[0]), above = info[1].ToNumber().DoubleValue(), scorer = value()](
          const Task&, const ReportProgress&) { return scorer->quantileThresholds(sets, above); },
      thresholdsToJs);
}

// decide(sets, { pixel, image }, task) measures what is called a defect at these thresholds.
Napi::Value ScorerHandle::decide(const Napi::CallbackInfo& info) {
  return runTask<DetectionDecisions>(
      info.Env(), TaskHandle::from(info[2]), info.Env().Undefined(),
      [sets = toTexts(info[0]), thresholds = parseOptions<Thresholds>(info[1]), scorer = value()](
          const Task&, const ReportProgress&) { return scorer->decide(sets, thresholds); },
      decisionsToJs);
}

Napi::Function ScorerHandle::define(Napi::Env env) {
  return DefineClass(
      env, "ScorerHandle",
      {method<&ScorerHandle::add>("add"), method<&ScorerHandle::score>("score"),
       method<&ScorerHandle::bootstrap>("bootstrap"), method<&ScorerHandle::bestThresholds>("bestThresholds"),
       method<&ScorerHandle::quantileThresholds>("quantileThresholds"), method<&ScorerHandle::decide>("decide"),
       disposeMethod()});
}

void defineScorer(Napi::Env env, Napi::Object exports) {
  EnvData::of(env).scorer = Napi::Persistent(ScorerHandle::define(env));
  exportFunction<createMapScorer>(exports, "createMapScorer");
}

}  // namespace dan::binding
