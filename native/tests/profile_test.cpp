// A profile must be right on devices whose backward pass has its own thread, and on several threads at once.
#include "core/profile.h"

#include <ATen/record_function.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "tests/stand_in_device.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

using Times = std::vector<RecordedTime>;

const RecordedTime* find(const Times& times, const std::string& name) {
  const auto found = std::find_if(times.begin(), times.end(), [&](const auto& time) { return time.name == name; });
  return found == times.end() ? nullptr : &*found;
}

// This computes three products and their gradients.
void forwardAndBackward(at::Device device) {
  const at::Tensor weight = at::full({16, 16}, 0.1).to(device).set_requires_grad(true);
  at::Tensor x = at::ones({4, 16}).to(device);
  {
    RECORD_USER_SCOPE("forward");
    for (int i = 0; i < 3; ++i) x = at::mm(x, weight);
  }
  RECORD_USER_SCOPE("backward");
  x.sum().backward();
}

// The time of each operation counts once, so their sum cannot exceed the elapsed time.
void expectWhole(const Times& times, double elapsed) {
  double own = 0;
  for (const RecordedTime& time : times) {
    EXPECT(time.ownSeconds >= 0 && time.ownSeconds <= time.seconds + 1e-9);
    own += time.ownSeconds;
  }
  EXPECT(own > 0 && own <= elapsed);
}

}  // namespace

DAN_TEST(a_profile_sees_a_backward_pass_that_has_a_thread_of_its_own) {
  for (const at::Device device : {at::Device(at::kCPU), standInDevice()}) {
    const auto start = std::chrono::steady_clock::now();
    startProfile();
    for (int i = 0; i < 5; ++i) forwardAndBackward(device);
    const Times times = stopProfile();
    expectWhole(times, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    for (const auto& [name, calls] : {std::pair{"forward", 5}, {"backward", 5}, {"MmBackward0", 15}}) {
      const RecordedTime* time = find(times, name);
      EXPECT(time != nullptr && time->calls == calls);
    }
    EXPECT(find(times, "backward")->ownSeconds < find(times, "backward")->seconds);
    EXPECT(stopProfile().empty());
  }
}

DAN_TEST(profiles_of_threads_are_their_own) {
  const at::Device device = standInDevice();
  const auto recorded = [&](int rounds) {
    startProfile();
    for (int i = 0; i < rounds; ++i) forwardAndBackward(device);
    return stopProfile();
  };
  Times first, second;
  std::thread other([&] { first = recorded(4); });
  second = recorded(7);
  other.join();
  EXPECT(find(first, "MmBackward0") != nullptr && find(first, "MmBackward0")->calls == 12);
  EXPECT(find(second, "MmBackward0") != nullptr && find(second, "MmBackward0")->calls == 21);
}

}  // namespace dan::tests
