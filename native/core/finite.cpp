#include "core/finite.h"

#include <cmath>

#include "core/error.h"

namespace dan {

namespace {

// Returns a bool tensor of shape ().
at::Tensor isFinite(const at::Tensor& numbers) {
  const bool isNarrow = c10::isFloat8Type(numbers.scalar_type());
  return at::isfinite(isNarrow ? numbers.to(at::kFloat) : numbers).all();
}

[[noreturn]] void failAt(const std::string& what) {
  fail(kNonFinite, what, " gives numbers that are not finite: weights hold NaN, or are too large for the dtype. ",
       "Try float32, or another file");
}

}  // namespace

bool allFinite(const at::Tensor& numbers) {
  if (!numbers.is_floating_point()) return true;
  // One pass tells it nearly always: a sum is finite only if all of its terms are. A sum of finite terms may overflow.
  if (numbers.scalar_type() == at::kFloat && std::isfinite(numbers.sum().item<float>())) return true;
  return isFinite(numbers).item<bool>();
}

void expectFinite(const at::Tensor& numbers, const std::string& what) {
  if (!allFinite(numbers)) failAt(what);
}

void FiniteChecks::add(const at::Tensor& numbers, std::string what) {
  if (numbers.is_cpu()) return expectFinite(numbers, what);
  names_.push_back(std::move(what));
  answers_.push_back(isFinite(numbers));
}

void FiniteChecks::send() {
  if (answers_.empty()) return;
  const at::Tensor all = at::stack(answers_);
  sent_ =
      all.is_cuda()
          ? at::empty(all.sizes(), all.options().device(at::kCPU).pinned_memory(true)).copy_(all, /*non_blocking=*/true)
          : all.cpu();
}

void FiniteChecks::expect() const {
  if (answers_.empty()) return;
  const bool areThere = sent_.defined() && sent_.size(0) == static_cast<int64_t>(answers_.size());
  const at::Tensor answers = areThere ? sent_ : at::stack(answers_).cpu();
  for (size_t i = 0; i < names_.size(); ++i) {
    if (!answers[static_cast<int64_t>(i)].item<bool>()) failAt(names_[i]);
  }
}

}  // namespace dan
