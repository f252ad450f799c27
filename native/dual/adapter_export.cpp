#include "dual/adapter_export.h"

#include <ATen/core/grad_mode.h>

#include <cmath>

#include "core/error.h"
#include "core/finite.h"
#include "core/text.h"
#include "io/torch_writer.h"

namespace dan::dual {

namespace {

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

void replace(std::string& text, std::string_view from, std::string_view to) {
  const size_t at = text.find(from);
  if (at != std::string::npos) text.replace(at, from.size(), to);
}

std::string toPublishedName(const std::string& own, bool hasBackground) {
  std::string name = own;
  if (name.rfind("text_encoder.", 0) == 0) {
    replace(name, "text_encoder.layers.", "text_encoder.text_model.encoder.layers.");
    replace(name, ".to_", ".self_attn.to_");
    return name;
  }
  replace(name, ".saim.norm.", ".temporal_n.");
  replace(name, ".saim.", ".temporal_");
  replace(name, ".background.mlp.", ".temporal_condition_mlp.");
  replace(name, ".background.gamma", ".temporal_a");
  replace(name, ".attn1.", hasBackground ? ".attn1.processor.chained_proc." : ".attn1.processor.");
  replace(name, ".attn2.", ".attn2.processor.");
  return name;
}

// Rewrites h + gamma * MLP(h_b) as (1 - a) * h + a * MLP'(h_b).
void interpolateInsteadOfAdd(TensorMap& tensors) {
  const double a = std::ldexp(1.0, -20);
  for (auto& [name, tensor] : tensors) {
    if (!endsWith(name, ".background.gamma")) continue;
    const std::string layer = name.substr(0, name.size() - std::string_view("gamma").size());
    const double factor = tensor.to(at::kDouble).item<double>() / a;
    for (const char* part : {"mlp.1.weight", "mlp.1.bias"})
      tensors.at(layer + part) = tensors.at(layer + part) * factor;
    tensor = at::full_like(tensor, a);
  }
}

TensorMap published(const AdapterFile& adapter) {
  const bool hasBackground = adapter.settings.background != BackgroundMode::kOff;
  TensorMap own = adapter.tensors;
  for (auto& [name, tensor] : own) {
    tensor = tensor.to(at::kFloat);
    if (endsWith(name, "_lora.up.weight") || (contains(name, "_lora.") && endsWith(name, ".up.weight")))
      tensor = tensor * adapter.settings.loraScale;
  }
  if (adapter.settings.background == BackgroundMode::kAdd) interpolateInsteadOfAdd(own);
  TensorMap tensors;
  for (const auto& [name, tensor] : own) {
    tensors[toPublishedName(name, hasBackground)] = tensor;
    // Published cross-attention layers have background parameters that nothing reads, but the published loader expects
    // them.
    if (!hasBackground || !endsWith(name, ".attn2.saim.norm.weight")) continue;
    const std::string layer =
        toPublishedName(name.substr(0, name.size() - std::string_view("saim.norm.weight").size()), true);
    const int64_t width = tensor.size(0);
    tensors[layer + "temporal_condition_mlp.0.weight"] = at::zeros({kBackgroundHidden, width});
    tensors[layer + "temporal_condition_mlp.0.bias"] = at::zeros({kBackgroundHidden});
    tensors[layer + "temporal_condition_mlp.1.weight"] = at::zeros({width, kBackgroundHidden});
    tensors[layer + "temporal_condition_mlp.1.bias"] = at::zeros({width});
    tensors[layer + "temporal_a"] = at::zeros({1});
  }
  return tensors;
}

TensorMap inPrecision(const TensorMap& tensors, at::ScalarType dtype) {
  TensorMap converted;
  for (const auto& [name, tensor] : tensors) {
    converted[name] = tensor.to(dtype);
    if (!allFinite(converted[name])) {
      fail(kInvalidOption, "Expected a wider dtype than ", dtype, ": ", name, " holds ",
           tensor.abs().max().item<double>());
    }
  }
  return converted;
}

}  // namespace

ExportReport exportAdapter(const AdapterFile& adapter, const std::string& path, const ExportOptions& options) {
  const at::NoGradGuard noGrad;
  const bool isTorchFile = endsWith(path, ".bin");
  if (isTorchFile && !options.published) {
    fail(kInvalidOption, "Expected a file name that ends in .safetensors for the format dualanodiff but received ",
         path);
  }
  if (options.published && options.saimRank > 0) {
    fail(kInvalidOption,
         "Expected the format dualanodiff for a SAIM of reduced rank: the published code reads the full one");
  }
  ExportReport report;
  TensorMap tensors = options.published ? published(adapter) : adapter.tensors;
  if (options.saimRank > 0) report.errors = compactSaim(tensors, options.saimRank);
  tensors = inPrecision(tensors, options.dtype);
  for (const auto& [name, tensor] : tensors) report.numbers += tensor.numel();
  if (isTorchFile) {
    io::writeTorchFile(path, tensors);
  } else if (options.published) {
    io::writeSafetensors(path, tensors, {{"format", "pt"}});
  } else {
    io::Metadata metadata = adapterMetadata(adapter.settings, adapter.metadata);
    if (options.saimRank > 0) {
      metadata["format_version"] = std::to_string(kCompactFormatVersion);
      metadata["saim_rank"] = std::to_string(options.saimRank);
    }
    storeExamples(adapter.examples, tensors, metadata);
    io::writeSafetensors(path, tensors, metadata);
  }
  return report;
}

}  // namespace dan::dual
