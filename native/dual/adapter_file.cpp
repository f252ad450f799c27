#include "dual/adapter_file.h"

#include "core/error.h"
#include "core/finite.h"
#include "core/text.h"
#include "dual/adapter_metadata.h"
#include "dual/compact_saim.h"
#include "io/weights_file.h"
#include "model/base_fingerprint.h"
#include "model/base_model.h"

namespace dan::dual {

namespace {

void replaceFirst(std::string& text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  if (at != std::string::npos) text.replace(at, from.size(), to);
}

// Every adapter has this tensor, so its rank is read from it.
constexpr const char* kRankName = "to_q_lora.0.down.weight";

// Published cross-attention layers have background parameters that nothing reads.
bool isUnusedBackground(const std::string& name) { return name.find(".attn2.background.") != std::string::npos; }

}  // namespace

std::string fromPublishedName(const std::string& name) {
  std::string own = name;
  replaceFirst(own, ".processor.", ".");
  replaceFirst(own, ".chained_proc.", ".");
  replaceFirst(own, ".temporal_condition_mlp.", ".background.mlp.");
  replaceFirst(own, ".temporal_a", ".background.gamma");
  replaceFirst(own, ".temporal_n.", ".saim.norm.");
  replaceFirst(own, ".temporal_", ".saim.");
  replaceFirst(own, "text_encoder.text_model.encoder.layers.", "text_encoder.layers.");
  replaceFirst(own, ".self_attn.", ".");
  return own;
}

AdapterFile readAdapterFile(const std::string& path, BackgroundMode injection) {
  io::SafetensorsFile file = io::readWeightsFile(path);
  AdapterFile adapter;
  adapter.metadata = file.metadata;
  adapter.source = path;
  adapter.examples = takeExamples(file.tensors, adapter.metadata, path);
  bool hasBackground = false, isAdapter = false;
  for (const auto& [name, tensor] : file.tensors) {
    const std::string own = fromPublishedName(name);
    if (isUnusedBackground(own)) continue;
    if (!tensor.is_floating_point())
      fail(kWeightsInvalid, path, ": ", name, " holds ", tensor.dtype(), ", not numbers");
    if (!allFinite(tensor)) {
      fail(kWeightsInvalid, path, ": ", name, " holds numbers that are not finite: the file is damaged");
    }
    hasBackground = hasBackground || own.find(".background.") != std::string::npos;
    if (endsWith(own, kRankName) && tensor.dim() == 2) {
      adapter.settings.rank = tensor.size(0);
      isAdapter = true;
    }
    if (!adapter.tensors.emplace(own, tensor).second) fail(kWeightsInvalid, path, " has two tensors called ", own);
  }
  if (!isAdapter) fail(kAdapterMismatch, path, " is not an adapter: it has no matrix called …", kRankName);
  if (isOwnFormat(file.metadata, path)) {
    adapter.settings = settingsOf(file.metadata, adapter.settings.rank, hasBackground, path);
  } else {
    adapter.settings.background = hasBackground ? injection : BackgroundMode::kOff;
  }
  expandSaim(adapter.tensors, path);
  return adapter;
}

void expectBase(const AdapterFile& adapter, const model::BaseModel& base) {
  const auto found = adapter.metadata.find("base_fingerprint");
  if (found == adapter.metadata.end()) return;
  const std::string& trainedOn = found->second;
  if (trainedOn == base.legacyFingerprint || model::isSameBase(trainedOn, base.fingerprint)) return;
  constexpr size_t kMaxShown = 16;
  fail(kAdapterMismatch, adapter.source, " was trained on a base model of other weights (fingerprint ",
       trainedOn.substr(0, kMaxShown), "…; ", base.folder, " has ", base.fingerprint.substr(0, kMaxShown),
       "…): use the base that it was trained on, ",
       adapter.metadata.count("base") ? adapter.metadata.at("base") : "which the file does not name");
}

io::Metadata adapterMetadata(const AdapterSettings& settings, io::Metadata metadata) {
  metadata["format"] = kAdapterFormat;
  metadata["format_version"] = std::to_string(kAdapterFormatVersion);
  metadata.erase("saim_rank");  // The adapter may come from a compact file, but its tensors are now full.
  metadata["rank"] = std::to_string(settings.rank);
  metadata["lora_scale"] = c10::str(settings.loraScale);
  metadata["background"] = backgroundModeName(settings.background);
  return metadata;
}

AdapterFile copyOf(const Adapter& adapter, io::Metadata metadata, std::string source) {
  AdapterFile copy{{}, adapter.settings(), adapterMetadata(adapter.settings(), std::move(metadata)), std::move(source)};
  for (const auto& [name, tensor] : adapter.parameters()) {
    copy.tensors[name] = tensor.detach().to(at::kCPU, at::kFloat, /*non_blocking=*/false, /*copy=*/true);
  }
  return copy;
}

io::Metadata describe(const AdapterFile& adapter) {
  io::Metadata metadata = adapter.metadata;
  metadata["background"] = backgroundModeName(adapter.settings.background);
  if (!adapter.examples.empty()) metadata["format_version"] = std::to_string(kExamplesFormatVersion);
  return metadata;
}

void writeAdapterFile(const std::string& path, const AdapterFile& adapter) {
  // The metadata of a published file belong to its own format, so they are dropped.
  const bool isOwn = isOwnFormat(adapter.metadata, adapter.source);
  io::Metadata metadata = adapterMetadata(adapter.settings, isOwn ? adapter.metadata : io::Metadata{});
  TensorMap tensors = adapter.tensors;
  storeExamples(adapter.examples, tensors, metadata);
  io::writeSafetensors(path, tensors, metadata);
}

}  // namespace dan::dual
