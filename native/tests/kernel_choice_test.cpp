#include "ops/kernel_choice.h"

#include <filesystem>
#include <fstream>

#include "tests/test.h"

namespace dan::tests {

namespace {

// A stopwatch with made-up times counts how often it is asked.
struct MadeUpTimes {
  double ours, libtorchs;
  int asked = 0;
  ops::Choices choose(const std::string& path) {
    bool isOurs = false;
    const std::vector<ops::Contest> contests{{"products", [&] { isOurs = true; }, [&] { isOurs = false; }},
                                             {"attention", [&] { isOurs = false; }, [&] { isOurs = true; }}};
    return ops::readOrMeasure(path, "a machine", contests, [&](const std::function<void()>& work) {
      ++asked;
      work();
      return isOurs ? ours : libtorchs;
    });
  }
};

std::string contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

DAN_TEST(a_choice_of_kernels_is_measured_once_and_stays) {
  const Scratch folder;
  const std::string path = folder.at("deep/in/cache.json");
  MadeUpTimes first{1.0, 2.0}, second{2.0, 1.0};
  const ops::Choices expected{{"products", true}, {"attention", false}};
  EXPECT(first.choose(path) == expected && first.asked == 4);
  const std::string written = contents(path);
  // A second process reads what the first chose, although it would measure the opposite.
  EXPECT(second.choose(path) == expected && second.asked == 0);
  EXPECT(contents(path) == written);
  EXPECT(std::distance(std::filesystem::directory_iterator(folder.at("deep/in")), {}) == 1);
}

DAN_TEST(times_that_hardly_differ_choose_libtorch) {
  const Scratch folder;
  MadeUpTimes equal{1.0, 1.05};
  EXPECT((equal.choose(folder.at("a.json")) == ops::Choices{{"products", false}, {"attention", false}}));
}

DAN_TEST(a_process_that_is_late_takes_the_choice_of_the_one_before) {
  const Scratch folder;
  const std::string path = folder.at("a.json");
  bool isFirst = true;
  const std::vector<ops::Contest> contests{{"products", [] {}, [] {}}};
  const auto late = [&](const std::function<void()>&) {
    // Another process writes its choice while this one measures.
    if (isFirst) std::ofstream(path) << R"({"machine": "m", "ours_is_faster": {"products": false}})";
    isFirst = false;
    static double time = 0;
    return ++time;  // Ours comes first, so it is faster.
  };
  EXPECT(!ops::readOrMeasure(path, "m", contests, late).at("products"));
}

DAN_TEST(without_a_place_for_the_choice_libtorch_does_the_work) {
  MadeUpTimes fast{1.0, 2.0};
  const ops::Choices none{{"products", false}, {"attention", false}};
  EXPECT(fast.choose("") == none);
  EXPECT(fast.choose("/proc/no/such/folder/choice.json") == none);
}

DAN_TEST(a_damaged_choice_of_kernels_is_named) {
  const Scratch folder;
  MadeUpTimes times{1.0, 2.0};
  for (const char* text :
       {"", "{", "[]", R"({"machine": "another", "ours_is_faster": {}})", R"({"machine": 3, "ours_is_faster": {}})",
        R"({"machine": "a machine", "ours_is_faster": {"products": true}})",
        R"({"machine": "a machine", "ours_is_faster": {"products": 1, "attention": true}})"}) {
    const std::string path = folder.at("damaged.json");
    std::ofstream(path) << text;
    expectError([&] { times.choose(path); }, path);
    expectError([&] { times.choose(path); }, "delete it");
  }
  EXPECT(times.asked == 0);
}

DAN_TEST(the_choices_lie_in_the_cache_folder_under_the_machines_name) {
  const std::string before = std::getenv("DUALANODIFF_CACHE") == nullptr ? "" : std::getenv("DUALANODIFF_CACHE");
  ::setenv("DUALANODIFF_CACHE", "/somewhere", 1);
  EXPECT(ops::choicesPath("Xeon(R) 8488C, x/y 2.11.0") == "/somewhere/kernels-Xeon-R--8488C--x-y-2.11.0.json");
  before.empty() ? ::unsetenv("DUALANODIFF_CACHE") : ::setenv("DUALANODIFF_CACHE", before.c_str(), 1);
  EXPECT(ops::describeMachine().find("libtorch 2.11") != std::string::npos);
}

}  // namespace dan::tests
