#include "core/profile.h"

#include <ATen/record_function.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>

namespace dan {

namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Of this thread: seconds spent in the operations called by each open one, the outermost first; and the result.
thread_local std::vector<double> inner;
thread_local std::map<std::string, RecordedTime> recorded;
thread_local std::optional<at::CallbackHandle> callback;

struct Started : at::ObserverContext {
  Clock::time_point time = Clock::now();
};

std::unique_ptr<at::ObserverContext> onStart(const at::RecordFunction&) {
  inner.push_back(0);
  return std::make_unique<Started>();
}

void onEnd(const at::RecordFunction& function, at::ObserverContext* context) {
  const double seconds = secondsSince(static_cast<Started*>(context)->time);
  RecordedTime& time = recorded[function.name()];
  time.isStage = function.scope() == at::RecordScope::USER_SCOPE;
  time.calls += 1;
  time.seconds += seconds;
  time.ownSeconds += seconds - inner.back();
  inner.pop_back();
  inner.back() += seconds;
}

}  // namespace

void startProfile() {
  stopProfile();
  recorded.clear();
  inner.assign(1, 0);
  callback = at::addThreadLocalCallback(at::RecordFunctionCallback(onStart, onEnd));
}

std::vector<RecordedTime> stopProfile() {
  if (!callback) return {};
  at::removeCallback(*callback);
  callback.reset();
  std::vector<RecordedTime> result;
  for (auto& [name, time] : recorded) {
    time.name = name;
    result.push_back(time);
  }
  std::sort(result.begin(), result.end(), [](const auto& a, const auto& b) { return a.ownSeconds > b.ownSeconds; });
  return result;
}

std::vector<RecordedTime> profile(const std::function<void()>& work) {
  startProfile();
  const Clock::time_point start = Clock::now();
  try {
    work();
  } catch (...) {
    stopProfile();
    throw;
  }
  const double outside = secondsSince(start) - inner.front();
  std::vector<RecordedTime> result = stopProfile();
  result.push_back({"(outside operations)", false, 1, outside, outside});
  std::sort(result.begin(), result.end(), [](const auto& a, const auto& b) { return a.ownSeconds > b.ownSeconds; });
  return result;
}

}  // namespace dan
