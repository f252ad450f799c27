#include "core/profile.h"

#include <ATen/record_function.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

namespace dan {

namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// What was recorded for one thread. libtorch takes it along to the threads that work for it (on a device other than the
// CPU the backward pass has its own), as it does with the callbacks, so that several threads may write.
struct Recording : c10::DebugInfoBase, std::enable_shared_from_this<Recording> {
  const std::thread::id thread = std::this_thread::get_id();
  std::mutex mutex;
  std::map<std::string, RecordedTime> times;
  std::vector<double> open{0};  // on that thread: seconds in what each open operation called, the outermost first

  Recording() = default;
  // The last one to let go may be a thread of libtorch's, whose counting of owners ThreadSanitizer does not see.
  ~Recording() override { const std::lock_guard<std::mutex> lock(mutex); }
};
constexpr auto kKind = c10::DebugInfoKind::TEST_INFO;  // libtorch itself uses it for nothing

struct Started : at::ObserverContext {
  explicit Started(std::shared_ptr<Recording> into) : recording(std::move(into)) {}
  const std::shared_ptr<Recording> recording;
  const Clock::time_point time = Clock::now();
};

// The open operations on this thread where it works for another one.
thread_local std::vector<double> openForOther;

std::vector<double>& openOn(Recording& recording) {
  return recording.thread == std::this_thread::get_id() ? recording.open : openForOther;
}

std::unique_ptr<at::ObserverContext> onStart(const at::RecordFunction&) {
  auto* recording = static_cast<Recording*>(c10::ThreadLocalDebugInfo::get(kKind));
  if (recording == nullptr) return nullptr;
  {
    const std::lock_guard<std::mutex> lock(recording->mutex);
    openOn(*recording).push_back(0);
  }
  return std::make_unique<Started>(recording->shared_from_this());
}

void onEnd(const at::RecordFunction& function, at::ObserverContext* context) {
  if (context == nullptr) return;
  const auto* started = static_cast<Started*>(context);
  const double seconds = secondsSince(started->time);
  Recording& recording = *started->recording;
  const std::lock_guard<std::mutex> lock(recording.mutex);
  std::vector<double>& open = openOn(recording);
  RecordedTime& time = recording.times[function.name()];
  time.isStage = function.scope() == at::RecordScope::USER_SCOPE;
  time.calls += 1;
  time.seconds += seconds;
  time.ownSeconds += std::max(seconds - open.back(), 0.0);  // below 0 where it waited for two threads at once
  open.pop_back();
  // What another thread does for the recorded one is part of the operation that waits for it there.
  (open.empty() ? recording.open : open).back() += seconds;
}

thread_local std::shared_ptr<Recording> current;
thread_local std::optional<at::CallbackHandle> callback;

}  // namespace

void startProfile() {
  stopProfile();
  current = std::make_shared<Recording>();
  c10::ThreadLocalDebugInfo::_push(kKind, current);
  callback = at::addThreadLocalCallback(at::RecordFunctionCallback(onStart, onEnd));
}

std::vector<RecordedTime> stopProfile() {
  if (!callback) return {};
  at::removeCallback(*callback);
  callback.reset();
  c10::ThreadLocalDebugInfo::_pop(kKind);
  const auto recording = std::move(current);
  const std::lock_guard<std::mutex> lock(recording->mutex);
  std::vector<RecordedTime> result;
  for (auto& [name, time] : recording->times) {
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
  const double outside = secondsSince(start) - current->open.front();
  std::vector<RecordedTime> result = stopProfile();
  result.push_back({"(outside operations)", false, 1, outside, outside});
  std::sort(result.begin(), result.end(), [](const auto& a, const auto& b) { return a.ownSeconds > b.ownSeconds; });
  return result;
}

}  // namespace dan
