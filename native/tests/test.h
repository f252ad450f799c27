// This is a small test register: DAN_TEST(name) { … EXPECT(…) }. The runner counts tests and prints each failure.
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
// Runs the tests whose names contain `text`. Prints a line for each and `N passed, N failed`. Returns main's status.
int runAll(const std::string& text = "");
struct Register {
  Register(const char* name, std::function<void()> run) { allTests().push_back({name, std::move(run)}); }
};

// These read from the fixtures-detail folder that the runner was given.
std::string fixture(const std::string& relative);
const TensorMap& fixtureTensors(const std::string& relative);
nlohmann::json fixtureJson(const std::string& relative);

// This folder for the files of a test is removed with the object. Tests in different processes get different folders.
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
// `body` must throw a CoreError or an error of libtorch's checks whose message contains `text`.
void expectError(const std::function<void()>& body, const std::string& text);

}  // namespace dan::tests

#define DAN_TEST(name)                                                     \
  static void test_##name();                                               \
  static const ::dan::tests::Register register_##name(#name, test_##name); \
  static void test_##name()

#define EXPECT(condition) \
  if (!(condition)) ::dan::tests::failTest(c10::str(__FILE__, ":", __LINE__, ": expected ", #condition))
