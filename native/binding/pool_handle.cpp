#include "binding/convert.h"
#include "binding/handles.h"

namespace dan::binding {

namespace {

// createPool(width, height) returns an empty pool.
Napi::Value createPool(const Napi::CallbackInfo& info) {
  auto pool = std::make_shared<augment::PixelPool>();
  pool->width = info[0].ToNumber().Int64Value();
  pool->height = info[1].ToNumber().Int64Value();
  return PoolHandle::wrap(info.Env(), {pool}, EnvData::of(info.Env()).pool);
}

}  // namespace

// append(images, masks or undefined, count) takes RGB images, and masks with one byte for each pixel. It copies them on
// the JS thread, so a caller should pass few at a time. A pool must not grow while a detector learns from it.
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
