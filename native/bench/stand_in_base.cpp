#include <filesystem>

#include "bench/options.h"
#include "core/random.h"
#include "dual/adapter_file.h"
#include "model/base_parts.h"

namespace dan::bench {

nlohmann::json writeStandIn(const BenchOptions& options) {
  // We keep only its tokenizer and scheduler.
  model::BaseParts parts = model::readBaseParts({options.base, "", "", ""});
  parts.unet = {};
  parts.vae = {};
  parts.text = {};
  const auto draw = [](uint64_t stream) { return nn::Weights::random(makeGenerator(0, stream), at::kHalf); };
  const nn::Weights ofUnet = draw(0), ofVae = draw(1), ofText = draw(2);
  const model::Unet unet(ofUnet, parts.unet);
  const model::Vae vae(ofVae, parts.vae);
  const model::TextEncoder text(ofText, parts.text);
  parts.unetWeights.tensors = ofUnet.taken();
  parts.vaeWeights.tensors = ofVae.taken();
  parts.textWeights.tensors = ofText.taken();
  const std::string base = options.out + "/base", adapterFile = options.out + "/adapter.safetensors";
  model::writeBaseFolder(parts, base, at::kHalf);
  const dual::AdapterSettings settings{options.rank, dual::BackgroundMode::kOff, 1.0};
  const dual::Adapter adapter(dual::Adapter::initialTensors(settings, unet, parts.text, makeGenerator(1)), settings,
                              unet, parts.text, "fresh");
  dual::writeAdapterFile(adapterFile, dual::copyOf(adapter, {}, "The adapter"));
  return {{"base", base}, {"adapter", adapterFile}};
}

}  // namespace dan::bench
