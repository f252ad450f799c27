#include "model/peft_config.h"

#include <cmath>
#include <optional>

namespace dan::model {

namespace {

constexpr int64_t kMostRank = 1 << 20;

// PEFT matches the whole name of a module, or an end of it that follows a dot.
bool isOf(const std::string& module, const std::string& name) {
  if (module == name) return true;
  return module.size() > name.size() + 1 && module[module.size() - name.size() - 1] == '.' &&
         module.compare(module.size() - name.size(), name.size(), name) == 0;
}

std::optional<double> find(const std::vector<std::pair<std::string, double>>& pattern, const std::string& module) {
  for (const auto& [name, value] : pattern) {
    if (isOf(module, name)) return value;
  }
  return std::nullopt;
}

}  // namespace

PeftConfig::Pattern PeftConfig::patternOf(Settings& settings, const char* key) {
  const nlohmann::json& value = settings.value(key);
  Pattern pattern;
  if (value.is_null()) return pattern;
  if (!value.is_object()) settings.reject(key, "an object of module to number");
  for (const auto& [name, number] : value.items()) {
    const bool isPlain = name.find_first_of("^$*+?()[]{}|\\") == std::string::npos;
    if (!isPlain || !number.is_number() || number < 0) {
      settings.reject(key, "plain names of modules, each with a number");
    }
    pattern.emplace_back(name, number.get<double>());
  }
  return pattern;
}

PeftConfig::PeftConfig(Settings settings) : source_(settings.source()) {
  for (const char* key : {"r", "lora_alpha"}) settings.require(key);
  settings.expect("peft_type", {"LORA"});
  rank_ = static_cast<double>(settings.integer("r", 0, 1, kMostRank));
  alpha_ = settings.number("lora_alpha", 0);
  isRankStabilized_ = settings.flag("use_rslora", false);
  alphas_ = patternOf(settings, "alpha_pattern");
  ranks_ = patternOf(settings, "rank_pattern");
  settings.expect("bias", {"none"});
  // Other methods (PiSSA, OLoRA, LoftQ, CorDA) also change the base weights before training.
  settings.expect("init_lora_weights", {true, false, "gaussian", "eva", "orthogonal"});
  settings.expectOff({"alora_invocation_tokens", "arrow_config", "fan_in_fan_out", "layer_replication", "lora_bias",
                      "megatron_config", "merge_weights", "modules_to_save", "target_parameters",
                      "trainable_token_indices", "use_bdlora", "use_dora", "use_qalora"});
  // The tensors name the modules. The other settings concern training.
  settings.harmless({"auto_mapping", "base_model_name_or_path", "corda_config", "ensure_weight_tying", "eva_config",
                     "exclude_modules", "inference_mode", "layers_pattern", "layers_to_transform", "loftq_config",
                     "lora_dropout", "megatron_core", "peft_version", "qalora_group_size", "revision", "runtime_config",
                     "target_modules", "task_type"});
  settings.finish();
}

double PeftConfig::scaleOf(const std::string& module, int64_t rank) const {
  const double expected = find(ranks_, module).value_or(rank_);
  if (expected != static_cast<double>(rank)) {
    fail(kWeightsInvalid, source_, " says rank ", expected, " for ", module, ", whose tensors have rank ", rank);
  }
  const double divisor = isRankStabilized_ ? std::sqrt(expected) : expected;
  return find(alphas_, module).value_or(alpha_) / divisor;
}

}  // namespace dan::model
