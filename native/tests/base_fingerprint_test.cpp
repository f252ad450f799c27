#include "model/base_fingerprint.h"

#include "core/random.h"
#include "dual/adapter_file.h"
#include "io/weights_file.h"
#include "model/base_model.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

TensorMap unetOf(const std::string& folder) {
  return io::readWeightsFile(fixture(folder + "/unet/diffusion_pytorch_model.safetensors")).tensors;
}
TensorMap textOf(const std::string& folder) {
  return io::readWeightsFile(fixture(folder + "/text_encoder/model.safetensors")).tensors;
}

TensorMap inPrecision(TensorMap tensors, at::ScalarType dtype) {
  for (auto& [name, tensor] : tensors) tensor = tensor.is_floating_point() ? tensor.to(dtype) : tensor;
  return tensors;
}

}  // namespace

DAN_TEST(a_base_has_one_fingerprint_in_every_precision) {
  const TensorMap unet = unetOf("tiny-sd"), text = textOf("tiny-sd");
  const std::string full = model::fingerprintOf(unet, text);
  EXPECT(full.size() == 128);
  for (const at::ScalarType dtype : {at::kHalf, at::kBFloat16, at::kDouble}) {
    const std::string copy = model::fingerprintOf(inPrecision(unet, dtype), inPrecision(text, dtype));
    EXPECT(model::isSameBase(full, copy));
    EXPECT(dtype == at::kBFloat16 || copy == full);
    // The comparison is symmetric and accepts a further precision.
    const TensorMap twice = inPrecision(inPrecision(unet, dtype), at::kHalf);
    EXPECT(model::isSameBase(model::fingerprintOf(twice, text), full));
  }
  // Some files store these as integers, others as floats, and the rest lack them.
  TensorMap with = text;
  with["text_model.embeddings.position_ids"] = at::arange(77, at::kFloat).unsqueeze(0);
  EXPECT(model::fingerprintOf(unet, with) == full);
  EXPECT(!model::isSameBase(full, model::fingerprintOf(unet, {})));
  EXPECT(!model::isSameBase(full, "0123456789abcdef") && !model::isSameBase(full, ""));
}

DAN_TEST(a_base_is_another_when_one_layer_is) {
  const TensorMap unet = unetOf("tiny-sd"), text = textOf("tiny-sd");
  const std::string full = model::fingerprintOf(unet, text);
  size_t matrices = 0;
  for (const TensorMap* part : {&unet, &text}) {
    for (const auto& [name, tensor] : *part) {
      if (tensor.dim() < 2 || ++matrices % 10 != 0) continue;
      TensorMap changed = *part;
      changed[name] = tensor + 0.2 * tensor.std() * at::randn(tensor.sizes(), makeGenerator(matrices));
      const std::string other =
          part == &unet ? model::fingerprintOf(changed, text) : model::fingerprintOf(unet, changed);
      if (model::isSameBase(full, other)) failTest("the fingerprint does not see " + name);
    }
  }
  EXPECT(matrices > 100);
}

DAN_TEST(adapters_are_taken_with_their_base_whichever_version_wrote_them) {
  const auto base = model::loadBaseModel(fixture("tiny-sd"), at::kCPU, at::kFloat);
  dual::AdapterFile file;
  file.source = "a.safetensors";
  const auto accept = [&](const std::string& fingerprint) {
    file.metadata = {{"base_fingerprint", fingerprint}, {"base", "its-base"}};
    dual::expectBase(file, *base);
  };
  dual::expectBase(file, *base);  // The file names no base.
  accept(base->fingerprint);
  EXPECT(base->legacyFingerprint.size() == 16);
  accept(base->legacyFingerprint);
  const TensorMap text = textOf("tiny-sd");
  accept(model::fingerprintOf(inPrecision(unetOf("tiny-sd"), at::kBFloat16), inPrecision(text, at::kBFloat16)));
  TensorMap unet = unetOf("tiny-sd");
  for (auto& [name, tensor] : unet) {
    if (name.find("attn1.to_q.weight") != std::string::npos) tensor = tensor * -1;
  }
  // The old fingerprint covers only two layers, so it does not distinguish these.
  EXPECT(model::legacyFingerprintOf(unet, {}) == base->legacyFingerprint);
  expectError([&] { accept(model::fingerprintOf(unet, text)); }, "was trained on a base model of other weights");
  expectError([&] { accept("0123456789abcdef"); }, "its-base");
}

}  // namespace dan::tests
