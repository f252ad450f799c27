#include "ops/kernel_choice.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/test.h"

namespace dan::tests {

namespace {

// A race with made-up times counts the contests. In products, ours takes the first time and libtorch's the second; in
// attention it is the other way round.
struct MadeUpRace {
  double first, second;
  int races = 0;
  ops::Choices choose(const std::string& path) {
    const std::vector<ops::Contest> contests{{"products", [] {}, [] {}}, {"attention", [] {}, [] {}}};
    return ops::readOrMeasure(path, "a machine", contests, [&](const ops::Contest& contest) {
      ++races;
      return contest.name == "products" ? ops::Times{first, second} : ops::Times{second, first};
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
  MadeUpRace first{1.0, 2.0}, second{2.0, 1.0};
  const ops::Choices expected{{"products", true}, {"attention", false}};
  EXPECT(first.choose(path) == expected && first.races == 2);
  const std::string written = contents(path);
  // A second process reads what the first chose, although it would measure the opposite.
  EXPECT(second.choose(path) == expected && second.races == 0);
  EXPECT(contents(path) == written);
  EXPECT(std::distance(std::filesystem::directory_iterator(folder.at("deep/in")), {}) == 1);
}

DAN_TEST(times_that_hardly_differ_choose_ours) {
  const Scratch folder;
  MadeUpRace equal{1.0, 1.05};
  EXPECT((equal.choose(folder.at("a.json")) == ops::Choices{{"products", true}, {"attention", true}}));
}

DAN_TEST(a_process_that_is_late_takes_the_choice_of_the_one_before) {
  const Scratch folder;
  const std::string path = folder.at("a.json");
  const std::vector<ops::Contest> contests{{"products", [] {}, [] {}}};
  const auto late = [&](const ops::Contest&) {
    // Another process writes its choice while this one measures.
    std::ofstream(path) << R"({"machine": "m", "ours_is_used": {"products": false}})";
    return ops::Times{1, 2};
  };
  EXPECT(!ops::readOrMeasure(path, "m", contests, late).at("products"));
}

DAN_TEST(a_race_takes_turns) {
  std::string turns;
  const ops::Times times = ops::race({"products",
                                      [&] {
                                        turns += 'o';
                                        std::this_thread::sleep_for(std::chrono::milliseconds(2));
                                      },
                                      [&] { turns += 'l'; }});
  EXPECT(turns.size() >= 8 && turns.size() % 2 == 0);
  for (size_t i = 0; i < turns.size(); ++i) EXPECT(turns[i] == (i % 2 == 0 ? 'o' : 'l'));
  EXPECT(times.ours >= 0.002 && times.libtorchs < times.ours);
}

DAN_TEST(without_a_place_for_the_choice_ours_do_the_work) {
  MadeUpRace slow{2.0, 1.0};
  const ops::Choices all{{"products", true}, {"attention", true}};
  EXPECT(slow.choose("") == all);
  EXPECT(slow.choose("/proc/no/such/folder/choice.json") == all);
}

DAN_TEST(a_damaged_choice_of_kernels_is_named) {
  const Scratch folder;
  MadeUpRace times{1.0, 2.0};
  for (const char* text :
       {"", "{", "[]", R"({"machine": "another", "ours_is_used": {}})", R"({"machine": 3, "ours_is_used": {}})",
        R"({"machine": "a machine", "ours_is_used": {"products": true}})",
        R"({"machine": "a machine", "ours_is_used": {"products": 1, "attention": true}})"}) {
    const std::string path = folder.at("damaged.json");
    std::ofstream(path) << text;
    expectError([&] { times.choose(path); }, path);
    expectError([&] { times.choose(path); }, "delete it");
  }
  EXPECT(times.races == 0);
}

DAN_TEST(the_choices_lie_in_the_cache_folder_under_the_machines_name) {
  const std::string before = std::getenv("DUALANODIFF_CACHE") == nullptr ? "" : std::getenv("DUALANODIFF_CACHE");
  ::setenv("DUALANODIFF_CACHE", "/somewhere", 1);
  EXPECT(ops::choicesPath("Xeon(R) 8488C, x/y 2.11.0") == "/somewhere/kernels-Xeon-R--8488C--x-y-2.11.0.json");
  before.empty() ? ::unsetenv("DUALANODIFF_CACHE") : ::setenv("DUALANODIFF_CACHE", before.c_str(), 1);
  EXPECT(ops::describeMachine().find("libtorch 2.11") != std::string::npos);
}

}  // namespace dan::tests
