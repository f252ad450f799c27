// PEFT and diffusers store settings beside a LoRA's tensors. We read those that affect merging.
#pragma once

#include <string>
#include <vector>

#include "core/settings.h"

namespace dan::model {

// This class represents one `LoraConfig`.
class PeftConfig {
 public:
  // Reads every setting. Throws with the error code of `settings` if one is unknown or asks for more than plain LoRA
  // (DoRA, modules_to_save, …).
  explicit PeftConfig(Settings settings);

  // Returns the factor of up x down for a module: alpha / r, or alpha / sqrt(r) with rsLoRA (arXiv 2312.03732). `rank`
  // is the rank of the module's tensors; the function throws if the settings give another one.
  double scaleOf(const std::string& module, int64_t rank) const;

 private:
  using Pattern = std::vector<std::pair<std::string, double>>;
  static Pattern patternOf(Settings& settings, const char* key);

  std::string source_;
  double alpha_ = 0, rank_ = 0;
  bool isRankStabilized_ = false;
  Pattern alphas_, ranks_;  // A value applies to the modules whose names end with its key.
};

}  // namespace dan::model
