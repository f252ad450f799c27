// Whether numbers are finite. NaN in a weights file and overflows of float16 end as black pictures and empty masks
// unless somebody asks.
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

namespace dan {

inline constexpr const char* kNonFinite = "ERR_NON_FINITE";

// Whether no element is NaN or infinite, of any type that a weights file may have. Waits for the device.
bool allFinite(const at::Tensor& numbers);

// Throws ERR_NON_FINITE naming `what` made them, unless every number is finite. Waits for the device.
void expectFinite(const at::Tensor& numbers, const std::string& what);

// The same for work that nobody waits for: the question is put where the numbers are, and the answer is read later.
class FiniteChecks {
 public:
  // On a CPU throws at once.
  void add(const at::Tensor& numbers, std::string what);
  // Sends the answers so far to the host, behind the work before. Whoever calls `expect` next waits for them first.
  void send();
  // Throws ERR_NON_FINITE naming the first that is not finite. Waits for the device unless everything was sent.
  void expect() const;

 private:
  std::vector<std::string> names_;
  std::vector<at::Tensor> answers_;  // () bool, on the device
  at::Tensor sent_;                  // (count) bool, on the host
};

}  // namespace dan
