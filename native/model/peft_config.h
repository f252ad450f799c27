// The settings that PEFT and diffusers keep beside a LoRA's tensors, as far as they decide what is merged.
#pragma once

#include <string>
#include <vector>

#include "core/settings.h"

namespace dan::model {

// One `LoraConfig`.
class PeftConfig {
 public:
  // Reads every setting. Throws with the settings' code where one asks for more than plain LoRA (DoRA, modules_to_save,
  // …) or is not known.
  explicit PeftConfig(Settings settings);

  // What up x down of a module is multiplied by: alpha / r, with rsLoRA alpha / sqrt(r) (arXiv 2312.03732). `rank` is
  // that of its tensors; throws where the settings say another.
  double scaleOf(const std::string& module, int64_t rank) const;

 private:
  using Pattern = std::vector<std::pair<std::string, double>>;
  static Pattern patternOf(Settings& settings, const char* key);

  std::string source_;
  double alpha_ = 0, rank_ = 0;
  bool isRankStabilized_ = false;
  Pattern alphas_, ranks_;  // of the modules whose names end so
};

}  // namespace dan::model
