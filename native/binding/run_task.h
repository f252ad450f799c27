// Work on a torch thread, its result as a promise on the JS thread.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <optional>

#include "binding/env_data.h"
#include "binding/failure.h"

namespace dan::binding {

// A step of a job, for the progress callback: (step, steps).
using ReportProgress = std::function<void(size_t step, size_t steps)>;

// What a caller in JavaScript can cancel, and the torch thread that is to run it.
struct JsTask : Task {
  explicit JsTask(size_t runsOn) : thread(runsOn) {}
  const size_t thread;
};

// `work` runs on the task's torch thread and touches no Napi value; `toJs` runs on the JS thread and touches no tensor
// operation. `progress` may be empty; it must throw nothing (lib/run-native.ts sees to that). R must hold no device
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
        } catch (...) {  // the environment is going away
        }
      });
    };
    outcome->failure = captureFailure([&] {
      task->checkCancelled();
      outcome->result.emplace(work(*task, report));
    });
    work = nullptr;  // releases what it captured on this thread
    queue.NonBlockingCall([deferred, outcome, toJs, id, task](Napi::Env jsEnv, Napi::Function) {
      try {
        EnvData& answered = EnvData::of(jsEnv);
        answered.end(jsEnv, id);
        const bool given = settle(jsEnv, deferred, outcome->failure, [&] { return toJs(jsEnv, *outcome->result); });
        if (given || !outcome->result) return;
        // Nobody has the result: tensors are freed where they were made.
        answered.torch.post(task->thread, std::make_shared<Task>(), [outcome] { outcome->result.reset(); });
      } catch (...) {  // the environment is going away
      }
    });
  };
  try {
    data.torch.post(task->thread, task, std::move(job));
  } catch (...) {
    data.end(env, id);  // or the process would wait for it
    throw;
  }
  return deferred.Promise();
}

}  // namespace dan::binding
