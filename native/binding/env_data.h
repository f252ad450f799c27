// What belongs to one Node environment (the main thread or a worker).
#pragma once

#include <napi.h>

#include <memory>

#include "binding/torch_thread.h"

namespace dan::binding {

struct EnvData {
  std::unique_ptr<TorchThread> torch = std::make_unique<TorchThread>();  // empty once the environment is going away
  Napi::FunctionReference model, trainer, sampler, batch, backgrounds, masker;  // constructors

  static EnvData& of(Napi::Env env) { return *env.GetInstanceData<EnvData>(); }
  void post(std::shared_ptr<Task> task, std::function<void()> job) {
    if (torch) torch->post(std::move(task), std::move(job));
  }
};

}  // namespace dan::binding
