#include "binding/convert.h"
#include "binding/handles.h"
#include "binding/option_reader.h"
#include "binding/options.h"

namespace dan::binding {

namespace {

using Scores = evaluate::DetectionScores;

// createMapScorer() returns a scorer without maps.
Napi::Value createMapScorer(const Napi::CallbackInfo& info) {
  return ScorerHandle::wrap(info.Env(), {std::make_shared<evaluate::MapScorer>()}, EnvData::of(info.Env()).scorer);
}

}  // namespace

// add(set, map, mask, task) takes a map as { data, shape: [height, width] } and its mask with one byte for each pixel.
// It returns the pixel average precision of the map.
Napi::Value ScorerHandle::add(const Napi::CallbackInfo& info) {
  const at::Tensor map = fromJsTensor(info[1]), mask = toTensor(info[2], map.sizes());
  grow(map.numel() * static_cast<int64_t>(sizeof(uint32_t)));
  return runTask<double>(
      info.Env(), TaskHandle::from(info[3]), info.Env().Undefined(),
      [set = info[0].ToString().Utf8Value(), map, mask, scorer = value()](const Task&, const ReportProgress&) {
        return scorer->add(set, map, mask);
      },
      [](Napi::Env env, double& value) -> Napi::Value { return Napi::Number::New(env, value); });
}

// score(sets, task) measures the maps of these sets together.
Napi::Value ScorerHandle::score(const Napi::CallbackInfo& info) {
  return runTask<Scores>(
      info.Env(), TaskHandle::from(info[1]), info.Env().Undefined(),
      [sets = toTexts(info[0]), scorer = value()](const Task&, const ReportProgress&) { return scorer->score(sets); },
      [](Napi::Env env, Scores& scores) -> Napi::Value {
        Napi::Object result = Napi::Object::New(env);
        result.Set("pixelAuroc", scores.pixelAuroc);
        result.Set("pixelAp", scores.pixelAp);
        result.Set("pixelF1Max", scores.pixelF1Max);
        result.Set("pixelAuPro", scores.pixelAuPro);
        result.Set("imageAuroc", scores.imageAuroc);
        result.Set("imageAp", scores.imageAp);
        result.Set("imageF1Max", scores.imageF1Max);
        return result;
      });
}

Napi::Function ScorerHandle::define(Napi::Env env) {
  return DefineClass(env, "ScorerHandle",
                     {method<&ScorerHandle::add>("add"), method<&ScorerHandle::score>("score"), disposeMethod()});
}

void defineScorer(Napi::Env env, Napi::Object exports) {
  EnvData::of(env).scorer = Napi::Persistent(ScorerHandle::define(env));
  exportFunction<createMapScorer>(exports, "createMapScorer");
}

}  // namespace dan::binding
