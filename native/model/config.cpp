#include "model/config.h"

#include <algorithm>

#include "core/error.h"

namespace dan::model {

namespace {

using Json = nlohmann::json;

constexpr int64_t kMost = int64_t{1} << 24;

int64_t positive(Settings& settings, const char* key, int64_t fallback) {
  return settings.integer(key, fallback, 1, kMost);
}

// The setting is a list, or one number that holds for every level.
std::vector<int64_t> perLevel(Settings& settings, const char* key, int64_t fallback, size_t levels) {
  const Json& value = settings.value(key);
  if (!value.is_array()) return std::vector<int64_t>(levels, positive(settings, key, fallback));
  std::vector<int64_t> values;
  for (const Json& one : value) {
    if (!one.is_number_unsigned() || one == 0 || one > kMost) settings.reject(key, "positive integers");
    values.push_back(one.get<int64_t>());
  }
  if (values.size() != levels) settings.reject(key, c10::str("a list of ", levels, " numbers"));
  return values;
}

std::vector<int64_t> channelsOf(Settings& settings) {
  const Json& value = settings.value("block_out_channels");
  const size_t levels = value.is_array() ? value.size() : 0;
  if (levels < 1 || levels > 16) settings.reject("block_out_channels", "a list of 1 to 16 channel counts");
  return perLevel(settings, "block_out_channels", 1, levels);
}

// Returns one flag per block, which is true if the block has cross-attention.
std::vector<bool> attentionFlags(Settings& settings, const char* key, const char* with, const char* without,
                                 size_t levels) {
  const auto types = settings.texts(key);
  if (types.size() != levels) settings.reject(key, c10::str("a list of ", levels, " block types"));
  std::vector<bool> flags;
  for (const std::string& type : types) {
    if (type != with && type != without) {
      settings.reject(key, c10::str(with, " or ", without, " (no other block is built)"));
    }
    flags.push_back(type == with);
  }
  return flags;
}

// All blocks of an autoencoder must have the same type, one block per level.
void expectBlocks(Settings& settings, const char* key, const char* type, size_t levels) {
  const auto types = settings.texts(key);
  const auto of = static_cast<size_t>(std::count(types.begin(), types.end(), type));
  if (settings.has(key) && (types.size() != levels || of != levels)) {
    settings.reject(key, c10::str(levels, " times ", type, " (no other block is built)"));
  }
}

// The setting is a flag, or a list of one flag per level. Every flag must be false.
void expectFalse(Settings& settings, const char* key) {
  const Json& value = settings.value(key);
  if (value.is_null()) return;
  const Json list = value.is_array() ? value : Json::array({value});
  for (const Json& one : list) {
    if (one != false) settings.reject(key, "false (nothing else is implemented)");
  }
}

void checkGroups(const Settings& settings, const std::vector<int64_t>& channels, int64_t groups) {
  for (const int64_t count : channels) {
    if (count % groups != 0) settings.reject("norm_num_groups", "a divisor of every block's channels");
  }
}

// diffusers builds something else if these are null instead of absent.
void expectNotNull(Settings& settings, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    if (settings.contains(key) && !settings.has(key)) settings.reject(key, "a value");
  }
}

}  // namespace

UnetConfig readUnetConfig(const std::string& path) {
  Settings settings = readSettings(path);
  UnetConfig config;
  settings.expect("_class_name", {"UNet2DConditionModel"});
  expectNotNull(settings, {"norm_num_groups", "mid_block_type"});
  config.blockOutChannels = channelsOf(settings);
  const size_t levels = config.blockOutChannels.size();
  config.inChannels = positive(settings, "in_channels", config.inChannels);
  config.outChannels = positive(settings, "out_channels", config.outChannels);
  config.layersPerBlock = positive(settings, "layers_per_block", config.layersPerBlock);
  config.crossAttentionDim = positive(settings, "cross_attention_dim", config.crossAttentionDim);
  config.groups = positive(settings, "norm_num_groups", config.groups);
  config.normEps = settings.number("norm_eps", config.normEps);
  if (config.normEps < 0) settings.reject("norm_eps", "a number from 0 up");
  config.freqShift = settings.number("freq_shift", config.freqShift);
  config.flipSinToCos = settings.flag("flip_sin_to_cos", config.flipSinToCos);
  config.linearProjection = settings.flag("use_linear_projection", config.linearProjection);
  const bool saysHeads = settings.has("num_attention_heads");
  config.heads = perLevel(settings, saysHeads ? "num_attention_heads" : "attention_head_dim", 8, levels);
  config.depths = perLevel(settings, "transformer_layers_per_block", 1, levels);
  config.downHasAttention = attentionFlags(settings, "down_block_types", "CrossAttnDownBlock2D", "DownBlock2D", levels);
  config.upHasAttention = attentionFlags(settings, "up_block_types", "CrossAttnUpBlock2D", "UpBlock2D", levels);
  checkGroups(settings, config.blockOutChannels, config.groups);
  for (size_t i = 0; i < levels; ++i) {
    if (config.blockOutChannels[i] % config.heads[i] != 0) {
      settings.reject("attention_head_dim", "a divisor of every block's channels");
    }
  }
  settings.expect("act_fn", {"silu", "swish"});
  settings.expect("attention_type", {"default"});
  settings.expect("conv_in_kernel", {3});
  settings.expect("conv_out_kernel", {3});
  settings.expect("downsample_padding", {1});
  settings.expect("mid_block_scale_factor", {1});
  settings.expect("mid_block_type", {"UNetMidBlock2DCrossAttn"});
  settings.expect("resnet_out_scale_factor", {1});
  settings.expect("resnet_time_scale_shift", {"default"});
  settings.expect("time_embedding_type", {"positional"});
  for (const char* key : {"only_cross_attention", "mid_block_only_cross_attention"}) expectFalse(settings, key);
  settings.expectOff({"addition_embed_type", "center_input_sample", "class_embed_type", "class_embeddings_concat",
                      "cross_attention_norm", "dual_cross_attention", "encoder_hid_dim", "encoder_hid_dim_type",
                      "num_class_embeds", "resnet_skip_time_act", "reverse_transformer_layers_per_block",
                      "time_cond_proj_dim", "time_embedding_act_fn", "time_embedding_dim", "timestep_post_act"});
  // The embeddings with these sizes are rejected above. Dropout only affects training. Attention accumulates in float32
  // anyway.
  settings.harmless({"addition_embed_type_num_heads", "addition_time_embed_dim", "dropout",
                     "projection_class_embeddings_input_dim", "sample_size", "upcast_attention"});
  // diffusers' EMAModel used these settings to average the weights; they do not affect inference.
  settings.harmless(
      {"decay", "inv_gamma", "min_decay", "optimization_step", "power", "update_after_step", "use_ema_warmup"});
  settings.finish();
  return config;
}

VaeConfig readVaeConfig(const std::string& path) {
  Settings settings = readSettings(path);
  VaeConfig config;
  settings.expect("_class_name", {"AutoencoderKL"});
  expectNotNull(settings, {"norm_num_groups"});
  config.blockOutChannels = channelsOf(settings);
  const size_t levels = config.blockOutChannels.size();
  config.inChannels = positive(settings, "in_channels", config.inChannels);
  config.outChannels = positive(settings, "out_channels", config.outChannels);
  config.latentChannels = positive(settings, "latent_channels", config.latentChannels);
  config.layersPerBlock = positive(settings, "layers_per_block", config.layersPerBlock);
  config.groups = positive(settings, "norm_num_groups", config.groups);
  config.scalingFactor = settings.number("scaling_factor", config.scalingFactor);
  if (config.scalingFactor <= 0) settings.reject("scaling_factor", "a number above 0");
  checkGroups(settings, config.blockOutChannels, config.groups);
  expectBlocks(settings, "down_block_types", "DownEncoderBlock2D", levels);
  expectBlocks(settings, "up_block_types", "UpDecoderBlock2D", levels);
  settings.expect("act_fn", {"silu", "swish"});
  for (const char* key : {"use_quant_conv", "use_post_quant_conv", "mid_block_add_attention"}) {
    settings.expect(key, {true});
  }
  settings.expectOff({"latents_mean", "latents_std", "shift_factor"});
  settings.harmless({"force_upcast", "sample_size"});  // The VAE always computes in float32.
  settings.finish();
  return config;
}

TextConfig readTextConfig(const std::string& path) {
  Settings settings = readSettings(path);
  TextConfig config;
  settings.expect("architectures", {Json::array({"CLIPTextModel"}), Json::array({"CLIPTextModelWithProjection"})});
  settings.expect("model_type", {"clip_text_model"});
  config.vocabSize = positive(settings, "vocab_size", config.vocabSize);
  config.hiddenSize = positive(settings, "hidden_size", config.hiddenSize);
  config.intermediateSize = positive(settings, "intermediate_size", config.intermediateSize);
  config.numLayers = positive(settings, "num_hidden_layers", config.numLayers);
  config.heads = positive(settings, "num_attention_heads", config.heads);
  config.maxLength = positive(settings, "max_position_embeddings", config.maxLength);
  config.layerNormEps = settings.number("layer_norm_eps", config.layerNormEps);
  if (config.layerNormEps < 0) settings.reject("layer_norm_eps", "a number from 0 up");
  const auto activation = settings.text("hidden_act", "quick_gelu");
  if (activation != "quick_gelu" && activation != "gelu") settings.reject("hidden_act", "quick_gelu or gelu");
  config.quickGelu = activation == "quick_gelu";
  if (config.hiddenSize % config.heads != 0) settings.reject("num_attention_heads", "a divisor of hidden_size");
  settings.expectOff({"add_cross_attention", "is_decoder", "is_encoder_decoder", "pruned_heads", "torchscript",
                      "quantization_config", "use_bfloat16"});
  // No UNet here uses the pooled state or the projection. The other settings concern training and how the weights were
  // stored.
  settings.harmless({"attention_dropout", "bos_token_id", "dropout", "dtype", "eos_token_id", "gradient_checkpointing",
                     "initializer_factor", "initializer_range", "pad_token_id", "projection_dim", "torch_dtype",
                     "transformers_version"});
  // transformers writes these into the config of every model. Most of them concern text generation.
  settings.harmless({"bad_words_ids",
                     "begin_suppress_tokens",
                     "chunk_size_feed_forward",
                     "cross_attention_hidden_size",
                     "decoder_start_token_id",
                     "diversity_penalty",
                     "do_sample",
                     "early_stopping",
                     "encoder_no_repeat_ngram_size",
                     "exponential_decay_length_penalty",
                     "finetuning_task",
                     "forced_bos_token_id",
                     "forced_eos_token_id",
                     "id2label",
                     "label2id",
                     "length_penalty",
                     "max_length",
                     "min_length",
                     "no_repeat_ngram_size",
                     "num_beam_groups",
                     "num_beams",
                     "num_return_sequences",
                     "output_attentions",
                     "output_hidden_states",
                     "output_scores",
                     "prefix",
                     "problem_type",
                     "remove_invalid_values",
                     "repetition_penalty",
                     "return_dict",
                     "return_dict_in_generate",
                     "sep_token_id",
                     "suppress_tokens",
                     "task_specific_params",
                     "temperature",
                     "tf_legacy_loss",
                     "tie_encoder_decoder",
                     "tie_word_embeddings",
                     "tokenizer_class",
                     "top_k",
                     "top_p",
                     "typical_p",
                     "use_cache"});
  settings.finish();
  return config;
}

Json toJson(const UnetConfig& config) {
  std::vector<std::string> down, up;
  for (const bool has : config.downHasAttention) down.push_back(has ? "CrossAttnDownBlock2D" : "DownBlock2D");
  for (const bool has : config.upHasAttention) up.push_back(has ? "CrossAttnUpBlock2D" : "UpBlock2D");
  return {{"_class_name", "UNet2DConditionModel"},
          {"act_fn", "silu"},
          {"attention_head_dim", config.heads},
          {"block_out_channels", config.blockOutChannels},
          {"cross_attention_dim", config.crossAttentionDim},
          {"down_block_types", down},
          {"flip_sin_to_cos", config.flipSinToCos},
          {"freq_shift", config.freqShift},
          {"in_channels", config.inChannels},
          {"layers_per_block", config.layersPerBlock},
          {"norm_eps", config.normEps},
          {"norm_num_groups", config.groups},
          {"out_channels", config.outChannels},
          {"transformer_layers_per_block", config.depths},
          {"up_block_types", up},
          {"use_linear_projection", config.linearProjection}};
}

Json toJson(const VaeConfig& config) {
  const size_t levels = config.blockOutChannels.size();
  return {{"_class_name", "AutoencoderKL"},
          {"act_fn", "silu"},
          {"block_out_channels", config.blockOutChannels},
          {"down_block_types", std::vector<std::string>(levels, "DownEncoderBlock2D")},
          {"in_channels", config.inChannels},
          {"latent_channels", config.latentChannels},
          {"layers_per_block", config.layersPerBlock},
          {"norm_num_groups", config.groups},
          {"out_channels", config.outChannels},
          {"scaling_factor", config.scalingFactor},
          {"up_block_types", std::vector<std::string>(levels, "UpDecoderBlock2D")}};
}

Json toJson(const TextConfig& config) {
  return {{"architectures", {"CLIPTextModel"}},    {"hidden_act", config.quickGelu ? "quick_gelu" : "gelu"},
          {"hidden_size", config.hiddenSize},      {"intermediate_size", config.intermediateSize},
          {"layer_norm_eps", config.layerNormEps}, {"max_position_embeddings", config.maxLength},
          {"model_type", "clip_text_model"},       {"num_attention_heads", config.heads},
          {"num_hidden_layers", config.numLayers}, {"vocab_size", config.vocabSize}};
}

}  // namespace dan::model
