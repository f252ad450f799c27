#include "model/base_lora.h"

#include <ATen/core/grad_mode.h>

#include "core/error.h"
#include "core/finite.h"
#include "model/lora_file.h"

namespace dan::model {

namespace {

constexpr const char* kKohyaUnet = "lora_unet_";
constexpr const char* kKohyaText = "lora_te_";

void replace(std::string& text, std::string_view from, std::string_view to) {
  const size_t at = text.find(from);
  if (at != std::string::npos) text.replace(at, from.size(), to);
}

std::string flattened(std::string name) {
  for (char& c : name) c = c == '.' ? '_' : c;
  return name;
}

// Maps the module names of a LoRA file to the weights of the base.
class Targets {
 public:
  explicit Targets(BaseParts& parts) {
    add(parts.unetWeights.tensors, "unet.", kKohyaUnet, false);
    add(parts.textWeights.tensors, "text_encoder.", kKohyaText, true);
  }

  struct Target {
    at::Tensor* weight = nullptr;
    bool isText = false;
  };
  Target find(const std::string& module) const {
    std::string name = module;
    replace(name, ".processor", "");
    if (name.rfind("text_model.", 0) == 0) name = "text_encoder." + name;  // Only PEFT omits the prefix.
    const bool isText = name.rfind("text_encoder.", 0) == 0;
    if (isText) {
      if (name.rfind("text_encoder.text_model.", 0) != 0) replace(name, "text_encoder.", "text_encoder.text_model.");
      // These are the names that diffusers used before PEFT.
      for (const char* projection : {"q", "k", "v"}) {
        replace(name, std::string(".self_attn.to_") + projection, std::string(".self_attn.") + projection + "_proj");
      }
      replace(name, ".self_attn.to_out.0", ".self_attn.out_proj");
    }
    for (const std::string& candidate : {name, "unet." + name}) {
      const auto found = weights_.find(candidate);
      if (found != weights_.end()) return found->second;
    }
    return {};
  }

 private:
  void add(TensorMap& tensors, const std::string& prefix, const std::string& kohyaPrefix, bool isText) {
    constexpr std::string_view kWeight = ".weight";
    for (auto& [name, tensor] : tensors) {
      if (name.size() <= kWeight.size() || name.compare(name.size() - kWeight.size(), kWeight.size(), kWeight) != 0)
        continue;
      const std::string module = name.substr(0, name.size() - kWeight.size());
      weights_[prefix + module] = {&tensor, isText};
      weights_[kohyaPrefix + flattened(module)] = {&tensor, isText};
    }
  }
  std::map<std::string, Target> weights_;
};

}  // namespace

void mergeLora(BaseParts& parts, const LoraFile& lora) {
  const at::NoGradGuard noGrad;
  const std::string path = loraFileAt(lora.path);
  const Targets targets(parts);
  const auto modules = readLoraFile(path, [&](const std::string& name) { return targets.find(name).isText; });
  bool changes = false;
  for (const auto& [name, module] : modules) {
    at::Tensor* weight = targets.find(name).weight;
    if (weight == nullptr) {
      fail(kWeightsInvalid, path, " does not fit the base model ", parts.source, ": it has nothing called ", name);
    }
    const at::Tensor &down = module.down, &up = module.up;
    const bool fits = up.numel() == up.size(0) * up.size(1) && weight->size(0) == up.size(0) &&
                      weight->numel() == up.size(0) * (down.numel() / down.size(0));
    if (!fits) {
      fail(kWeightsInvalid, path, " does not fit the base model ", parts.source, ": ", name, " is ", up.sizes(), " x ",
           down.sizes(), ", the base has ", weight->sizes());
    }
    const at::Tensor change = module.scale * at::matmul(up.flatten(1), down.flatten(1)).view_as(*weight);
    if (!allFinite(lora.scale * change)) {
      fail(kWeightsInvalid, path, ": what ", name,
           " adds to the base is not finite: its alpha or the scale is too large");
    }
    changes = changes || change.count_nonzero().item<int64_t>() > 0;
    *weight = weight->to(at::kFloat) + lora.scale * change;
  }
  if (!changes) {
    fail(kWeightsInvalid, path, " changes nothing: its alphas, or one half of each of its matrices, are zero");
  }
}

}  // namespace dan::model
