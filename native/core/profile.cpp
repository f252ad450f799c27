#include "core/profile.h"

#include <ATen/record_function.h>

#include <algorithm>
#include <chrono>
#include <map>

namespace dan {

namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Of this thread: seconds spent in the operations called by each open one, the outermost first; and the result.
thread_local std::vector<double> inner;
thread_local std::map<std::string, OperationTime> operations;

struct Started : at::ObserverContext {
  Clock::time_point time = Clock::now();
};

std::unique_ptr<at::ObserverContext> onStart(const at::RecordFunction&) {
  inner.push_back(0);
  return std::make_unique<Started>();
}

void onEnd(const at::RecordFunction& function, at::ObserverContext* context) {
  const double seconds = secondsSince(static_cast<Started*>(context)->time);
  OperationTime& operation = operations[function.name()];
  operation.calls += 1;
  operation.seconds += seconds - inner.back();
  inner.pop_back();
  inner.back() += seconds;
}

}  // namespace

std::vector<OperationTime> profile(const std::function<void()>& work) {
  operations.clear();
  inner.assign(1, 0);
  const auto handle = at::addThreadLocalCallback(at::RecordFunctionCallback(onStart, onEnd));
  const Clock::time_point start = Clock::now();
  try {
    work();
  } catch (...) {
    at::removeCallback(handle);
    throw;
  }
  const double total = secondsSince(start);
  at::removeCallback(handle);
  std::vector<OperationTime> result;
  for (auto& [name, operation] : operations) {
    operation.name = name;
    result.push_back(operation);
  }
  result.push_back({"(outside operations)", 1, total - inner.front()});
  std::sort(result.begin(), result.end(), [](const auto& a, const auto& b) { return a.seconds > b.seconds; });
  return result;
}

}  // namespace dan
