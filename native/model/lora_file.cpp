#include "model/lora_file.h"

#include <ATen/core/grad_mode.h>

#include <filesystem>

#include "core/finite.h"
#include "core/text.h"
#include "io/input_file.h"
#include "io/weights_file.h"
#include "model/file_notes.h"
#include "model/json_file.h"
#include "model/peft_config.h"

namespace dan::model {

namespace {

namespace fs = std::filesystem;

enum class Piece { kDown, kUp, kAlpha };

struct Ending {
  const char* text;
  Piece piece;
  const char* module;  // This replaces the ending to give the base's module.
};

// If one ending is the end of another, the longer one comes first.
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

constexpr const char* kPeftPrefix = "base_model.model.";
constexpr const char* kPeftStem = "adapter_model";
constexpr const char* kMetadataKey = "lora_adapter_metadata";

Settings settingsOf(const std::string& text, const std::string& source) {
  nlohmann::json json;
  try {
    json = parseJson(text, source);
  } catch (const CoreError& error) {
    fail(kWeightsInvalid, error.what());
  }
  return Settings(std::move(json), source, kWeightsInvalid);
}

bool isPeftFile(const std::string& path) { return fs::path(path).stem() == kPeftStem; }

const Ending* endingOf(const std::string& name) {
  for (const Ending& ending : kEndings) {
    if (endsWith(name, ending.text) && name != ending.text) return &ending;
  }
  return nullptr;
}

at::Tensor checked(const at::Tensor& tensor, const std::string& name, const std::string& path) {
  const bool isAlpha = tensor.numel() == 1 && endsWith(name, ".alpha");
  // Quantized tensors would need scales that the file does not have.
  if (!tensor.is_floating_point() && !isAlpha) {
    fail(kWeightsInvalid, path, ": ", name, " holds ", tensor.dtype(), ", not numbers");
  }
  const at::Tensor numbers = tensor.to(at::kFloat);
  if (!allFinite(numbers)) {
    fail(kWeightsInvalid, path, ": ", name, " holds numbers that are not finite: the file is damaged");
  }
  return numbers;
}

std::map<std::string, LowRank> modulesOf(const TensorMap& tensors, const std::string& path) {
  std::map<std::string, LowRank> modules;
  for (const auto& [name, tensor] : tensors) {
    const Ending* ending = endingOf(name);
    if (ending == nullptr) {
      fail(kWeightsInvalid, path, " is not a LoRA file that can be merged: it has ", name,
           " (plain LoRA in diffusers', PEFT's or kohya's naming is read; LoHa, LoKr and DoRA are not)");
    }
    std::string key = name.substr(0, name.size() - std::string_view(ending->text).size()) + ending->module;
    if (key.rfind(kPeftPrefix, 0) == 0) key = key.substr(std::string_view(kPeftPrefix).size());
    LowRank& module = modules[key];
    const at::Tensor numbers = checked(tensor, name, path);
    if (ending->piece == Piece::kAlpha) {
      if (numbers.numel() != 1) fail(kWeightsInvalid, path, ": ", name, " is not one number");
      if (module.alpha) fail(kWeightsInvalid, path, " has two alphas of ", key);
      module.alpha = numbers.item<double>();
      continue;
    }
    at::Tensor& half = ending->piece == Piece::kDown ? module.down : module.up;
    if (half.defined()) fail(kWeightsInvalid, path, " has two tensors for one half of ", key, ", ", name, " is one");
    half = numbers;
  }
  for (const auto& [key, module] : modules) {
    const at::Tensor &down = module.down, &up = module.up;
    if (!down.defined() || !up.defined()) fail(kWeightsInvalid, path, ": ", key, " lacks its down or its up half");
    if (down.dim() < 2 || up.dim() < 2 || down.size(0) == 0 || up.size(1) != down.size(0)) {
      fail(kWeightsInvalid, path, ": the halves of ", key, " are ", up.sizes(), " x ", down.sizes());
    }
  }
  if (modules.empty()) fail(kWeightsInvalid, path, " holds no LoRA: it has no pair of matrices");
  return modules;
}

// Determines the factor for each module's product.
class Scales {
 public:
  Scales(const io::SafetensorsFile& file, const std::string& path) : path_(path), metadata_(file.metadata) {
    const std::string config = peftConfigOf(path);
    if (!config.empty()) all_ = std::make_unique<PeftConfig>(settingsOf(io::readTextFile(config), config));
    const auto text = metadata_.find(kMetadataKey);
    if (text == metadata_.end()) return;
    if (all_) fail(kWeightsInvalid, path, " says its scale twice: in ", config, " and in its ", kMetadataKey);
    readMetadata(text->second);
  }

  double of(const std::string& module, const LowRank& lora, bool isText) const {
    const int64_t rank = lora.down.size(0);
    const std::string prefix = isText ? "text_encoder." : "unet.";
    const std::string name = module.rfind(prefix, 0) == 0 ? module.substr(prefix.size()) : module;
    const PeftConfig* peft = all_ ? all_.get() : (isText ? text_ : unet_).get();
    if (peft != nullptr && lora.alpha) {
      fail(kWeightsInvalid, path_, " says the scale of ", module, " twice: by its alpha and by PEFT's settings");
    }
    if (peft != nullptr) return peft->scaleOf(name, rank);
    if (!lora.alpha) expectNoAlpha(module);
    return lora.alpha ? *lora.alpha / static_cast<double>(rank) : 1.0;
  }

 private:
  // The text is an object such as {"unet.r": 4, "text_encoder.r": 4, …}.
  void readMetadata(const std::string& text) {
    const std::string source = path_ + ", " + kMetadataKey;
    nlohmann::json parts[2] = {nlohmann::json::object(), nlohmann::json::object()};
    constexpr std::string_view kPrefixes[2] = {"unet.", "text_encoder."};
    Settings settings = settingsOf(text, source);
    for (const auto& [key, value] : settings.json().items()) {
      for (int i = 0; i < 2; ++i) {
        if (key.rfind(kPrefixes[i], 0) != 0) continue;
        parts[i][key.substr(kPrefixes[i].size())] = value;
        settings.harmless({key.c_str()});  // It is read below.
      }
    }
    settings.finish();
    const auto read = [&](const nlohmann::json& part) {
      return part.empty() ? nullptr : std::make_unique<PeftConfig>(Settings(part, source, kWeightsInvalid));
    };
    unet_ = read(parts[0]);
    text_ = read(parts[1]);
  }

  // kohya stores every alpha as a tensor. If it is missing although the metadata name an alpha other than the rank, the
  // file is incomplete.
  void expectNoAlpha(const std::string& module) const {
    const auto alpha = metadata_.find("ss_network_alpha"), dim = metadata_.find("ss_network_dim");
    if (alpha == metadata_.end() || dim == metadata_.end() || alpha->second == "None") return;
    const nlohmann::json one = parseNumber(alpha->second), other = parseNumber(dim->second);
    if (one.is_number() && one == other) return;
    fail(kWeightsInvalid, path_, " has no alpha of ", module, ", but says ss_network_alpha ", alpha->second,
         " and ss_network_dim ", dim->second);
  }

  std::string path_;
  const io::Metadata& metadata_;
  std::unique_ptr<PeftConfig> all_, unet_, text_;
};

}  // namespace

std::string loraFileAt(const std::string& path) {
  if (!fs::is_directory(path)) return path;
  std::string found;
  for (const char* stem : {kPeftStem, "pytorch_lora_weights"}) {
    for (const char* ending : {".safetensors", ".bin"}) {
      const std::string file = (fs::path(path) / (std::string(stem) + ending)).string();
      if (!fs::exists(file)) continue;
      if (!found.empty() && fs::path(found).stem() != stem)
        fail(kWeightsInvalid, path, " holds several LoRA files: name one of them");
      if (found.empty()) found = file;
    }
  }
  if (found.empty()) {
    fail(kWeightsInvalid, path, " is a folder without a LoRA: expected adapter_model.safetensors (PEFT) or ",
         "pytorch_lora_weights.safetensors (diffusers) in it");
  }
  return found;
}

std::string peftConfigOf(const std::string& path) {
  if (!isPeftFile(path)) return "";
  const std::string config = (fs::path(path).parent_path() / "adapter_config.json").string();
  if (!fs::exists(config)) {
    fail(kWeightsInvalid, path,
         " is an adapter of PEFT, whose scale is in its adapter_config.json: put that beside it");
  }
  return config;
}

std::map<std::string, LowRank> readLoraFile(const std::string& path,
                                            const std::function<bool(const std::string&)>& isText) {
  const at::NoGradGuard noGrad;
  const io::SafetensorsFile file = io::readWeightsFile(path);
  checkLoraMetadata(file.metadata, path);
  for (const auto& [name, tensor] : file.tensors) {
    if (isPeftFile(path) || name.rfind(kPeftPrefix, 0) != 0) continue;
    fail(kWeightsInvalid, path, " is an adapter of PEFT under another name: call it adapter_model.safetensors and put ",
         "its adapter_config.json, which has its scale, beside it");
  }
  auto modules = modulesOf(file.tensors, path);
  const Scales scales(file, path);
  for (auto& [name, module] : modules) module.scale = scales.of(name, module, isText(name));
  return modules;
}

}  // namespace dan::model
