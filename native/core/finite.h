// These checks find numbers that are not finite. Without them, NaN in a weights file and overflows of float16 would end
// as black images and empty masks.
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

namespace dan {

inline constexpr const char* kNonFinite = "ERR_NON_FINITE";

// Returns true if no element is NaN or infinite. It accepts every dtype that a weights file may have. It waits for the
// device.
bool allFinite(const at::Tensor& numbers);

// Throws ERR_NON_FINITE naming `what`, which made the numbers, unless all are finite. It waits for the device.
void expectFinite(const at::Tensor& numbers, const std::string& what);

// This checks without waiting: the check runs on the device of the numbers, and its answer is read later.
class FiniteChecks {
 public:
  // On the CPU this throws at once.
  void add(const at::Tensor& numbers, std::string what);
  // Queues a copy of the answers so far to the host, after the work before it. The caller must wait for that work
  // before calling `expect`.
  void send();
  // Throws ERR_NON_FINITE naming the first that is not finite. It waits for the device unless all answers were sent.
  void expect() const;

 private:
  std::vector<std::string> names_;
  std::vector<at::Tensor> answers_;  // () bool, on the device
  at::Tensor sent_;                  // (count) bool, on the host
};

}  // namespace dan
