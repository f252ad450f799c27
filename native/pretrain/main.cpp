// dualanodiff-pretrain vae|unet|u2net --data FILE --base DIR --out FILE --steps N --batch-size N
//                                     [--learning-rate X] [--seed N] [--threads N] [--resume yes]
//                                     [--minutes N] [--start DIR] [--checkpoint FILE]
// Only `npm run train-assets` uses this program. It is not part of the package.
#include <ATen/Parallel.h>

#include <cstdio>
#include <limits>
#include <map>

#include "core/error.h"
#include "core/wait_policy.h"
#include "pretrain/recipe.h"

int main(int argc, char** argv) {
  dan::restartWithWaitPolicy(argv);
  try {
    std::map<std::string, std::string> flags;
    for (int i = 2; i + 1 < argc; i += 2) flags[argv[i]] = argv[i + 1];
    dan::pretrain::RecipeOptions options;
    options.data = flags["--data"];
    options.base = flags["--base"];
    options.out = flags["--out"];
    options.start = flags["--start"];
    options.checkpoint = flags["--checkpoint"];
    if (flags.count("--minutes")) {
      options.minutes = std::stod(flags["--minutes"]);
      options.steps = std::numeric_limits<int64_t>::max();
    }
    if (flags.count("--steps")) options.steps = std::stoll(flags["--steps"]);
    if (flags.count("--batch-size")) options.batchSize = std::stoll(flags["--batch-size"]);
    if (flags.count("--learning-rate")) options.learningRate = std::stod(flags["--learning-rate"]);
    if (flags.count("--seed")) options.seed = std::stoull(flags["--seed"]);
    options.resume = flags["--resume"] == "yes";
    if (flags.count("--threads")) at::set_num_threads(std::stoi(flags["--threads"]));
    const std::string what = argc > 1 ? argv[1] : "";
    if (what == "vae") {
      dan::pretrain::trainVae(options);
    } else if (what == "unet") {
      dan::pretrain::trainUnet(options);
    } else if (what == "u2net") {
      dan::pretrain::trainMaskModel(options);
    } else {
      std::fprintf(stderr, "usage: dualanodiff-pretrain vae|unet|u2net --data FILE [--base DIR] [--out FILE] …\n");
      return 2;
    }
  } catch (const c10::Error& error) {
    std::fprintf(stderr, "%s\n", error.what_without_backtrace());
    return 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
