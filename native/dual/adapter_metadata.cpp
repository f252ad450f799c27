#include "dual/adapter_metadata.h"

#include <cmath>

#include "core/settings.h"
#include "dual/branch.h"
#include "io/safetensors.h"

namespace dan::dual {

namespace {

constexpr int64_t kMaxRank = 1 << 20;
constexpr double kMaxScale = 100;  // The option of LoRA files has the same limit.

constexpr const char* kLatentMeans = "latent_levels";

// Returns 2 x branches x channels numbers: first the means, then the deviations. Returns null if the file has none.
nlohmann::json latentMeansIn(Settings& settings) {
  const std::string text = settings.text(kLatentMeans, "");
  if (!settings.has(kLatentMeans)) return {};
  const auto means = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  bool isValid = means.is_array() && !means.empty() && means.size() % (2 * kNumBranches) == 0;
  for (size_t i = 0; isValid && i < means.size(); ++i) {
    const bool isDeviation = i >= means.size() / 2;
    isValid =
        means[i].is_number() && std::isfinite(means[i].get<float>()) && (!isDeviation || means[i].get<float>() >= 0);
  }
  if (!isValid) settings.reject(kLatentMeans, "a list of means and deviations");
  return means;
}

bool says(const io::Metadata& metadata, const char* name, const char* value) {
  const auto found = metadata.find(name);
  return found != metadata.end() && found->second == value;
}

}  // namespace

bool isOwnFormat(const io::Metadata& metadata, const std::string& path) {
  const auto format = metadata.find("format");
  if (format != metadata.end() && format->second == kAdapterFormat) return true;
  Settings settings = Settings::ofText(metadata, path, kWeightsInvalid);
  settings.expect("format", {"pt"});
  settings.harmless({"lora_adapter_metadata"});  // diffusers writes it. The published code ignores it and uses scale 1.
  settings.finish();
  return false;
}

AdapterSettings settingsOf(const io::Metadata& metadata, int64_t rank, bool hasBackground, const std::string& path) {
  Settings settings = Settings::ofText(metadata, path, kWeightsInvalid);
  for (const char* key : {"format_version", "rank", "lora_scale", "background"}) settings.require(key);
  const int64_t version = settings.integer("format_version", 0, 1, 1 << 20);
  if (version > kExamplesFormatVersion) {
    fail(kAdapterMismatch, path, " has adapter format ", version, "; this version of dualanodiff reads up to ",
         kExamplesFormatVersion, ": update the package");
  }
  const bool isCompact = version == kCompactFormatVersion, hasExamples = version == kExamplesFormatVersion;
  settings.integer("saim_rank", 1, 1, kMaxRank);
  if (settings.has("saim_rank") != isCompact && !hasExamples)
    settings.reject("saim_rank", isCompact ? "a rank" : "nothing");
  if (settings.has("example_types") != hasExamples)
    settings.reject("example_types", hasExamples ? "a list" : "nothing");
  AdapterSettings result;
  result.rank = settings.integer("rank", 0, 1, kMaxRank);
  if (result.rank != rank) settings.reject("rank", c10::str(rank, ", as its matrices have,"));
  result.loraScale = settings.number("lora_scale", 0);
  if (result.loraScale <= 0 || result.loraScale > kMaxScale) {
    settings.reject("lora_scale", c10::str("a number above 0 and up to ", kMaxScale));
  }
  settings.expect("background", {"off", "add", "interpolate"});
  result.background = parseBackgroundMode(settings.text("background", ""));
  if ((result.background != BackgroundMode::kOff) != hasBackground) {
    settings.reject("background", hasBackground ? "add or interpolate, as its tensors have a background," : "off");
  }
  settings.expect("part_fill", {"grey", "black"});
  settings.expect("branches", {"joint", "separate", "one"});
  settings.flag("background_scaled", false);
  if (settings.text("base_fingerprint", "0").find_first_not_of("0123456789abcdef") != std::string::npos) {
    settings.reject("base_fingerprint", "hexadecimal digits");
  }
  latentMeansIn(settings);
  return result;
}

at::Tensor latentMeansOf(const io::Metadata& metadata, int64_t channels, const std::string& path) {
  Settings settings = Settings::ofText(metadata, path, kWeightsInvalid);
  const auto means = latentMeansIn(settings);
  if (means.is_null()) return {};
  const auto expected = static_cast<size_t>(2 * kNumBranches * channels);
  if (means.size() != expected) settings.reject(kLatentMeans, c10::str(expected, " numbers"));
  return at::tensor(means.get<std::vector<float>>(), at::kFloat).view({2, kNumBranches, channels});
}

void setLatentMeans(io::Metadata& metadata, const at::Tensor& latentMeans) {
  const at::Tensor flat = latentMeans.to(at::kFloat).contiguous();
  const float* first = flat.const_data_ptr<float>();
  metadata[kLatentMeans] = nlohmann::json(std::vector<float>(first, first + flat.numel())).dump();
}

bool isOfOneBranch(const io::Metadata& metadata) { return says(metadata, "branches", "one"); }

PartFill partFillOf(const io::Metadata& metadata) {
  return says(metadata, "part_fill", "black") ? PartFill::kBlack : PartFill::kGrey;
}

bool hasScaledBackgrounds(const io::Metadata& metadata) { return says(metadata, "background_scaled", "true"); }

}  // namespace dan::dual
