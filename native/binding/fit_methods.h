// The handles of detectors and classifiers share the methods that fit them.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "binding/convert.h"
#include "binding/handles.h"

namespace dan::binding {

// step(task) returns { step, loss }.
template <class T>
Napi::Value fitStep(std::shared_ptr<T> fitted, const Napi::CallbackInfo& info) {
  return runTask<detect::FitStep>(
      info.Env(), TaskHandle::from(info[0]), info.Env().Undefined(),
      [fitted](const Task& task, const ReportProgress&) { return fitted->step(task); },
      [](Napi::Env env, detect::FitStep& step) -> Napi::Value {
        Napi::Object result = Napi::Object::New(env);
        result.Set("step", Napi::Number::New(env, static_cast<double>(step.step)));
        result.Set("loss", Napi::Number::New(env, step.loss));
        return result;
      });
}

// saveCheckpoint(path, metadata, task) and save(path, metadata, task) write a file.
template <auto write, class T>
Napi::Value writeFitted(std::shared_ptr<T> fitted, const Napi::CallbackInfo& info) {
  const std::string path = info[0].ToString().Utf8Value();
  return runTask<bool>(
      info.Env(), TaskHandle::from(info[2]), info.Env().Undefined(),
      [path, metadata = toMetadata(info[1]), fitted](const Task&, const ReportProgress&) {
        ((*fitted).*write)(path, metadata);
        return true;
      },
      [](Napi::Env env, bool&) -> Napi::Value { return env.Undefined(); });
}

// loadCheckpoint(path, task) returns the step of the checkpoint.
template <class T>
Napi::Value loadFit(std::shared_ptr<T> fitted, const Napi::CallbackInfo& info) {
  const std::string path = info[0].ToString().Utf8Value();
  return runTask<int64_t>(
      info.Env(), TaskHandle::from(info[1]), info.Env().Undefined(),
      [path, fitted](const Task&, const ReportProgress&) {
        fitted->loadCheckpoint(path);
        return fitted->position();
      },
      [](Napi::Env env, int64_t& position) -> Napi::Value {
        return Napi::Number::New(env, static_cast<double>(position));
      });
}

// Reads the strata of defects from their lists. Throws unless each image has a group and a type.
inline detect::Strata toStrata(Napi::Value groups, Napi::Value types, const augment::Pool& defects) {
  detect::Strata strata{toIntegers(groups), toIntegers(types)};
  const size_t count = defects->images.size();
  if (strata.groups.size() != count || strata.types.size() != count) {
    throw Napi::TypeError::New(groups.Env(), "expected a group and a type for each image of a defect");
  }
  return strata;
}

}  // namespace dan::binding
