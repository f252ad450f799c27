// These tests read the scale of a LoRA file, and refuse files that are damaged or not a LoRA.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include "io/safetensors.h"
#include "model/base_model.h"
#include "model/lora_file.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const std::string kLayer = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q";
const std::string kKohya = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q.";
const std::string kTextLayer = "text_model.encoder.layers.0.self_attn.q_proj";

const at::Tensor& weightOf(const model::BaseParts& parts, const std::string& layer) {
  const bool isText = layer.rfind("text_model.", 0) == 0;
  return (isText ? parts.textWeights : parts.unetWeights).tensors.at(layer + ".weight");
}

const model::BaseParts& tinyParts() {
  static const model::BaseParts parts = model::readBaseParts({fixture("tiny-sd"), "", "", ""});
  return parts;
}

// Returns the factor with which the file at `path` adds up x down to the layer. All factors are ones, of rank 4.
double mergedScale(const std::string& path, const std::string& layer = kLayer) {
  model::BaseParts parts = tinyParts();
  model::mergeLora(parts, {path, 1.0});
  const at::Tensor change = weightOf(parts, layer).to(at::kFloat) - weightOf(tinyParts(), layer).to(at::kFloat);
  return change.mean().item<double>() / 4;
}

TensorMap pairOf(const std::string& module, const char* down = ".lora_A.weight", const char* up = ".lora_B.weight") {
  return {{module + down, at::ones({4, 32})}, {module + up, at::ones({32, 4})}};
}

bool isNear(double a, double b) { return std::abs(a - b) < 1e-4; }

}  // namespace

DAN_TEST(metadata_of_diffusers_say_alpha_rank_and_rslora_of_each_part) {
  const Scratch scratch;
  const std::string path = scratch.at("lora.safetensors");
  TensorMap tensors = pairOf("unet." + kLayer);
  tensors.merge(pairOf("text_encoder." + kTextLayer));
  const auto write = [&](const Json& settings) {
    io::writeSafetensors(path, tensors, {{"format", "pt"}, {"lora_adapter_metadata", settings.dump()}});
  };
  Json settings = {{"unet.r", 4},
                   {"unet.lora_alpha", 4},
                   {"unet.use_rslora", true},
                   {"unet.use_dora", false},
                   {"unet.alpha_pattern", Json::object()},
                   {"unet.target_modules", {"to_q"}},
                   {"text_encoder.r", 4},
                   {"text_encoder.lora_alpha", 2},
                   {"text_encoder.lora_dropout", 0.1}};
  write(settings);
  EXPECT(isNear(mergedScale(path), 2));
  EXPECT(isNear(mergedScale(path, kTextLayer), 0.5));
  settings["unet.use_rslora"] = false;
  settings["unet.alpha_pattern"] = {{"attn1.to_q", 12}, {"to_q", 99}};
  write(settings);
  EXPECT(isNear(mergedScale(path), 3));
  const auto expectRefused = [&](const Json& change, const char* text) {
    Json json = settings;
    json.update(change);
    write(json);
    expectError([&] { mergedScale(path); }, text);
  };
  expectRefused({{"unet.use_dora", true}}, "use_dora");
  expectRefused({{"unet.modules_to_save", {"conv_in"}}}, "modules_to_save");
  expectRefused({{"unet.invented", 1}}, "invented = 1");
  expectRefused({{"text_encoder_2.r", 4}}, "text_encoder_2.r");
  expectRefused({{"unet.r", 8}}, "whose tensors have rank 4");
  expectRefused({{"unet.r", nullptr}}, "lacks r");
  expectRefused({{"unet.lora_alpha", "4"}}, "lora_alpha");
  expectRefused({{"unet.rank_pattern", {{"to_q", 2}}}}, "says rank 2");
  expectRefused({{"unet.alpha_pattern", {{"^.*to_q", 2}}}}, "alpha_pattern");
  tensors["unet." + kLayer + ".alpha"] = at::full({}, 4.0);
  write(settings);
  expectError([&] { mergedScale(path); }, "twice");
  io::writeSafetensors(path, pairOf("unet." + kLayer), {{"lora_adapter_metadata", "{"}});
  expectError([&] { mergedScale(path); }, "lora_adapter_metadata");
}

DAN_TEST(an_adapter_of_peft_has_its_config_beside_it) {
  const Scratch scratch;
  const std::string path = scratch.at("adapter_model.safetensors");
  const auto config = [&](const Json& more) {
    Json json = Json::parse(R"({"alpha_pattern": {}, "auto_mapping": null, "base_model_name_or_path": "x", "bias":
      "none", "corda_config": null, "eva_config": null, "exclude_modules": null, "fan_in_fan_out": false,
      "inference_mode": true, "init_lora_weights": true, "layer_replication": null, "layers_pattern": null,
      "layers_to_transform": null, "loftq_config": {}, "lora_alpha": 8, "lora_bias": false, "lora_dropout": 0.0,
      "megatron_config": null, "megatron_core": "megatron.core", "modules_to_save": null, "peft_type": "LORA", "r": 4,
      "rank_pattern": {}, "revision": null, "target_modules": ["to_q"], "task_type": null, "use_dora": false,
      "use_rslora": false})");
    if (!more.empty()) json.update(more);
    std::ofstream(scratch.at("adapter_config.json")) << json.dump();
  };
  for (const std::string prefix : {"base_model.model.", "base_model.model.unet.", "", "unet."}) {
    io::writeSafetensors(path, pairOf(prefix + kLayer));
    config({});
    EXPECT(isNear(mergedScale(path), 2));
    EXPECT(isNear(mergedScale(scratch.at("")), 2));  // This passes the folder.
    config({{"use_rslora", true}});
    EXPECT(isNear(mergedScale(path), 4));
  }
  io::writeSafetensors(path, pairOf("base_model.model." + kTextLayer));
  config({{"lora_alpha", 1}});
  EXPECT(isNear(mergedScale(path, kTextLayer), 0.25));
  const Json changes = Json::parse(R"({"use_dora": true, "bias": "all", "modules_to_save": ["conv_in"], "peft_type":
    "LOHA", "fan_in_fan_out": true, "lora_bias": true, "layer_replication": [[0, 4]], "init_lora_weights": "pissa",
    "trainable_token_indices": [1], "r": 0, "lora_alpha": true, "megatron_config": {"a": 1}, "rank_pattern": {"q_proj":
    2}, "invented": 1})");
  for (const auto& [key, value] : changes.items()) {
    config({{key, value}});
    const std::string expected = key == "rank_pattern" ? "says rank 2" : key;
    expectError([&] { mergedScale(path, kTextLayer); }, expected);
  }
  io::writeSafetensors(scratch.at("pytorch_lora_weights.safetensors"), pairOf("unet." + kLayer));
  expectError([&] { mergedScale(scratch.at("")); }, "holds several LoRA files");
  fs::remove(scratch.at("pytorch_lora_weights.safetensors"));
  fs::remove(scratch.at("adapter_config.json"));
  expectError([&] { mergedScale(path, kTextLayer); }, "adapter_config.json: put that beside it");
  fs::rename(path, scratch.at("renamed.safetensors"));
  expectError([&] { mergedScale(scratch.at("renamed.safetensors")); }, "under another name");
  expectError([&] { mergedScale(scratch.at("")); }, "is a folder without a LoRA");
}

DAN_TEST(a_scale_that_makes_weights_infinite_is_an_error) {
  const Scratch scratch;
  const std::string path = scratch.at("lora.safetensors");
  TensorMap tensors = pairOf(kKohya.substr(0, kKohya.size() - 1), ".lora_down.weight", ".lora_up.weight");
  tensors[kKohya + "alpha"] = at::tensor(3e38F);
  tensors[kKohya + "lora_up.weight"] = 8 * tensors[kKohya + "lora_up.weight"];
  io::writeSafetensors(path, tensors);
  expectError([&] { mergedScale(path); }, path + ": what " + kKohya.substr(0, kKohya.size() - 1) + " adds");
}

DAN_TEST(two_scales_of_one_file_are_two_bases) {
  const Scratch scratch;
  io::writeSafetensors(scratch.at("adapter_model.safetensors"), pairOf(kLayer));
  const auto fingerprint = [&](int alpha) {
    std::ofstream(scratch.at("adapter_config.json")) << Json({{"r", 4}, {"lora_alpha", alpha}}).dump();
    model::BaseOptions options;
    options.source.path = fixture("tiny-sd");
    options.loras = {{scratch.at(""), 1.0}};
    return model::loadBaseModel(options, at::kCPU, at::kFloat)->fingerprint;
  };
  EXPECT(fingerprint(4) != fingerprint(8));
}

DAN_TEST(files_of_kohya_that_change_nothing_or_are_damaged_are_named) {
  const Scratch scratch;
  const std::string path = scratch.at("lora.safetensors");
  const auto scale = [&](const TensorMap& tensors, const io::Metadata& metadata = {}) {
    io::writeSafetensors(path, tensors, metadata);
    return mergedScale(path);
  };
  const auto expectRefused = [&](const TensorMap& tensors, const io::Metadata& metadata, const std::string& text) {
    io::writeSafetensors(path, tensors, metadata);
    expectError([&] { mergedScale(path); }, text);
    expectError([&] { mergedScale(path); }, "lora.safetensors");
  };
  const TensorMap pair = pairOf(kKohya, "lora_down.weight", "lora_up.weight");
  const auto with = [&](const std::string& name, const at::Tensor& tensor) {
    TensorMap tensors = pair;
    tensors[kKohya + name] = tensor;
    return tensors;
  };
  EXPECT(isNear(scale(pair), 1));
  EXPECT(isNear(scale(with("alpha", at::full({}, 2.0))), 0.5));
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  expectRefused({}, {{"ss_network_dim", "4"}}, "holds no LoRA");
  expectRefused(with("alpha", at::full({}, 0.0)), {}, "changes nothing");
  expectRefused(with("lora_up.weight", at::zeros({32, 4})), {}, "changes nothing");
  expectRefused(with("alpha", at::full({}, kNan)), {}, kKohya + "alpha");
  expectRefused(with("lora_up.weight", at::full({32, 4}, kNan)), {}, kKohya + "lora_up.weight");
  expectRefused(with("lora_down.weight", at::full({4, 32}, -1 / 0.0)), {}, kKohya + "lora_down.weight");
  expectRefused(with("lora_down.weight", at::ones({4, 32}, at::kChar)), {}, "not numbers");
  expectRefused(with("dora_scale", at::ones({32, 1})), {}, "dora_scale");
  expectRefused(with("lora_A.weight", at::ones({4, 32})), {}, "two tensors");
  expectRefused({{kKohya + "alpha", at::full({}, 4.0)}}, {}, "lacks its down or its up half");
  expectRefused({{kKohya + "lora_down.weight", at::ones({0, 32})}, {kKohya + "lora_up.weight", at::ones({32, 0})}}, {},
                "the halves of");
  // The metadata decide these cases.
  EXPECT(isNear(scale(pair, {{"ss_network_alpha", "4.0"}, {"ss_network_dim", "4"}, {"ss_v2", "False"}}), 1));
  EXPECT(isNear(scale(pair, {{"trigger", "sks"}, {"modelspec.architecture", "stable-diffusion-v1/lora"}}), 1));
  expectRefused(pair, {{"ss_network_alpha", "1"}, {"ss_network_dim", "4"}}, "ss_network_alpha 1");
  expectRefused(pair, {{"ss_base_model_version", "sdxl_base_v1-0"}}, "sdxl_base_v1-0");
  expectRefused(pair, {{"modelspec.architecture", "flux-1-dev/lora"}}, "flux-1-dev");
  for (const char* key : {"use_rslora", "lora_alpha", "network_rank", "scale", "Weight_Decompose"}) {
    expectRefused(pair, {{key, "1"}}, key);
  }
}

}  // namespace dan::tests
