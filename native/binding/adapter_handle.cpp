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

// examples(first, task) returns the training windows that the adapter stores, from number `first`. It returns a few at
// a time, because they are copied on the JS thread.
Napi::Value AdapterHandle::examples(const Napi::CallbackInfo& info) {
  return runTask<std::vector<dual::AdapterExample>>(
      info.Env(), TaskHandle::from(info[1]), info.Env().Undefined(),
      [first = info[0].ToNumber().Uint32Value(), adapter = value()](const Task&, const ReportProgress&) {
        constexpr size_t kAtOnce = 4;
        const auto& all = adapter->examples;
        const size_t from = std::min<size_t>(first, all.size()), to = std::min(from + kAtOnce, all.size());
        return std::vector<dual::AdapterExample>(all.begin() + static_cast<int64_t>(from),
                                                 all.begin() + static_cast<int64_t>(to));
      },
      examplesToJs);
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
