#include <ATen/core/grad_mode.h>

#include <cmath>
#include <set>

#include "core/random.h"
#include "dual/adapter_export.h"
#include "dual/attention_maps.h"
#include "dual/dual_unet.h"
#include "io/weights_file.h"
#include "model/base_model.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

const model::BaseModel& exportedBase() {
  static const auto base = model::loadBaseModel(fixture("tiny-sd"), at::kCPU, at::kFloat);
  return *base;
}

std::string scratchFile(const std::string& ending) {
  static const Scratch scratch;
  return scratch.at("export" + ending);
}

at::Tensor predict(const dual::AdapterFile& file, double backgroundWeight = 1.0) {
  const at::NoGradGuard noGrad;
  const auto& base = exportedBase();
  const auto& t = fixtureTensors("golden/bcm.safetensors");
  const dual::Adapter adapter(file.tensors, file.settings, *base.unet, base.textEncoder->config(), "a test");
  const dual::DualUnet unet(*base.unet, adapter);
  const at::Tensor context =
      base.textEncoder->forward(base.tokenize({"a vfx with sks", "sks"}), adapter.textHook()).repeat({2, 1, 1});
  const at::Tensor timesteps = at::full({4}, 250, at::kLong);
  if (file.settings.background == dual::BackgroundMode::kOff)
    return unet.forward(t.at("fwd1.sample"), timesteps, context);
  const auto features = unet.backgroundFeatures(backgroundWeight * t.at("fwd1.cond_lat"), timesteps.slice(0, 2),
                                                dual::unpackBranches(context).select(1, dual::kGlobal));
  return unet.forward(t.at("fwd1.sample"), timesteps, context, &features);
}

}  // namespace

DAN_TEST(published_checkpoints_come_back_as_they_were) {
  for (const std::string path :
       {"golden/dual-checkpoint/pytorch_lora_weights.bin", "golden/bcm-checkpoint/pytorch_lora_weights.safetensors"}) {
    const TensorMap original = io::readWeightsFile(fixture(path)).tensors;
    const auto file = dual::readAdapterFile(fixture(path));
    for (const char* ending : {".bin", ".safetensors"}) {
      dual::ExportOptions options;
      options.published = true;
      options.dtype = original.begin()->second.scalar_type();
      dual::exportAdapter(file, scratchFile(ending), options);
      const TensorMap written = io::readWeightsFile(scratchFile(ending)).tensors;
      EXPECT(written.size() == original.size());
      for (const auto& [name, tensor] : original) {
        const auto found = written.find(name);
        if (found == written.end()) failTest(name + " was not written");
        EXPECT(found->second.sizes() == tensor.sizes() && found->second.scalar_type() == tensor.scalar_type());
        // Nothing reads the background of cross-attention, so it is written as zeros.
        const bool isUnused =
            name.find(".attn2.") != std::string::npos &&
            (name.find("temporal_condition_mlp") != std::string::npos || name.find("temporal_a") != std::string::npos);
        if (!isUnused) EXPECT(found->second.equal(tensor));
      }
    }
  }
}

DAN_TEST(the_papers_form_and_a_lora_scale_survive_the_published_layout) {
  auto file = dual::readAdapterFile(fixture("golden/bcm-checkpoint/pytorch_lora_weights.safetensors"),
                                    dual::BackgroundMode::kAdd);
  file.settings.loraScale = 0.7;
  dual::ExportOptions options;
  options.published = true;
  dual::exportAdapter(file, scratchFile(".bin"), options);
  // The published code has interpolation and scale 1.
  const auto back = dual::readAdapterFile(scratchFile(".bin"));
  EXPECT(back.settings.background == dual::BackgroundMode::kInterpolate && back.settings.loraScale == 1.0);
  expectClose(predict(back), predict(file), 2e-5, 1e-5, "the prediction");
  // This shows that the background has an effect.
  EXPECT((predict(file) - predict(file, 0.0)).abs().max().item<double>() > 1e-3);
}

DAN_TEST(adapters_are_stored_in_half_the_bytes) {
  const auto file = dual::readAdapterFile(fixture("golden/dual-checkpoint/pytorch_lora_weights.bin"));
  const at::Tensor expected = predict(file);
  for (const auto dtype : {at::kHalf, at::kBFloat16}) {
    dual::ExportOptions options;
    options.dtype = dtype;
    dual::exportAdapter(file, scratchFile(".safetensors"), options);
    const auto back = dual::readAdapterFile(scratchFile(".safetensors"));
    EXPECT(back.tensors.begin()->second.scalar_type() == dtype);
    EXPECT(((predict(back) - expected).norm() / expected.norm()).item<double>() < (dtype == at::kHalf ? 2e-3 : 2e-2));
  }
  auto large = file;
  large.tensors.begin()->second = at::full_like(large.tensors.begin()->second, 1e6);
  dual::ExportOptions half;
  half.dtype = at::kHalf;
  expectError([&] { dual::exportAdapter(large, scratchFile(".safetensors"), half); }, large.tensors.begin()->first);
}

DAN_TEST(a_compact_adapter_is_exact_at_full_rank_and_says_its_error_below) {
  const auto file = dual::readAdapterFile(fixture("golden/dual-checkpoint/pytorch_lora_weights.bin"));
  const at::Tensor expected = predict(file);
  const auto compact = [&](int64_t rank) {
    dual::ExportOptions options;
    options.saimRank = rank;
    return dual::exportAdapter(file, scratchFile(".safetensors"), options);
  };
  const auto full = compact(64);
  EXPECT(full.errors.size() == exportedBase().unet->attentionLayers().size());
  for (const auto& error : full.errors) EXPECT(error.scores < 1e-6 && error.values < 1e-6);
  expectClose(predict(dual::readAdapterFile(scratchFile(".safetensors"))), expected, 1e-4, 1e-4, "the prediction");

  const auto small = compact(4);
  EXPECT(small.numbers < full.numbers / 2);
  const auto back = dual::readAdapterFile(scratchFile(".safetensors"));
  EXPECT((predict(back) - expected).abs().max().item<double>() > 1e-4);
  // Training changes each tensor in place.
  std::set<const void*> places;
  for (const auto& [name, tensor] : back.tensors) places.insert(tensor.const_data_ptr());
  EXPECT(places.size() == back.tensors.size());
  // The reported error is that of the stored matrix.
  const auto& [layer, scores, values] = small.errors.front();
  const auto valuesOf = [&](const TensorMap& t) {
    const auto part = [&](const char* name) { return t.at(layer + ".saim." + name + ".weight").to(at::kDouble); };
    return at::matmul(part("o"), at::matmul(part("v"), part("i")));
  };
  const at::Tensor whole = valuesOf(file.tensors), kept = valuesOf(back.tensors);
  EXPECT(std::abs(((kept - whole).norm() / whole.norm()).item<double>() - values) < 1e-4);
  EXPECT(values > 0.01 && scores > 0.01);
  // A compact adapter is expanded for the published scripts.
  dual::ExportOptions published;
  published.published = true;
  dual::exportAdapter(back, scratchFile(".bin"), published);
  expectClose(predict(dual::readAdapterFile(scratchFile(".bin"))), predict(back), 1e-6, 0, "the published file");
}

DAN_TEST(recorded_attention_is_what_the_layers_attend_with) {
  const at::NoGradGuard noGrad;
  // The probabilities times the values must equal ATen's fused attention.
  at::Generator generator = makeGenerator(3);
  const at::Tensor q = randn({2, 20, 24}, generator), k = randn({2, 9, 24}, generator),
                   v = randn({2, 9, 24}, generator);
  const at::Tensor p = dual::attentionProbabilities(q, k, 4);
  const at::Tensor byHead = at::matmul(p, v.unflatten(-1, {4, -1}).transpose(1, 2));
  expectClose(byHead.transpose(1, 2).flatten(-2), nn::multiHeadAttention(q, k, v, 4), 1e-6, 1e-5, "attention");

  // The branch attends to the words from one corner only, and its tokens attend to themselves. The mask must be in that
  // corner.
  const nn::Weights weights = nn::Weights::random(makeGenerator(1));
  const nn::AttentionLayer self(weights.scope("self"), "self", 64, 64, 1, true),
      cross(weights.scope("cross"), "cross", 2, 2, 1, false);
  dual::AttentionMaps maps(1, 8, 8, {1, 2});
  const at::Tensor own = 100 * at::eye(64).unsqueeze(0);
  maps.add(self, own, own);
  at::Tensor corner = at::zeros({1, 8, 8, 2});
  corner.slice(1, 0, 3).slice(2, 0, 3).select(3, 0).fill_(10);
  const at::Tensor words = at::tensor({0.0F, 0.0F, 10.0F, 0.0F, 10.0F, 0.0F, 0.0F, 0.0F}).view({1, 4, 2});
  maps.add(cross, corner.flatten(1, 2), words);
  const at::Tensor map = maps.maps(8, 8)[0];
  EXPECT(map.slice(0, 0, 3).slice(1, 0, 3).min().item<double>() > 0.99);
  EXPECT(map.slice(0, 3).max().item<double>() < 0.01 && map.slice(1, 3).max().item<double>() < 0.01);
  EXPECT(maps.maps(64, 48).sizes() == at::IntArrayRef({1, 64, 48}));
}

}  // namespace dan::tests
