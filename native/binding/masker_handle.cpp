#include <ATen/record_function.h>

#include "binding/convert.h"
#include "binding/handles.h"
#include "binding/option_reader.h"
#include "binding/options.h"
#include "core/device.h"

namespace dan::binding {

namespace {

using Masker = Made<mask::U2netMasker>;

// loadMasker(path, device, task) returns a handle.
Napi::Value loadMasker(const Napi::CallbackInfo& info) {
  const std::string path = info[0].ToString().Utf8Value(), device = info[1].ToString().Utf8Value();
  return runTask<Masker>(
      info.Env(), TaskHandle::from(info[2]), info.Env().Undefined(),
      [path, device](const Task&, const ReportProgress&) {
        return measured([&] { return std::make_shared<mask::U2netMasker>(path, parseDevice(device)); });
      },
      [](Napi::Env env, Masker& masker) -> Napi::Value {
        return MaskerHandle::wrap(env, std::move(masker), EnvData::of(env).masker);
      });
}

Napi::Value maskBytes(Napi::Env env, at::Tensor& mask) { return toBytes(env, mask); }

// lacksContrast(part, width, height, task) returns true for a blank part.
Napi::Value lacksContrast(const Napi::CallbackInfo& info) {
  const int64_t width = info[1].ToNumber().Int64Value(), height = info[2].ToNumber().Int64Value();
  return runTask<bool>(
      info.Env(), TaskHandle::from(info[3]), info.Env().Undefined(),
      [part = toTensor(info[0], {height, width, 3})](const Task&, const ReportProgress&) {
        return mask::lacksContrast(part);
      },
      [](Napi::Env env, bool& lacks) -> Napi::Value { return Napi::Boolean::New(env, lacks); });
}

// thresholdMask(part, options, task) returns 0 or 255 for each pixel.
Napi::Value thresholdMask(const Napi::CallbackInfo& info) {
  const auto options = parseOptions<MaskOptions>(info[1]);
  const at::Tensor part = toTensor(info[0], {options.height, options.width, 3});
  return runTask<at::Tensor>(
      info.Env(), TaskHandle::from(info[2]), info.Env().Undefined(),
      [part, options](const Task&, const ReportProgress&) {
        return mask::thresholdMask(part, options.fill, options.threshold);
      },
      maskBytes);
}

}  // namespace

// mask(part, options, task) returns 0 or 255 for each pixel.
Napi::Value MaskerHandle::mask(const Napi::CallbackInfo& info) {
  const auto options = parseOptions<MaskOptions>(info[1]);
  const at::Tensor part = toTensor(info[0], {options.height, options.width, 3});
  return runTask<at::Tensor>(
      info.Env(), TaskHandle::from(info[2]), info.Env().Undefined(),
      [part, options, masker = value()](const Task&, const ReportProgress&) {
        RECORD_USER_SCOPE("find a mask");
        return mask::binarize(masker->saliency(part), options.threshold);
      },
      maskBytes);
}

Napi::Function MaskerHandle::define(Napi::Env env) {
  return DefineClass(env, "MaskerHandle", {method<&MaskerHandle::mask>("mask"), disposeMethod()});
}

void defineMasker(Napi::Env env, Napi::Object exports) {
  EnvData::of(env).masker = Napi::Persistent(MaskerHandle::define(env));
  exportFunction<loadMasker>(exports, "loadMasker");
  exportFunction<lacksContrast>(exports, "lacksContrast");
  exportFunction<thresholdMask>(exports, "thresholdMask");
}

}  // namespace dan::binding
