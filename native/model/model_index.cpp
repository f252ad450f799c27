#include "model/model_index.h"

#include <algorithm>
#include <filesystem>

#include "model/json_file.h"

namespace dan::model {

namespace {

// An entry is [library, class]. Both are null if the folder does not have the part.
void expectPart(Settings& settings, const char* part, std::initializer_list<const char*> classes) {
  const nlohmann::json& entry = settings.value(part);
  if (entry.is_null()) return;
  const bool isPair = entry.is_array() && entry.size() == 2 && entry[1].is_string();
  const auto is = [&](const char* name) { return entry[1] == name; };
  if (isPair && std::any_of(classes.begin(), classes.end(), is)) return;
  std::string list;
  for (const char* name : classes) list += (list.empty() ? "" : " or ") + std::string(name);
  settings.reject(part, list + " (no other is built)");
}

bool isAbsentPart(const nlohmann::json& entry) {
  return entry.is_array() && std::all_of(entry.begin(), entry.end(), [](const auto& one) { return one.is_null(); });
}

}  // namespace

void checkModelIndex(const std::string& folder) {
  const std::string path = folder + "/model_index.json";
  if (!std::filesystem::exists(path)) return;
  const nlohmann::json json = readJsonFile(path);
  Settings settings(json, path);
  settings.expect("_class_name",
                  {"StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline", "StableDiffusionInpaintPipeline",
                   "StableDiffusionInpaintPipelineLegacy", "StableDiffusionPipelineSafe"});
  expectPart(settings, "unet", {"UNet2DConditionModel"});
  expectPart(settings, "vae", {"AutoencoderKL"});
  expectPart(settings, "text_encoder", {"CLIPTextModel", "CLIPTextModelWithProjection"});
  expectPart(settings, "tokenizer", {"CLIPTokenizer", "CLIPTokenizerFast"});
  // The scheduler's class is read from its own config. The other parts check finished images or encode image prompts,
  // which the engine does not use.
  settings.harmless({"scheduler", "feature_extractor", "image_encoder", "requires_safety_checker", "safety_checker"});
  for (const auto& [part, entry] : json.items()) {
    if (isAbsentPart(entry)) settings.harmless({part.c_str()});
  }
  settings.finish();
}

}  // namespace dan::model
