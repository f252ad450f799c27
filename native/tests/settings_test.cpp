// The settings of published bases must be read or deliberately ignored. Any other setting must be refused.
#include <filesystem>
#include <fstream>

#include "diffusion/noise_schedule.h"
#include "io/safetensors.h"
#include "model/config.h"
#include "model/model_index.h"
#include "model/taesd.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

// These are the settings of the published Stable Diffusion 1.5, 2.1 and SD-Turbo.
const Json kUnet15 = Json::parse(R"({"_class_name": "UNet2DConditionModel", "_diffusers_version": "0.6.0",
  "act_fn": "silu", "attention_head_dim": 8, "block_out_channels": [320, 640, 1280, 1280],
  "center_input_sample": false, "cross_attention_dim": 768, "down_block_types": ["CrossAttnDownBlock2D",
  "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"], "downsample_padding": 1, "flip_sin_to_cos": true,
  "freq_shift": 0, "in_channels": 4, "layers_per_block": 2, "mid_block_scale_factor": 1, "norm_eps": 1e-05,
  "norm_num_groups": 32, "out_channels": 4, "sample_size": 64, "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D",
  "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"]})");
const Json kOf21 = Json::parse(R"({"attention_head_dim": [5, 10, 20, 20], "cross_attention_dim": 1024,
  "dual_cross_attention": false, "num_class_embeds": null, "only_cross_attention": false, "sample_size": 96,
  "upcast_attention": true, "use_linear_projection": true})");
const Json kOfTurbo = Json::parse(R"({"_name_or_path": "stabilityai/sd-turbo", "addition_embed_type": null,
  "addition_embed_type_num_heads": 64, "addition_time_embed_dim": null, "attention_type": "default",
  "class_embed_type": null, "class_embeddings_concat": false, "conv_in_kernel": 3, "conv_out_kernel": 3,
  "cross_attention_norm": null, "dropout": 0.0, "encoder_hid_dim": null, "encoder_hid_dim_type": null,
  "mid_block_only_cross_attention": null, "mid_block_type": "UNetMidBlock2DCrossAttn", "num_attention_heads": null,
  "projection_class_embeddings_input_dim": null, "resnet_out_scale_factor": 1.0, "resnet_skip_time_act": false,
  "resnet_time_scale_shift": "default", "reverse_transformer_layers_per_block": null, "time_cond_proj_dim": null,
  "time_embedding_act_fn": null, "time_embedding_dim": null, "time_embedding_type": "positional",
  "timestep_post_act": null, "transformer_layers_per_block": 1, "upcast_attention": null})");
const Json kVae = Json::parse(R"({"_class_name": "AutoencoderKL", "_diffusers_version": "0.24.0.dev0",
  "_name_or_path": "x", "act_fn": "silu", "block_out_channels": [128, 256, 512, 512], "down_block_types":
  ["DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D"], "force_upcast": true,
  "in_channels": 3, "latent_channels": 4, "latents_mean": null, "latents_std": null, "layers_per_block": 2,
  "norm_num_groups": 32, "out_channels": 3, "sample_size": 768, "scaling_factor": 0.18215, "shift_factor": null,
  "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D"],
  "mid_block_add_attention": true, "use_quant_conv": true, "use_post_quant_conv": true})");
const Json kText = Json::parse(R"({"_name_or_path": "openai/clip-vit-large-patch14", "architectures": ["CLIPTextModel"],
  "attention_dropout": 0.0, "bos_token_id": 0, "dropout": 0.0, "eos_token_id": 2, "hidden_act": "quick_gelu",
  "hidden_size": 768, "initializer_factor": 1.0, "initializer_range": 0.02, "intermediate_size": 3072,
  "layer_norm_eps": 1e-05, "max_position_embeddings": 77, "model_type": "clip_text_model", "num_attention_heads": 12,
  "num_hidden_layers": 12, "pad_token_id": 1, "projection_dim": 768, "torch_dtype": "float32",
  "transformers_version": "4.22.0.dev0", "vocab_size": 49408})");

// Writes `json`, updated with `more`, to a file and reads it with `read`.
template <class Read>
auto readWith(Json json, const Json& more, Read read) {
  const Scratch scratch;
  if (!more.empty()) json.update(more);
  std::ofstream(scratch.at("config.json")) << json.dump();
  return read(scratch.at("config.json"));
}

// Each setting of `changes` alone must cause an error that names it.
template <class Read>
void expectEachRefused(const Json& json, const Json& changes, Read read) {
  for (const auto& [key, value] : changes.items()) {
    expectError([&, k = key, v = value] { readWith(json, {{k, v}}, read); }, key);
  }
}

}  // namespace

DAN_TEST(configs_of_published_bases_are_read) {
  EXPECT(readWith(kUnet15, {}, model::readUnetConfig).heads == std::vector<int64_t>({8, 8, 8, 8}));
  const auto of21 = readWith(kUnet15, kOf21, model::readUnetConfig);
  EXPECT(of21.linearProjection && of21.heads == std::vector<int64_t>({5, 10, 20, 20}));
  Json turbo = kOf21;
  turbo.update(kOfTurbo);
  EXPECT(readWith(kUnet15, turbo, model::readUnetConfig).crossAttentionDim == 1024);
  EXPECT(readWith(kUnet15, {{"in_channels", 9}}, model::readUnetConfig).inChannels == 9);  // inpainting
  const Json ema = Json::parse(R"({"decay": 0.9999, "inv_gamma": 1.0, "min_decay": 0.0, "optimization_step": 5000,
    "power": 0.6666666666666666, "update_after_step": 0, "use_ema_warmup": false})");
  EXPECT(readWith(kUnet15, ema, model::readUnetConfig).inChannels == 4);  // A trainer's unet_ema has these settings.
  EXPECT(readWith(kVae, {}, model::readVaeConfig).downscale() == 8);
  EXPECT(readWith(kText, {}, model::readTextConfig).quickGelu);
  const Json text21 = {{"hidden_act", "gelu"},      {"hidden_size", 1024},     {"use_cache", true},
                       {"num_attention_heads", 16}, {"num_hidden_layers", 23}, {"projection_dim", 512},
                       {"dtype", "float16"}};
  EXPECT(!readWith(kText, text21, model::readTextConfig).quickGelu);
  // Notes of tools and null settings are ignored.
  EXPECT(readWith(kVae, {{"_note", 3}, {"setting_of_tomorrow", nullptr}}, model::readVaeConfig).groups == 32);
}

DAN_TEST(settings_of_a_base_that_are_not_read_are_refused_by_name) {
  expectEachRefused(kUnet15, Json::parse(R"({"_class_name": "UNet2DModel", "attention_type": "gated",
    "class_embeddings_concat": true, "conv_in_kernel": 5, "cross_attention_norm": "layer_norm",
    "downsample_padding": 0, "dual_cross_attention": true, "encoder_hid_dim_type": "text_proj",
    "mid_block_scale_factor": 0.5, "mid_block_type": null, "norm_num_groups": null, "num_class_embeds": 1000,
    "only_cross_attention": [true, false, false, false], "resnet_out_scale_factor": 1.4, "resnet_skip_time_act": true,
    "time_cond_proj_dim": 256, "time_embedding_dim": 512, "timestep_post_act": "silu", "layers_per_block": 2.5,
    "norm_eps": -1, "invented": 1, "invented_flag": false})"),
                    model::readUnetConfig);
  expectEachRefused(kVae, Json::parse(R"({"_class_name": "AutoencoderTiny", "latents_mean": [0, 0, 0, 0],
    "shift_factor": 0.1, "scaling_factor": 0, "mid_block_add_attention": false, "use_quant_conv": false,
    "down_block_types": ["AttnDownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D"],
    "in_channels": 3.5, "act_fn": "relu", "invented": [1]})"),
                    model::readVaeConfig);
  expectEachRefused(kText, Json::parse(R"({"architectures": ["T5EncoderModel"], "model_type": "t5",
    "hidden_act": "relu", "is_decoder": true, "quantization_config": {"bits": 4}, "vocab_size": -1,
    "layer_norm_eps": -0.1, "rope_theta": 10000})"),
                    model::readTextConfig);
  expectError([] { readWith(kVae, {{"one", 1}, {"two", 2}}, model::readVaeConfig); }, "one = 1, two = 2");
}

DAN_TEST(a_schedule_is_read_or_refused_setting_by_setting) {
  const auto parse = [](const char* text, const Json& more = Json::object()) {
    Json json = Json::parse(text);
    if (!more.empty()) json.update(more);
    return diffusion::parseScheduleConfig(json, "scheduler_config.json");
  };
  constexpr const char* kPndm = R"({"_class_name": "PNDMScheduler", "_diffusers_version": "0.6.0", "beta_end": 0.012,
    "beta_schedule": "scaled_linear", "beta_start": 0.00085, "num_train_timesteps": 1000, "set_alpha_to_one": false,
    "skip_prk_steps": true, "steps_offset": 1, "trained_betas": null, "clip_sample": false})";
  constexpr const char* kDdim = R"({"_class_name": "DDIMScheduler", "_diffusers_version": "0.8.0", "beta_end": 0.012,
    "beta_schedule": "scaled_linear", "beta_start": 0.00085, "clip_sample": false, "num_train_timesteps": 1000,
    "prediction_type": "v_prediction", "set_alpha_to_one": false, "skip_prk_steps": true, "steps_offset": 1,
    "trained_betas": null})";
  constexpr const char* kTurbo = R"({"_class_name": "EulerDiscreteScheduler", "_diffusers_version": "0.24.0.dev0",
    "beta_end": 0.012, "beta_schedule": "scaled_linear", "beta_start": 0.00085, "clip_sample": false,
    "interpolation_type": "linear", "num_train_timesteps": 1000, "prediction_type": "epsilon",
    "set_alpha_to_one": false, "sigma_max": null, "sigma_min": null, "skip_prk_steps": true, "steps_offset": 1,
    "timestep_spacing": "trailing", "timestep_type": "discrete", "trained_betas": null, "use_karras_sigmas": false})";
  constexpr const char* kDpm = R"({"_class_name": "DPMSolverMultistepScheduler", "_diffusers_version": "0.32.1",
    "algorithm_type": "dpmsolver++", "beta_end": 0.012, "beta_schedule": "scaled_linear", "beta_start": 0.00085,
    "dynamic_thresholding_ratio": 0.995, "euler_at_final": false, "final_sigmas_type": "zero", "flow_shift": 1.0,
    "lambda_min_clipped": "-Infinity", "lower_order_final": true, "num_train_timesteps": 1000,
    "prediction_type": "epsilon", "rescale_betas_zero_snr": false, "sample_max_value": 1.0, "solver_order": 2,
    "solver_type": "midpoint", "steps_offset": 1, "thresholding": false, "timestep_spacing": "leading",
    "trained_betas": null, "use_beta_sigmas": false, "use_exponential_sigmas": false, "use_flow_sigmas": false,
    "use_karras_sigmas": true, "use_lu_lambdas": false, "variance_type": null})";
  constexpr const char* kDeis = R"({"_class_name": "DEISMultistepScheduler", "algorithm_type": "deis",
    "beta_end": 0.012, "beta_schedule": "scaled_linear", "beta_start": 0.00085, "clip_sample": false,
    "clip_sample_range": 1.0, "dynamic_thresholding_ratio": 0.995, "lower_order_final": true,
    "num_train_timesteps": 1000, "prediction_type": "epsilon", "sample_max_value": 1.0, "set_alpha_to_one": false,
    "skip_prk_steps": true, "solver_order": 2, "solver_type": "logrho", "steps_offset": 1, "thresholding": false,
    "timestep_spacing": "leading", "trained_betas": null, "use_karras_sigmas": false})";
  EXPECT(parse(kPndm).stepsOffset == 1 && !parse(kPndm).setAlphaToOne);
  EXPECT(parse(kDdim).predictionType == diffusion::PredictionType::kVPrediction);
  EXPECT(parse(kTurbo).timestepSpacing == "trailing");
  EXPECT(parse(kDpm).useKarrasSigmas);
  EXPECT(parse(kDdim, {{"predict_epsilon", true}}).betaEnd == 0.012);  // diffusers before 0.9 wrote this.
  // The engine has no DEIS solver, but the schedule is like any other.
  EXPECT(parse(kDeis).betaEnd == 0.012);

  const auto refuse = [&](const char* text, const char* changes) {
    const Json each = Json::parse(changes);
    for (const auto& [key, value] : each.items()) {
      expectError([&, k = key, v = value] { parse(text, {{k, v}}); }, key);
    }
  };
  refuse(kPndm, R"({"trained_betas": [0.1, 0.2], "skip_prk_steps": false, "beta_schedule": "sigmoid",
    "beta_start": 0, "beta_end": 1.5, "num_train_timesteps": 1000.5, "steps_offset": -1, "clip_sample": 1, "predict_epsilon": false,
    "_class_name": "FlowMatchEulerDiscreteScheduler", "prediction_type": "sample", "timestep_spacing": "karras",
    "rescale_betas_zero_snr": true, "thresholding": true, "shift": 3.0, "use_dynamic_shifting": true,
    "invented": 2})");
  refuse(kDpm, R"({"algorithm_type": "sde-dpmsolver++", "solver_order": 3, "solver_type": "heun",
    "lambda_min_clipped": -5.1, "variance_type": "learned_range", "euler_at_final": true})");
  refuse(kTurbo, R"({"interpolation_type": "log_linear", "timestep_type": "continuous", "sigma_max": 14.6})");
  refuse(kDdim, R"({"_class_name": "LCMScheduler"})");
  expectError([&] { parse(kDdim, {{"clip_sample", true}, {"clip_sample_range", 2.0}}); }, "clip_sample_range");
}

DAN_TEST(the_infinities_that_python_writes_are_read_and_keys_that_come_twice_are_not) {
  EXPECT(model::parseJson(R"({"a": -Infinity, "b": "NaN \" Infinity", "c": [NaN]})", "x") ==
         Json::parse(R"({"a": "-Infinity", "b": "NaN \" Infinity", "c": ["NaN"]})"));
  expectError([] { readWith(kVae, {{"scaling_factor", "NaN"}}, model::readVaeConfig); }, "scaling_factor");
  expectError([] { model::parseJson(R"({"a": 1, "b": {"a": 2}, "a": 3})", "x.json"); }, "x.json names a twice");
}

DAN_TEST(a_tiny_decoders_config_is_that_of_what_is_built) {
  const Json taesd = Json::parse(R"({"_class_name": "AutoencoderTiny", "_diffusers_version": "0.20.0.dev0", "act_fn":
    "relu", "block_out_channels": [64, 64, 64, 64], "decoder_block_out_channels": [64, 64, 64, 64],
    "encoder_block_out_channels": [64, 64, 64, 64], "force_upcast": false, "in_channels": 3, "latent_channels": 4,
    "latent_magnitude": 3, "latent_shift": 0.5, "num_decoder_blocks": [3, 3, 3, 1], "num_encoder_blocks":
    [1, 3, 3, 3], "out_channels": 3, "scaling_factor": 1.0, "upsampling_scaling_factor": 2})");
  // The folder has no weights, so a valid config leads to an error about the missing file.
  const auto read = [&](const std::string& path) { model::Taesd(fs::path(path).parent_path().string(), at::kCPU); };
  expectError([&] { readWith(taesd, {}, read); }, "diffusion_pytorch_model.safetensors");
  expectEachRefused(taesd, Json::parse(R"({"act_fn": "silu", "latent_shift": 0, "scaling_factor": 0.13025,
    "upsampling_scaling_factor": 4, "upsample_fn": "bilinear", "invented": 1})"),
                    read);
}

DAN_TEST(a_tiny_decoder_whose_layers_do_not_follow_each_other_is_named) {
  const Scratch scratch;
  const std::string path = scratch.at("taesd.safetensors");
  TensorMap tensors = {{"decoder.layers.0.weight", at::ones({8, 4, 3, 3})}, {"decoder.layers.0.bias", at::ones({8})}};
  for (const at::Tensor& wrong : {at::ones({3, 6, 3, 3}), at::ones({3, 8, 1, 1}), at::ones({})}) {
    tensors["decoder.layers.2.weight"] = wrong;
    io::writeSafetensors(path, tensors);
    expectError([&] { model::Taesd(path, at::kCPU); }, path + " is not a TAESD decoder");
  }
}

DAN_TEST(a_model_index_names_parts_that_are_built) {
  const Scratch scratch;
  const auto check = [&](const Json& more) {
    Json json = Json::parse(R"({"_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.6.0",
      "feature_extractor": ["transformers", "CLIPImageProcessor"], "image_encoder": [null, null],
      "requires_safety_checker": true, "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
      "scheduler": ["diffusers", "PNDMScheduler"], "text_encoder": ["transformers", "CLIPTextModel"],
      "tokenizer": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"],
      "vae": ["diffusers", "AutoencoderKL"], "text_encoder_2": [null, null]})");
    if (!more.empty()) json.update(more);
    std::ofstream(scratch.at("model_index.json")) << json.dump();
    model::checkModelIndex(scratch.at(""));
  };
  check({});
  check({{"_class_name", "StableDiffusionInpaintPipeline"}});
  for (const char* change :
       {R"({"_class_name": "StableDiffusionXLPipeline"})", R"({"_class_name": "FluxPipeline"})",
        R"({"text_encoder_2": ["transformers", "CLIPTextModelWithProjection"]})",
        R"({"unet": ["diffusers", "FluxTransformer2DModel"]})", R"({"vae": ["diffusers", "AsymmetricAutoencoderKL"]})",
        R"({"text_encoder": ["x", "RobertaSeriesModelWithTransformation"]})", R"({"unet": 3})", R"({"unet": [1, 2]})",
        R"({"controlnet": ["diffusers", "ControlNetModel"]})"}) {
    const Json more = Json::parse(change);
    expectError([&] { check(more); }, more.begin().key());
  }
}

DAN_TEST(numbers_in_text_are_whole) {
  EXPECT(parseNumber("1e-05") == 1e-5 && parseNumber("-3") == -3 && parseNumber("0.5") == 0.5);
  for (const char* text : {"", " 1", "1 ", "1x", "0x10", "nan", "inf", "+1", "1e999", "1,5", "--1", "true"}) {
    EXPECT(parseNumber(text).is_null());
  }
}

}  // namespace dan::tests
