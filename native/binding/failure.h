// What C++ throws, as errors of JavaScript's with a stable code. A C++ exception that leaves a function which Node
// called ends the process.
#pragma once

#include <napi.h>

#include <functional>
#include <string>

namespace dan::binding {

struct TaskFailure {
  std::string code, message;
  bool failed = false;
};

// Inside a catch block: a code and one line of text for what is being handled.
TaskFailure describeFailure();
// Runs `work` and describes whatever it throws.
TaskFailure captureFailure(const std::function<void()>& work);
Napi::Error errorOf(Napi::Env env, const TaskFailure& failure);

// For the JS thread: what `body` throws leaves as a JavaScript error with a code. JavaScript's own errors pass.
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

// Exports a free function; all of them are exported by this.
template <BindingFunction function>
void exportFunction(Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New<&guardedFunction<function>>(exports.Env(), name));
}

// Ends a promise: rejects it with `failure`, or resolves it with what `value` gives, or rejects it with what that
// throws; then false. Throws nothing.
bool settle(Napi::Env env, const Napi::Promise::Deferred& deferred, const TaskFailure& failure,
            const std::function<Napi::Value()>& value) noexcept;

}  // namespace dan::binding
