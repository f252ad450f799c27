// Work on a torch thread, its result as a promise on the JS thread.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>

#include "binding/env_data.h"

namespace dan::binding {

// A step of a job, for the progress callback: (step, steps).
using ReportProgress = std::function<void(size_t step, size_t steps)>;

// What a caller in JavaScript can cancel, and the torch thread that is to run it.
struct JsTask : Task {
  explicit JsTask(size_t runsOn) : thread(runsOn) {}
  const size_t thread;
};

struct TaskFailure {
  std::string code, message;
  bool failed = false;
};

// Runs `work` and turns whatever it throws into a code and one line of text.
TaskFailure captureFailure(const std::function<void()>& work);

// `work` runs on the task's torch thread and touches no Napi value; `toJs` runs on the JS thread and touches no tensor
// operation. `progress` may be empty. R must hold no device memory.
template <class R>
Napi::Value runTask(Napi::Env env, std::shared_ptr<JsTask> task, Napi::Value progress,
                    std::function<R(const Task&, const ReportProgress&)> work,
                    std::function<Napi::Value(Napi::Env, R&)> toJs) {
  const auto deferred = Napi::Promise::Deferred::New(env);
  EnvData& data = EnvData::of(env);
  const uint64_t id = data.begin(env, progress);
  data.torch.post(task->thread, task, [=, queue = data.queue]() mutable {
    const ReportProgress report = [queue, id](size_t step, size_t steps) {
      queue.NonBlockingCall([id, step, steps](Napi::Env jsEnv, Napi::Function) {
        const auto found = EnvData::of(jsEnv).pending.find(id);
        if (found == EnvData::of(jsEnv).pending.end() || found->second.IsEmpty()) return;
        try {
          found->second.Call({Napi::Number::New(jsEnv, static_cast<double>(step)),
                              Napi::Number::New(jsEnv, static_cast<double>(steps))});
        } catch (const Napi::Error&) {  // the environment is going away
        }
      });
    };
    auto result = std::make_shared<std::unique_ptr<R>>();
    const TaskFailure failure = captureFailure([&] {
      task->checkCancelled();
      *result = std::make_unique<R>(work(*task, report));
    });
    work = nullptr;  // releases what it captured on this thread
    queue.NonBlockingCall([deferred, result, failure, toJs, id](Napi::Env jsEnv, Napi::Function) {
      EnvData::of(jsEnv).end(jsEnv, id);
      try {
        if (!failure.failed) return deferred.Resolve(toJs(jsEnv, **result));
        const Napi::Error error = Napi::Error::New(jsEnv, failure.message);
        error.Set("code", Napi::String::New(jsEnv, failure.code));
        deferred.Reject(error.Value());
      } catch (const Napi::Error&) {  // without this, ending a worker can end the process
      }
    });
  });
  return deferred.Promise();
}

}  // namespace dan::binding
