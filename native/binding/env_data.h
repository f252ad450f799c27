// What belongs to one Node environment (the main thread or a worker).
#pragma once

#include <napi.h>

#include <map>
#include <memory>

#include "binding/torch_thread.h"

namespace dan::binding {

struct EnvData {
  TorchThreads torch;
  Napi::FunctionReference model, trainer, sampler, drawn, batch, backgrounds, layouts, masker, learner,
      pool;  // constructors

  // From the torch threads to the JS thread. One for all tasks: it must be there before the hook that joins the torch
  // threads, because hooks run in reverse and a task's last word must find it alive.
  Napi::ThreadSafeFunction queue;

  // Tasks that have not answered yet, with their progress callbacks (empty for none). They keep the process alive.
  std::map<uint64_t, Napi::FunctionReference> pending;
  uint64_t nextTask = 0;

  static EnvData& of(Napi::Env env) { return *env.GetInstanceData<EnvData>(); }
  uint64_t begin(Napi::Env env, Napi::Value progress) {
    if (pending.empty()) queue.Ref(env);
    pending[nextTask] =
        progress.IsFunction() ? Napi::Persistent(progress.As<Napi::Function>()) : Napi::FunctionReference();
    return nextTask++;
  }
  void end(Napi::Env env, uint64_t id) {
    pending.erase(id);
    if (pending.empty()) queue.Unref(env);
  }
};

}  // namespace dan::binding
