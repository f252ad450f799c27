#include "model/file_notes.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "core/error.h"
#include "core/text.h"

namespace dan::model {

namespace {

std::string lowercase(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

// These keys record how a file was trained or made. Only the ones that we read by name affect how it is used.
bool isRecord(const std::string& key) {
  for (const char* start : {"ss_", "sshs_", "modelspec.", "sd_merge_", "ot_", "_"}) {
    if (startsWith(key, start)) return true;
  }
  return key == "format";
}

// Free notes are ignored. A key that looks like a setting of this kind of file is rejected.
void refuseSettings(const io::Metadata& metadata, std::initializer_list<const char*> words, const char* code,
                    const std::string& path) {
  for (const auto& [key, value] : metadata) {
    if (isRecord(key)) continue;
    const std::string name = lowercase(key);
    for (const char* word : words) {
      if (name.find(word) == std::string::npos) continue;
      fail(code, path, ": its metadata have ", key, " = ", value.substr(0, 80), ", which is not read");
    }
  }
}

std::string valueOf(const io::Metadata& metadata, const char* key) {
  const auto found = metadata.find(key);
  return found == metadata.end() || found->second == "None" ? "" : found->second;
}

// kohya writes the flags as Python's True and False.
bool flagOf(const io::Metadata& metadata, const char* key, const char* code, const std::string& path) {
  const std::string value = lowercase(valueOf(metadata, key));
  if (!value.empty() && value != "true" && value != "false")
    fail(code, path, ": expected True or False for ", key, " but found ", value);
  return value == "true";
}

void expectStableDiffusion(const io::Metadata& metadata, const char* code, const std::string& path) {
  const std::string architecture = lowercase(valueOf(metadata, "modelspec.architecture"));
  const bool isKnown =
      startsWith(architecture, "stable-diffusion-v1") || startsWith(architecture, "stable-diffusion-v2");
  if (!architecture.empty() && !isKnown) {
    fail(code, path, " is for another model than Stable Diffusion 1.x or 2.x: modelspec.architecture is ",
         architecture);
  }
  const std::string version = lowercase(valueOf(metadata, "ss_base_model_version"));
  for (const char* other : {"xl", "sd3", "sd_3", "sd_v3", "flux", "cascade", "lumina"}) {
    if (version.find(other) == std::string::npos) continue;
    fail(code, path, " is for another model than Stable Diffusion 1.x or 2.x: ss_base_model_version is ", version);
  }
}

[[noreturn]] void refuseZeroSnr(const std::string& path, const std::string& key) {
  fail(kModelInvalid, path, ": ", key,
       " says that its schedule has zero terminal SNR (rescale_betas_zero_snr), which is not implemented");
}

}  // namespace

std::string predictionTypeOf(const io::SafetensorsFile& file, const std::string& path) {
  const io::Metadata& metadata = file.metadata;
  expectStableDiffusion(metadata, kModelInvalid, path);
  std::map<std::string, std::string> said;  // key -> prediction type
  const std::string spec = lowercase(valueOf(metadata, "modelspec.prediction_type"));
  if (spec == "v" || spec == "v_prediction" || spec == "epsilon") {
    said["modelspec.prediction_type"] = spec == "epsilon" ? spec : "v_prediction";
  } else if (!spec.empty()) {
    fail(kModelInvalid, path, ": expected epsilon or v for modelspec.prediction_type but found ", spec);
  }
  if (valueOf(metadata, "modelspec.architecture").find("-768-v") != std::string::npos) {
    said["modelspec.architecture"] = "v_prediction";
  }
  // Some trainers write False if the user did not set the flag, so False proves nothing.
  if (flagOf(metadata, "ss_v_parameterization", kModelInvalid, path)) said["ss_v_parameterization"] = "v_prediction";
  if (flagOf(metadata, "ss_zero_terminal_snr", kModelInvalid, path)) refuseZeroSnr(path, "ss_zero_terminal_snr");
  const std::string range = valueOf(metadata, "modelspec.timestep_range");
  if (!range.empty() && range != "0,1000" && range != "0,999") {
    fail(kModelInvalid, path, ": modelspec.timestep_range is ", range, ", which is not implemented");
  }
  refuseSettings(metadata,
                 {"prediction", "v_pred", "vpred", "v_param", "snr", "sigma", "beta", "timestep", "scaling_factor"},
                 kModelInvalid, path);
  for (const auto& [name, tensor] : file.tensors) {
    if (name == "v_pred") {
      said[name] = "v_prediction";
    } else if (name == "ztsnr") {
      refuseZeroSnr(path, name);
    } else if (startsWith(name, "edm_") || (tensor.numel() == 0 && name.find('.') == std::string::npos)) {
      fail(kModelInvalid, path, " has the tensor ", name, ", which says something of the model that is not read");
    }
  }
  for (const auto& [key, type] : said) {
    if (type != said.begin()->second) {
      fail(kModelInvalid, path, " contradicts itself: ", said.begin()->first, " says ", said.begin()->second, ", ", key,
           " says ", type);
    }
  }
  return said.empty() ? "" : said.begin()->second;
}

void checkLoraMetadata(const io::Metadata& metadata, const std::string& path) {
  expectStableDiffusion(metadata, kWeightsInvalid, path);
  io::Metadata rest = metadata;
  rest.erase("lora_adapter_metadata");
  refuseSettings(rest,
                 {"alpha", "rank", "scale", "scaling", "dora", "rslora", "rs_lora", "decompose", "lora_config",
                  "adapter_config", "peft"},
                 kWeightsInvalid, path);
}

}  // namespace dan::model
