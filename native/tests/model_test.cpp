#include <ATen/core/grad_mode.h>

#include <filesystem>
#include <fstream>

#include "core/random.h"
#include "io/safetensors.h"
#include "io/weights_file.h"
#include "mask/part_masker.h"
#include "model/base_model.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

const model::BaseModel& modelBase() {
  static const auto base = model::loadBaseModel(fixture("tiny-sd"), at::kCPU, at::kFloat);
  return *base;
}

}  // namespace

DAN_TEST(tokenizer_gives_the_published_ids) {
  size_t count = 0;
  const auto json = fixtureJson("golden/tokenizer.json");
  for (const auto& row : json.at("cases")) {
    const std::string key = row.contains("prompt") ? "prompt" : "text";
    if (modelBase().tokenizer->encode(row.at(key).get<std::string>()) != row.at("ids").get<std::vector<int64_t>>()) {
      failTest("ids differ for " + row.at(key).dump());
    }
    ++count;
  }
  EXPECT(count >= 60);
}

DAN_TEST(text_encoder_unet_and_autoencoder_agree_with_diffusers) {
  const at::NoGradGuard noGrad;
  const auto& t = fixtureTensors("golden/components.safetensors");
  const auto& base = modelBase();
  expectClose(base.textEncoder->forward(t.at("text.input_ids")), t.at("text.last_hidden_state"), 1e-5, 1e-5, "text");
  const auto posterior = base.vae->encode(t.at("vae.encode.in"));
  expectClose(posterior.mean, t.at("vae.encode.mean"), 5e-5, 1e-5, "mean");
  expectClose(posterior.logVariance, t.at("vae.encode.logvar_clamped"), 5e-5, 1e-5, "log variance");
  expectClose(base.vae->decode(t.at("vae.decode.in")), t.at("vae.decode.out"), 5e-5, 1e-5, "decoded");
  const at::Tensor context = t.at("unet.encoder_hidden_states");
  for (const int64_t step : {0, 1, 7, 500, 999}) {
    const at::Tensor out = base.unet->forward(t.at("unet.sample"), at::full({2}, step, at::kLong), context);
    expectClose(out, t.at("unet.out.t" + std::to_string(step)), 2e-5, 1e-5, "unet");
  }
  expectClose(base.unet->forward(t.at("unet.sample"), t.at("unet.vector_t"), context), t.at("unet.out.vector_t"), 2e-5,
              1e-5, "vector of timesteps");
  const at::Tensor odd =
      base.unet->forward(t.at("unet.odd.sample"), at::full({1}, 500, at::kLong), context.slice(0, 0, 1));
  expectClose(odd, t.at("unet.odd.out"), 2e-5, 1e-5, "odd sizes");
}

DAN_TEST(every_parameter_of_a_unet_can_be_trained_after_it_is_built) {
  model::UnetConfig config;
  config.blockOutChannels = {8, 8};
  config.layersPerBlock = 1;
  config.crossAttentionDim = 6;
  config.groups = 4;
  config.heads = {1, 2};
  config.depths = {1, 1};
  config.downHasAttention = {true, false};
  config.upHasAttention = {false, true};
  const nn::Weights weights = nn::Weights::random(makeGenerator(1));
  const model::Unet unet(weights, config);
  for (const auto& [name, tensor] : weights.taken()) at::Tensor(tensor).requires_grad_();
  const at::Tensor sample = randn({1, config.inChannels, 8, 8}, makeGenerator(2));
  unet.forward(sample, at::full({1}, 5, at::kLong), randn({1, 7, 6}, makeGenerator(3))).square().sum().backward();
  for (const auto& [name, tensor] : weights.taken()) {
    if (!tensor.grad().defined()) failTest(name + " has no gradient");
  }
}

DAN_TEST(old_autoencoder_names_load_as_the_new_ones) {
  const at::NoGradGuard noGrad;
  const std::string path = fixture("interop/vae_legacy_names/diffusion_pytorch_model.safetensors");
  const auto tensors = model::withCurrentVaeNames(io::readWeightsFile(path).tensors);
  const model::Vae vae(nn::Weights::fromTensors(tensors, path, at::kFloat),
                       model::readVaeConfig(fixture("interop/vae_legacy_names/config.json")));
  const auto& t = fixtureTensors("golden/components.safetensors");
  expectClose(vae.decode(t.at("vae.decode.in")), t.at("vae.decode.out"), 5e-5, 1e-5, "decoded");
}

DAN_TEST(u2net_agrees_with_the_published_network) {
  const at::NoGradGuard noGrad;
  const mask::U2netMasker masker(fixture("golden/u2net/u2netp.safetensors"), at::kCPU);
  const auto& t = fixtureTensors("golden/u2net.safetensors");
  const auto maps = masker.network().forward(t.at("rand64.input"));
  for (size_t i = 0; i < maps.size(); ++i) {
    expectClose(at::sigmoid(maps[i]), t.at("rand64.d" + std::to_string(i)), 1e-4, 1e-4, "d" + std::to_string(i));
  }
}

DAN_TEST(weights_of_another_shape_name_the_tensor_and_both_shapes) {
  const auto weights = nn::Weights::fromTensors({{"conv.weight", at::zeros({2, 3})}}, "some.safetensors", at::kFloat);
  expectError([&] { weights.scope("conv").take("weight", {2, 4}); }, "[2, 4] for conv.weight but the file has [2, 3]");
  expectError([&] { weights.take("bias", {2}); }, "lacks the tensor bias");
  expectError([&] { weights.expectAllTaken(); }, "conv.weight");
}

DAN_TEST(a_base_of_another_kind_says_what_it_is) {
  const Scratch scratch;
  namespace fs = std::filesystem;
  fs::copy(fixture("tiny-sd"), scratch.at("base"), fs::copy_options::recursive);
  const std::string unet = scratch.at("base/unet/");
  const auto load = [&] { model::loadBaseModel(scratch.at("base"), at::kCPU, at::kFloat); };
  TensorMap tensors = io::readSafetensors(unet + "diffusion_pytorch_model.safetensors").tensors;
  const auto write = [&](const std::string& file, const auto& put) {
    fs::remove(unet + file);  // The copied fixtures are read-only.
    put(unet + file);
  };
  tensors["conv_out.weight"] = tensors.at("conv_out.weight").to(at::kChar);
  write("diffusion_pytorch_model.safetensors", [&](const auto& path) { io::writeSafetensors(path, tensors); });
  expectError(load, "conv_out.weight holds signed char, not numbers");
  auto config = fixtureJson("tiny-sd/unet/config.json");
  config["in_channels"] = 8;
  write("config.json", [&](const auto& path) { std::ofstream(path) << config.dump(); });
  expectError(load, "its UNet takes 8 channels instead of 4 or 9");
  expectError([&] { model::readBaseParts({fixture("tiny-sd"), "configs", "", ""}); }, "only a checkpoint file needs");
}

DAN_TEST(auto_is_bfloat16_where_the_cpu_computes_in_it_and_the_base_is_wide) {
  const model::UnetConfig stableDiffusion;
  model::UnetConfig narrow;
  narrow.blockOutChannels = {64, 128};
  EXPECT(model::suitedDtype(stableDiffusion, at::kCPU, true) == at::kBFloat16);
  EXPECT(model::suitedDtype(stableDiffusion, at::kCPU, false) == at::kFloat);
  EXPECT(model::suitedDtype(narrow, at::kCPU, true) == at::kFloat);
}

}  // namespace dan::tests
