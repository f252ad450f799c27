#include "binding/convert.h"
#include "binding/handles.h"
#include "binding/option_reader.h"
#include "binding/options.h"

namespace dan::binding {

namespace {

using Augmenter = Made<augment::Augmenter>;

int64_t bytesOf(const augment::PixelPool& pool) {
  size_t bytes = 0;
  for (const auto* list : {&pool.images, &pool.masks}) {
    for (const at::Tensor& picture : *list) bytes += picture.nbytes();
  }
  return static_cast<int64_t>(bytes);
}

// createAugmenter(options, defects, good, task) takes pools. They stay alive after their handles are disposed.
Napi::Value createAugmenter(const Napi::CallbackInfo& info) {
  return runTask<Augmenter>(
      info.Env(), TaskHandle::from(info[3]), info.Env().Undefined(),
      [options = parseOptions<AugmenterOptions>(info[0]), defects = PoolHandle::from(info[1]),
       good = PoolHandle::from(info[2])](const Task&, const ReportProgress&) {
        return Augmenter{std::make_shared<augment::Augmenter>(defects, good, options.seed),
                         bytesOf(*defects) + bytesOf(*good)};
      },
      [](Napi::Env env, Augmenter& augmenter) -> Napi::Value {
        return AugmenterHandle::wrap(env, std::move(augmenter), EnvData::of(env).augmenter);
      });
}

}  // namespace

// draw(indices, part fill, task) returns pairs with their masks.
Napi::Value AugmenterHandle::draw(const Napi::CallbackInfo& info) {
  return runTask<std::vector<augment::AugmentedPair>>(
      info.Env(), TaskHandle::from(info[2]), info.Env().Undefined(),
      [indices = toIntegers(info[0]), fill = parsePartFill(info[1].ToString().Utf8Value()), augmenter = value()](
          const Task& task, const ReportProgress&) { return augmenter->pairs(indices, fill, task); },
      augmentedToJs);
}

Napi::Function AugmenterHandle::define(Napi::Env env) {
  return DefineClass(env, "AugmenterHandle", {method<&AugmenterHandle::draw>("draw"), disposeMethod()});
}

void defineAugmenter(Napi::Env env, Napi::Object exports) {
  EnvData::of(env).augmenter = Napi::Persistent(AugmenterHandle::define(env));
  exportFunction<createAugmenter>(exports, "createAugmenter");
}

}  // namespace dan::binding
