// A small test register: TEST(name) { … EXPECT(…) }; the runner counts tests and prints each failure.
#pragma once

#include <c10/util/StringUtil.h>

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/tensor_map.h"

namespace dan::tests {

struct Test {
  const char* name;
  std::function<void()> run;
};
std::vector<Test>& allTests();
// Runs them, prints a line for each and `N passed, N failed`; returns main's status.
int runAll(const std::string& text = "");
struct Register {
  Register(const char* name, std::function<void()> run) { allTests().push_back({name, std::move(run)}); }
};

// The folder of fixtures-detail that the runner was given, its tensors and its JSON.
std::string fixture(const std::string& relative);
const TensorMap& fixtureTensors(const std::string& relative);
nlohmann::json fixtureJson(const std::string& relative);

// A folder of its own for what a test writes, which goes with it: tests of two processes do not meet.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::string at(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

[[noreturn]] void failTest(const std::string& reason);
// |a - b| <= atol + rtol |b| everywhere.
void expectClose(const at::Tensor& actual, const at::Tensor& expected, double atol, double rtol,
                 const std::string& what);
// `body` must throw a CoreError, or an error of libtorch's checks, whose message holds `text`.
void expectError(const std::function<void()>& body, const std::string& text);

}  // namespace dan::tests

#define DAN_TEST(name)                                                     \
  static void test_##name();                                               \
  static const ::dan::tests::Register register_##name(#name, test_##name); \
  static void test_##name()

#define EXPECT(condition) \
  if (!(condition)) ::dan::tests::failTest(c10::str(__FILE__, ":", __LINE__, ": expected ", #condition))
