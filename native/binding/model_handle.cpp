#include "binding/handles.h"
#include "binding/option_reader.h"
#include "binding/options.h"
#include "core/device.h"

namespace dan::binding {

namespace {

using Base = std::shared_ptr<model::BaseModel>;

// loadModel(options, task): { handle, info }
Napi::Value loadModel(const Napi::CallbackInfo& info) {
  const auto options = parseOptions<LoadOptions>(info[0]);
  return runTask<Base>(
      info.Env(), TaskHandle::from(info[1]), info.Env().Undefined(),
      [options](const Task&, const ReportProgress&) {
        const at::Device device = parseDevice(options.device);
        return Base(model::loadBaseModel(options.folder, device, parseDtype(options.dtype, device)));
      },
      [](Napi::Env env, Base& base) -> Napi::Value {
        Napi::Object details = Napi::Object::New(env);
        details.Set("fingerprint", base->fingerprint);
        details.Set("device", base->device().str());
        details.Set("dtype", dtypeName(base->unet->dtype()));
        details.Set("scheduler", base->schedulerName);
        details.Set("resolutionMultiple", Napi::Number::New(env, static_cast<double>(base->resolutionMultiple())));
        Napi::Object result = Napi::Object::New(env);
        result.Set("info", details);
        result.Set("handle", ModelHandle::wrap(env, base, EnvData::of(env).model));
        return result;
      });
}

}  // namespace

Napi::Function ModelHandle::define(Napi::Env env) {
  return DefineClass(env, "ModelHandle", {InstanceMethod("dispose", &ModelHandle::dispose)});
}

void defineModel(Napi::Env env, Napi::Object exports) {
  EnvData::of(env).model = Napi::Persistent(ModelHandle::define(env));
  exports.Set("loadModel", Napi::Function::New(env, loadModel));
}

}  // namespace dan::binding
