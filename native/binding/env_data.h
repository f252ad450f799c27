// Each Node environment, which is the main thread or a worker, has its own data.
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
  Napi::FunctionReference model, regions, trainer, adapter, sampler, drawn, batch, backgrounds, masker, classifier,
      detector, scorer, pool, augmenter;

  // The torch threads send results and progress to the JS thread through this queue. It is created before the hook that
  // joins the torch threads. Hooks run in reverse order, so that the queue is still alive when the last task answers.
  Napi::ThreadSafeFunction queue;

  // These are the number of engine objects that handles hold or that wait to be freed, and the bytes reported to V8.
  std::atomic<int64_t> objects{0};
  int64_t reportedBytes = 0;

  // Pending tasks have not answered yet. Each has its progress callback, which may be empty. They keep the process
  // alive.
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
  // Reports to V8's garbage collector that memory outside of its heap has grown by `change` bytes, or shrunk.
  void reportMemory(Napi::Env env, int64_t change) {
    if (change == 0) return;
    Napi::MemoryManagement::AdjustExternalMemory(env, change);
    reportedBytes += change;
  }
};

}  // namespace dan::binding
