// What belongs to one Node environment (the main thread or a worker).
#pragma once

#include <napi.h>

#include <atomic>
#include <map>
#include <memory>

#include "core/torch_thread.h"

namespace dan::binding {

struct EnvData {
  TorchThreads torch;
  // These are the constructors of the JavaScript classes.
  Napi::FunctionReference model, trainer, adapter, sampler, drawn, batch, backgrounds, masker, learner, pool, augmenter;

  // From the torch threads to the JS thread. One for all tasks: it must be there before the hook that joins the torch
  // threads, because hooks run in reverse and a task's last word must find it alive.
  Napi::ThreadSafeFunction queue;

  // Engine objects that handles hold or that wait to be freed, and the bytes that V8 was told of.
  std::atomic<int64_t> objects{0};
  int64_t reportedBytes = 0;

  // Tasks that have not answered yet, with their progress callbacks (empty for none). They keep the process alive.
  std::map<uint64_t, Napi::FunctionReference> pending;
  uint64_t nextTask = 0;

  static EnvData& of(Napi::Env env) { return *env.GetInstanceData<EnvData>(); }
  uint64_t begin(Napi::Env env, Napi::Value progress) {
    Napi::FunctionReference callback;
    if (progress.IsFunction()) callback = Napi::Persistent(progress.As<Napi::Function>());
    const bool isFirst = pending.empty();
    pending[nextTask] = std::move(callback);
    if (isFirst) queue.Ref(env);
    return nextTask++;
  }
  void report(Napi::Env env, uint64_t id, size_t step, size_t steps) const {
    const auto found = pending.find(id);
    if (found == pending.end() || found->second.IsEmpty()) return;
    found->second.Call(
        {Napi::Number::New(env, static_cast<double>(step)), Napi::Number::New(env, static_cast<double>(steps))});
  }
  void end(Napi::Env env, uint64_t id) {
    pending.erase(id);
    if (pending.empty()) queue.Unref(env);
  }
  // Tells V8's collector of memory that JavaScript keeps outside of its heap: `change` bytes more, or less.
  void reportMemory(Napi::Env env, int64_t change) {
    if (change == 0) return;
    Napi::MemoryManagement::AdjustExternalMemory(env, change);
    reportedBytes += change;
  }
};

}  // namespace dan::binding
