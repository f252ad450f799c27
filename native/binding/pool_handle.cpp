#include "binding/convert.h"
#include "binding/handles.h"

namespace dan::binding {

namespace {

// createPool(width, height)
Napi::Value createPool(const Napi::CallbackInfo& info) {
  auto pool = std::make_shared<augment::PixelPool>();
  pool->width = info[0].ToNumber().Int64Value();
  pool->height = info[1].ToNumber().Int64Value();
  return PoolHandle::wrap(info.Env(), {pool}, EnvData::of(info.Env()).pool);
}

}  // namespace

// append(images, masks or undefined, count): RGB, and one byte a pixel; copied here and now, so that a caller passes
// few at a time. A pool does not grow under a detector that learns from it.
Napi::Value PoolHandle::append(const Napi::CallbackInfo& info) {
  const auto pool = value();
  const int64_t count = info[2].ToNumber().Int64Value();
  const at::Tensor images = toTensor(info[0], {count, pool->height, pool->width, 3});
  at::Tensor masks;
  if (!info[1].IsUndefined()) masks = toTensor(info[1], {count, pool->height, pool->width});
  for (const at::Tensor& image : images.unbind()) pool->images.push_back(image);
  grow(static_cast<int64_t>(images.nbytes()));
  if (!masks.defined()) return info.Env().Undefined();
  for (const at::Tensor& mask : masks.unbind()) pool->masks.push_back(mask);
  grow(static_cast<int64_t>(masks.nbytes()));
  return info.Env().Undefined();
}

Napi::Function PoolHandle::define(Napi::Env env) {
  return DefineClass(env, "PoolHandle", {method<&PoolHandle::append>("append"), disposeMethod()});
}

void definePool(Napi::Env env, Napi::Object exports) {
  EnvData::of(env).pool = Napi::Persistent(PoolHandle::define(env));
  exportFunction<createPool>(exports, "createPool");
}

}  // namespace dan::binding
