#include "model/config.h"

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "io/input_file.h"

namespace dan::model {

namespace {

using Json = nlohmann::json;

constexpr int kMaxNesting = 64;

// Reads keys with defaults, and says which file and key an unusable value stands in.
class ConfigReader {
 public:
  explicit ConfigReader(const std::string& path) : path_(path), json_(readJsonFile(path)) {
    if (!json_.is_object()) fail(kModelInvalid, path, ": expected a JSON object");
  }

  bool has(const char* key) const { return json_.contains(key) && !json_[key].is_null(); }

  template <class T>
  T get(const char* key, T fallback) const {
    if (!has(key)) return fallback;
    try {
      return json_[key].get<T>();
    } catch (const Json::exception&) {
      reject(key, "a value of another type");
    }
  }

  int64_t positive(const char* key, int64_t fallback) const {
    const auto value = get<int64_t>(key, fallback);
    if (value <= 0 || value > (int64_t{1} << 24)) reject(key, "a positive integer");
    return value;
  }

  // A list, or one number for every level.
  std::vector<int64_t> perLevel(const char* key, int64_t fallback, size_t levels) const {
    std::vector<int64_t> values(levels, fallback);
    if (has(key) && json_[key].is_array()) {
      values = get<std::vector<int64_t>>(key, {});
      if (values.size() != levels) reject(key, c10::str("a list of ", levels, " numbers"));
    } else {
      values.assign(levels, positive(key, fallback));
    }
    for (const int64_t value : values) {
      if (value <= 0 || value > (1 << 20)) reject(key, "positive integers");
    }
    return values;
  }

  std::vector<int64_t> channels() const {
    if (!has("block_out_channels")) reject("block_out_channels", "a list of channel counts");
    const size_t levels = json_["block_out_channels"].is_array() ? json_["block_out_channels"].size() : 0;
    if (levels < 1 || levels > 16) reject("block_out_channels", "a list of 1 to 16 channel counts");
    return perLevel("block_out_channels", 1, levels);
  }

  // One flag per block: whether its type is the one with cross-attention.
  std::vector<bool> attentionFlags(const char* key, const char* with, const char* without, size_t levels) const {
    const auto types = get<std::vector<std::string>>(key, {});
    if (types.size() != levels) reject(key, c10::str("a list of ", levels, " block types"));
    std::vector<bool> flags;
    for (const std::string& type : types) {
      if (type != with && type != without) reject(key, c10::str(with, " or ", without, " (no other block is built)"));
      flags.push_back(type == with);
    }
    return flags;
  }

  template <class T>
  void expect(const char* key, const T& value) const {
    if (has(key) && get<T>(key, value) != value) reject(key, c10::str(value, " (nothing else is implemented)"));
  }

  void expectAbsent(const char* key) const {
    if (has(key)) reject(key, "no value (this variant is not implemented)");
  }

  [[noreturn]] void reject(const char* key, const std::string& expected) const {
    fail(kModelInvalid, path_, ": expected ", expected, " for ", key, " but found ",
         json_.contains(key) ? json_[key].dump() : "nothing");
  }

 private:
  std::string path_;
  Json json_;
};

void checkGroups(const ConfigReader& reader, const std::vector<int64_t>& channels, int64_t groups) {
  for (const int64_t count : channels) {
    if (count % groups != 0) reader.reject("norm_num_groups", "a divisor of every block's channels");
  }
}

}  // namespace

Json readJsonFile(const std::string& path) { return parseJson(io::readTextFile(path), path); }

Json parseJson(const std::string& text, const std::string& source) {
  // The parser itself needs no stack for nesting, but what it makes does: nothing here is nested that deeply.
  const auto check = [&](int depth, Json::parse_event_t, Json&) {
    if (depth > kMaxNesting) fail(kModelInvalid, source, " is nested too deeply");
    return true;
  };
  try {
    return Json::parse(text, check);
  } catch (const Json::exception& error) {
    fail(kModelInvalid, source, " is not valid JSON: ", error.what());
  }
}

UnetConfig readUnetConfig(const std::string& path) {
  const ConfigReader reader(path);
  UnetConfig config;
  config.blockOutChannels = reader.channels();
  const size_t levels = config.blockOutChannels.size();
  config.inChannels = reader.positive("in_channels", config.inChannels);
  config.outChannels = reader.positive("out_channels", config.outChannels);
  config.layersPerBlock = reader.positive("layers_per_block", config.layersPerBlock);
  config.crossAttentionDim = reader.positive("cross_attention_dim", config.crossAttentionDim);
  config.groups = reader.positive("norm_num_groups", config.groups);
  config.normEps = reader.get("norm_eps", config.normEps);
  config.freqShift = reader.get("freq_shift", config.freqShift);
  config.flipSinToCos = reader.get("flip_sin_to_cos", config.flipSinToCos);
  config.linearProjection = reader.get("use_linear_projection", config.linearProjection);
  config.heads =
      reader.perLevel(reader.has("num_attention_heads") ? "num_attention_heads" : "attention_head_dim", 8, levels);
  config.depths = reader.perLevel("transformer_layers_per_block", 1, levels);
  config.downHasAttention = reader.attentionFlags("down_block_types", "CrossAttnDownBlock2D", "DownBlock2D", levels);
  config.upHasAttention = reader.attentionFlags("up_block_types", "CrossAttnUpBlock2D", "UpBlock2D", levels);
  checkGroups(reader, config.blockOutChannels, config.groups);
  for (size_t i = 0; i < levels; ++i) {
    if (config.blockOutChannels[i] % config.heads[i] != 0) {
      reader.reject("attention_head_dim", "a divisor of every block's channels");
    }
  }
  reader.expect<std::string>("act_fn", "silu");
  reader.expect<std::string>("time_embedding_type", "positional");
  reader.expect<std::string>("mid_block_type", "UNetMidBlock2DCrossAttn");
  reader.expect<std::string>("resnet_time_scale_shift", "default");
  reader.expect("only_cross_attention", false);
  reader.expect("center_input_sample", false);
  for (const char* key : {"class_embed_type", "addition_embed_type", "encoder_hid_dim", "num_class_embeds"}) {
    reader.expectAbsent(key);
  }
  return config;
}

VaeConfig readVaeConfig(const std::string& path) {
  const ConfigReader reader(path);
  VaeConfig config;
  config.blockOutChannels = reader.channels();
  config.inChannels = reader.positive("in_channels", config.inChannels);
  config.outChannels = reader.positive("out_channels", config.outChannels);
  config.latentChannels = reader.positive("latent_channels", config.latentChannels);
  config.layersPerBlock = reader.positive("layers_per_block", config.layersPerBlock);
  config.groups = reader.positive("norm_num_groups", config.groups);
  config.scalingFactor = reader.get("scaling_factor", config.scalingFactor);
  checkGroups(reader, config.blockOutChannels, config.groups);
  reader.expect<std::string>("act_fn", "silu");
  reader.expect("use_quant_conv", true);
  reader.expect("use_post_quant_conv", true);
  reader.expect("mid_block_add_attention", true);
  return config;
}

TextConfig readTextConfig(const std::string& path) {
  const ConfigReader reader(path);
  TextConfig config;
  config.vocabSize = reader.positive("vocab_size", config.vocabSize);
  config.hiddenSize = reader.positive("hidden_size", config.hiddenSize);
  config.intermediateSize = reader.positive("intermediate_size", config.intermediateSize);
  config.numLayers = reader.positive("num_hidden_layers", config.numLayers);
  config.heads = reader.positive("num_attention_heads", config.heads);
  config.maxLength = reader.positive("max_position_embeddings", config.maxLength);
  config.layerNormEps = reader.get("layer_norm_eps", config.layerNormEps);
  const auto activation = reader.get<std::string>("hidden_act", "quick_gelu");
  if (activation != "quick_gelu" && activation != "gelu") reader.reject("hidden_act", "quick_gelu or gelu");
  config.quickGelu = activation == "quick_gelu";
  if (config.hiddenSize % config.heads != 0) reader.reject("num_attention_heads", "a divisor of hidden_size");
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
