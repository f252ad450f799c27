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

// This is the recording of one thread. libtorch passes it, like the callbacks, to the threads that work for that
// thread. (On a device other than the CPU, the backward pass has its own thread.) So several threads may write to it.
struct Recording : c10::DebugInfoBase, std::enable_shared_from_this<Recording> {
  const std::thread::id thread = std::this_thread::get_id();
  std::mutex mutex;
  std::map<std::string, RecordedTime> times;
  // On the recorded thread: seconds spent in the calls of each open operation, the outermost first.
  std::vector<double> open{0};

  Recording() = default;
  // The last owner to let go may be a thread of libtorch, whose reference count ThreadSanitizer does not see.
  ~Recording() override { const std::lock_guard<std::mutex> lock(mutex); }
};
constexpr auto kKind = c10::DebugInfoKind::TEST_INFO;  // libtorch itself uses it for nothing

struct Started : at::ObserverContext {
  explicit Started(std::shared_ptr<Recording> into) : recording(std::move(into)) {}
  const std::shared_ptr<Recording> recording;
  const Clock::time_point time = Clock::now();
};

// These are the open operations of this thread while it works for another one.
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
  time.ownSeconds += std::max(seconds - open.back(), 0.0);  // negative if it waited for two threads at once
  open.pop_back();
  // The work that another thread does for the recorded one belongs to the operation that waits for it.
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
