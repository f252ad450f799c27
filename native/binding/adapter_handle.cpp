#include <ATen/record_function.h>

#include "binding/convert.h"
#include "binding/handles.h"

namespace dan::binding {

namespace {

// readAdapter(path, task) reads and checks an adapter in our own or the published format. It does not check the base.
Napi::Value readAdapter(const Napi::CallbackInfo& info) {
  return runTask<Made<dual::AdapterFile>>(
      info.Env(), TaskHandle::from(info[1]), info.Env().Undefined(),
      [path = info[0].ToString().Utf8Value()](const Task&, const ReportProgress&) {
        RECORD_USER_SCOPE("read the adapter");
        return measured([&] { return std::make_shared<dual::AdapterFile>(dual::readAdapterFile(path)); });
      },
      [](Napi::Env env, Made<dual::AdapterFile>& adapter) -> Napi::Value {
        return AdapterHandle::wrap(env, std::move(adapter), EnvData::of(env).adapter);
      });
}

}  // namespace

// metadata() returns the settings of the adapter.
Napi::Value AdapterHandle::metadata(const Napi::CallbackInfo& info) {
  return toObject(info.Env(), dual::describe(*value()));
}

// save(path, task) writes our own format.
Napi::Value AdapterHandle::save(const Napi::CallbackInfo& info) {
  return runTask<bool>(
      info.Env(), TaskHandle::from(info[1]), info.Env().Undefined(),
      [path = info[0].ToString().Utf8Value(), adapter = value()](const Task&, const ReportProgress&) {
        dual::writeAdapterFile(path, *adapter);
        return true;
      },
      [](Napi::Env env, bool&) -> Napi::Value { return env.Undefined(); });
}

// examples(task) returns the training windows that the adapter stores.
Napi::Value AdapterHandle::examples(const Napi::CallbackInfo& info) {
  return runTask<std::vector<dual::AdapterExample>>(
      info.Env(), TaskHandle::from(info[0]), info.Env().Undefined(),
      [adapter = value()](const Task&, const ReportProgress&) { return adapter->examples; }, examplesToJs);
}

Napi::Function AdapterHandle::define(Napi::Env env) {
  return DefineClass(env, "AdapterHandle",
                     {method<&AdapterHandle::metadata>("metadata"), method<&AdapterHandle::examples>("examples"),
                      method<&AdapterHandle::save>("save"), disposeMethod()});
}

void defineAdapter(Napi::Env env, Napi::Object exports) {
  EnvData::of(env).adapter = Napi::Persistent(AdapterHandle::define(env));
  exportFunction<readAdapter>(exports, "readAdapter");
}

}  // namespace dan::binding
