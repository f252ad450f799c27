// runTask() runs work on a torch thread and returns a promise of the result on the JS thread.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <optional>

#include "binding/env_data.h"
#include "binding/failure.h"

namespace dan::binding {

// The progress callback gets each step of a job as (step, steps).
using ReportProgress = std::function<void(size_t step, size_t steps)>;

// A task that JavaScript can cancel has the number of the torch thread that runs it.
struct JsTask : Task {
  explicit JsTask(size_t runsOn) : thread(runsOn) {}
  const size_t thread;
};

// `work` runs on the task's torch thread and must not use Napi values. `toJs` runs on the JS thread and must not call
// tensor operations. `progress` may be empty and must not throw, which lib/run-native.ts ensures. R must hold no device
// memory.
template <class R>
Napi::Value runTask(Napi::Env env, std::shared_ptr<JsTask> task, Napi::Value progress,
                    std::function<R(const Task&, const ReportProgress&)> work,
                    std::function<Napi::Value(Napi::Env, R&)> toJs) {
  struct Outcome {
    std::optional<R> result;
    TaskFailure failure;
  };
  const auto deferred = Napi::Promise::Deferred::New(env);
  EnvData& data = EnvData::of(env);
  const auto outcome = std::make_shared<Outcome>();
  const uint64_t id = data.begin(env, progress);
  auto job = [=, queue = data.queue, work = std::move(work)]() mutable {
    const ReportProgress report = [queue, id](size_t step, size_t steps) {
      queue.NonBlockingCall([id, step, steps](Napi::Env jsEnv, Napi::Function) {
        try {
          EnvData::of(jsEnv).report(jsEnv, id, step, steps);
        } catch (...) {  // The environment is being destroyed.
        }
      });
    };
    outcome->failure = captureFailure([&] {
      task->checkCancelled();
      outcome->result.emplace(work(*task, report));
    });
    work = nullptr;  // Captured objects must be freed on this thread.
    queue.NonBlockingCall([deferred, outcome, toJs, id, task](Napi::Env jsEnv, Napi::Function) {
      try {
        EnvData& answered = EnvData::of(jsEnv);
        answered.end(jsEnv, id);
        const bool given = settle(jsEnv, deferred, outcome->failure, [&] { return toJs(jsEnv, *outcome->result); });
        if (given || !outcome->result) return;
        // Nobody takes the result, so its tensors are freed on the thread that made them.
        answered.torch.post(task->thread, std::make_shared<Task>(), [outcome] { outcome->result.reset(); });
      } catch (...) {  // The environment is being destroyed.
      }
    });
  };
  try {
    data.torch.post(task->thread, task, std::move(job));
  } catch (...) {
    data.end(env, id);  // Otherwise the process would wait for the task.
    throw;
  }
  return deferred.Promise();
}

}  // namespace dan::binding
