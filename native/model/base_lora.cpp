#include "model/base_lora.h"

#include <ATen/core/grad_mode.h>

#include <cmath>
#include <optional>

#include "core/error.h"
#include "io/weights_file.h"

namespace dan::model {

namespace {

struct LowRank {
  at::Tensor down, up;  // (rank, in), (out, rank); kernels keep their last two dimensions
  std::optional<double> alpha;
};

enum class Piece { kDown, kUp, kAlpha };

struct Ending {
  const char* text;
  Piece piece;
  const char* module;  // what takes the ending's place to name the base's module
};

// The longer ones first where one ends like another.
constexpr Ending kEndings[] = {{".to_q_lora.down.weight", Piece::kDown, ".to_q"},
                               {".to_q_lora.up.weight", Piece::kUp, ".to_q"},
                               {".to_k_lora.down.weight", Piece::kDown, ".to_k"},
                               {".to_k_lora.up.weight", Piece::kUp, ".to_k"},
                               {".to_v_lora.down.weight", Piece::kDown, ".to_v"},
                               {".to_v_lora.up.weight", Piece::kUp, ".to_v"},
                               {".to_out_lora.down.weight", Piece::kDown, ".to_out.0"},
                               {".to_out_lora.up.weight", Piece::kUp, ".to_out.0"},
                               {".lora_linear_layer.down.weight", Piece::kDown, ""},
                               {".lora_linear_layer.up.weight", Piece::kUp, ""},
                               {".lora_A.default.weight", Piece::kDown, ""},
                               {".lora_B.default.weight", Piece::kUp, ""},
                               {".lora.down.weight", Piece::kDown, ""},
                               {".lora.up.weight", Piece::kUp, ""},
                               {".lora_A.weight", Piece::kDown, ""},
                               {".lora_B.weight", Piece::kUp, ""},
                               {".lora_down.weight", Piece::kDown, ""},
                               {".lora_up.weight", Piece::kUp, ""},
                               {".alpha", Piece::kAlpha, ""}};

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

// Finds the weights that module names stand for.
class Targets {
 public:
  explicit Targets(BaseParts& parts) {
    add(parts.unetWeights.tensors, "unet.", kKohyaUnet);
    add(parts.textWeights.tensors, "text_encoder.", kKohyaText);
  }

  at::Tensor* find(const std::string& module) const {
    std::string name = module;
    replace(name, ".processor", "");
    const bool isText = name.rfind("text_encoder.", 0) == 0;
    if (isText) {
      if (name.rfind("text_encoder.text_model.", 0) != 0) replace(name, "text_encoder.", "text_encoder.text_model.");
      // The names of diffusers before PEFT.
      for (const char* projection : {"q", "k", "v"}) {
        replace(name, std::string(".self_attn.to_") + projection, std::string(".self_attn.") + projection + "_proj");
      }
      replace(name, ".self_attn.to_out.0", ".self_attn.out_proj");
    }
    for (const std::string& candidate : {name, "unet." + name}) {
      const auto found = weights_.find(candidate);
      if (found != weights_.end()) return found->second;
    }
    return nullptr;
  }

 private:
  void add(TensorMap& tensors, const std::string& prefix, const std::string& kohyaPrefix) {
    constexpr std::string_view kWeight = ".weight";
    for (auto& [name, tensor] : tensors) {
      if (name.size() <= kWeight.size() || name.compare(name.size() - kWeight.size(), kWeight.size(), kWeight) != 0)
        continue;
      const std::string module = name.substr(0, name.size() - kWeight.size());
      weights_[prefix + module] = &tensor;
      weights_[kohyaPrefix + flattened(module)] = &tensor;
    }
  }
  std::map<std::string, at::Tensor*> weights_;
};

// What PEFT writes into the file beside the tensors, where its alpha is not its rank.
double peftScale(const io::Metadata& metadata, const std::string& part, const std::string& path) {
  const auto text = metadata.find("lora_adapter_metadata");
  if (text == metadata.end()) return 1.0;
  const nlohmann::json settings = nlohmann::json::parse(text->second, nullptr, /*allow_exceptions=*/false);
  if (!settings.is_object()) fail(kWeightsInvalid, path, ": its lora_adapter_metadata is damaged");
  for (const char* pattern : {"alpha_pattern", "rank_pattern"}) {
    if (settings.contains(part + "." + pattern) && !settings[part + "." + pattern].empty()) {
      fail(kWeightsInvalid, path, ": its ", pattern, " (other scales for some layers) is not read");
    }
  }
  const auto number = [&](const char* key) {
    const auto found = settings.find(part + "." + key);
    return found != settings.end() && found->is_number() ? found->get<double>() : 0.0;
  };
  return number("r") > 0 && number("lora_alpha") > 0 ? number("lora_alpha") / number("r") : 1.0;
}

std::map<std::string, LowRank> readModules(const io::SafetensorsFile& file, const std::string& path) {
  std::map<std::string, LowRank> modules;
  for (const auto& [name, tensor] : file.tensors) {
    const Ending* found = nullptr;
    for (const Ending& ending : kEndings) {
      const std::string_view text(ending.text);
      if (name.size() > text.size() && name.compare(name.size() - text.size(), text.size(), text) == 0) {
        found = &ending;
        break;
      }
    }
    if (found == nullptr) {
      fail(kWeightsInvalid, path, " is not a LoRA file that can be merged: it has ", name,
           " (plain LoRA in diffusers', PEFT's or kohya's naming is read; LoHa, LoKr and DoRA are not)");
    }
    LowRank& module = modules[name.substr(0, name.size() - std::string_view(found->text).size()) + found->module];
    if (found->piece == Piece::kAlpha) {
      if (tensor.numel() != 1) fail(kWeightsInvalid, path, ": ", name, " is not one number");
      module.alpha = tensor.to(at::kDouble).item<double>();
    } else {
      (found->piece == Piece::kDown ? module.down : module.up) = tensor.to(at::kFloat);
    }
  }
  return modules;
}

}  // namespace

void mergeLora(BaseParts& parts, const LoraFile& lora) {
  const at::NoGradGuard noGrad;
  const io::SafetensorsFile file = io::readWeightsFile(lora.path);
  const Targets targets(parts);
  for (const auto& [name, module] : readModules(file, lora.path)) {
    at::Tensor* weight = targets.find(name);
    if (weight == nullptr) {
      fail(kWeightsInvalid, lora.path, " does not fit the base model ", parts.source, ": it has nothing called ", name);
    }
    const at::Tensor &down = module.down, &up = module.up;
    if (!down.defined() || !up.defined())
      fail(kWeightsInvalid, lora.path, ": ", name, " lacks its down or its up half");
    const bool fits = down.dim() >= 2 && up.dim() >= 2 && up.size(1) == down.size(0) &&
                      up.numel() == up.size(0) * up.size(1) &&
                      weight->numel() == up.size(0) * (down.numel() / std::max<int64_t>(down.size(0), 1)) &&
                      weight->size(0) == up.size(0);
    if (!fits) {
      fail(kWeightsInvalid, lora.path, " does not fit the base model ", parts.source, ": ", name, " is ", up.sizes(),
           " x ", down.sizes(), ", the base has ", weight->sizes());
    }
    const bool isText = name.rfind("text_encoder.", 0) == 0;
    const double own = module.alpha ? *module.alpha / static_cast<double>(down.size(0))
                                    : peftScale(file.metadata, isText ? "text_encoder" : "unet", lora.path);
    const at::Tensor change = at::matmul(up.flatten(1), down.flatten(1)).view_as(*weight);
    *weight = weight->to(at::kFloat) + lora.scale * own * change;
  }
}

}  // namespace dan::model
