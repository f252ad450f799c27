// C++ exceptions become JavaScript errors with a stable code. An exception that leaves a function which Node has called
// would end the process.
#pragma once

#include <napi.h>

#include <functional>
#include <string>

namespace dan::binding {

struct TaskFailure {
  std::string code, message;
  bool failed = false;
};

// Returns a code and one line of text for the current exception. It must be called inside a catch block.
TaskFailure describeFailure();
// Runs `work` and describes the exception that it throws.
TaskFailure captureFailure(const std::function<void()>& work);
Napi::Error errorOf(Napi::Env env, const TaskFailure& failure);

// Runs `body` on the JS thread and converts its exceptions to JavaScript errors with a code. JavaScript's own errors
// pass unchanged.
template <class Body>
auto guarded(Napi::Env env, Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    throw errorOf(env, describeFailure());
  }
}

using BindingFunction = Napi::Value (*)(const Napi::CallbackInfo&);

template <BindingFunction function>
Napi::Value guardedFunction(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return function(info); });
}

// Exports a free function. All free functions must be exported by it, because it converts exceptions.
template <BindingFunction function>
void exportFunction(Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New<&guardedFunction<function>>(exports.Env(), name));
}

// Settles a promise. It rejects the promise with `failure` if that failed. Otherwise it resolves the promise with the
// result of `value`, or rejects it with the exception of `value`. Returns true if it resolved the promise. Throws
// nothing.
bool settle(Napi::Env env, const Napi::Promise::Deferred& deferred, const TaskFailure& failure,
            const std::function<Napi::Value()>& value) noexcept;

}  // namespace dan::binding
