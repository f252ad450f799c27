#include "model/original_names.h"

#include <algorithm>

#include "model/text_encoder.h"
#include "model/vae.h"

namespace dan::model {

namespace {

using Words = std::vector<std::string>;

constexpr const char* kClipPrefix = "cond_stage_model.transformer.";
// OpenCLIP ViT-H has 24 layers; Stable Diffusion 2 takes the features before the last.
constexpr int64_t kOpenClipLayersUsed = 23;

Words split(const std::string& name) {
  Words words;
  for (size_t begin = 0; begin <= name.size();) {
    const size_t end = std::min(name.find('.', begin), name.size());
    words.push_back(name.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

std::string join(const Words& words, size_t from) {
  std::string text;
  for (size_t i = from; i < words.size(); ++i) text += (i == from ? "" : ".") + words[i];
  return text;
}

bool isNumber(const std::string& word) {
  return !word.empty() && word.size() < 6 &&
         std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string replaced(std::string text, std::initializer_list<std::pair<const char*, const char*>> renames) {
  for (const auto& [from, to] : renames) {
    const std::string_view old(from);
    if (text.compare(0, old.size(), old) == 0) return to + text.substr(old.size());
  }
  return text;
}

std::string resnetName(const std::string& rest) {
  return replaced(rest, {{"in_layers.0.", "norm1."},
                         {"in_layers.2.", "conv1."},
                         {"emb_layers.1.", "time_emb_proj."},
                         {"out_layers.0.", "norm2."},
                         {"out_layers.3.", "conv2."},
                         {"skip_connection.", "conv_shortcut."}});
}

// Returns the number of residual blocks per level. The original code numbers all blocks in one sequence, with a
// downsampler after each level.
int64_t layersPerLevel(const TensorMap& unet) {
  int64_t blocks = 0;
  while (unet.count("input_blocks." + std::to_string(blocks + 1) + ".0.in_layers.0.weight") > 0) ++blocks;
  return std::max<int64_t>(blocks, 1);
}

std::string unetName(const std::string& name, int64_t layers) {
  const Words words = split(name);
  const bool isBlock = words.size() > 3 && isNumber(words[1]);
  const int64_t index = isBlock ? std::stoll(words[1]) : 0;
  if (isBlock && words[0] == "input_blocks" && index > 0) {
    const std::string block = "down_blocks." + std::to_string((index - 1) / (layers + 1)) + ".";
    const std::string layer = std::to_string((index - 1) % (layers + 1)) + ".";
    if (words[2] == "1") return block + "attentions." + layer + join(words, 3);
    if (words[3] == "op") return block + "downsamplers.0.conv." + join(words, 4);
    return block + "resnets." + layer + resnetName(join(words, 3));
  }
  if (isBlock && words[0] == "output_blocks") {
    const std::string block = "up_blocks." + std::to_string(index / (layers + 1)) + ".";
    const std::string layer = std::to_string(index % (layers + 1)) + ".";
    if (words[3] == "conv") return block + "upsamplers.0.conv." + join(words, 4);
    if (words[2] == "1") return block + "attentions." + layer + join(words, 3);
    return block + "resnets." + layer + resnetName(join(words, 3));
  }
  if (words[0] == "middle_block" && words.size() > 2) {
    if (words[1] == "1") return "mid_block.attentions.0." + join(words, 2);
    return std::string("mid_block.resnets.") + (words[1] == "0" ? "0." : "1.") + resnetName(join(words, 2));
  }
  return replaced(name, {{"time_embed.0.", "time_embedding.linear_1."},
                         {"time_embed.2.", "time_embedding.linear_2."},
                         {"input_blocks.0.0.", "conv_in."},
                         {"out.0.", "conv_norm_out."},
                         {"out.2.", "conv_out."}});
}

std::string vaeResnetName(const Words& words, size_t from) {
  return replaced(join(words, from), {{"nin_shortcut.", "conv_shortcut."}});
}

std::string vaeName(const std::string& name, int64_t levels) {
  const Words words = split(name);
  if (words.size() < 3 || (words[0] != "encoder" && words[0] != "decoder")) return name;
  const std::string side = words[0] + ".";
  if (words[1] == "mid" && words.size() > 3) {
    if (words[2] == "attn_1") {
      return side + "mid_block.attentions.0." +
             replaced(join(words, 3), {{"norm.", "group_norm."},
                                       {"q.", "to_q."},
                                       {"k.", "to_k."},
                                       {"v.", "to_v."},
                                       {"proj_out.", "to_out.0."}});
    }
    return side + "mid_block.resnets." + (words[2] == "block_1" ? "0." : "1.") + vaeResnetName(words, 3);
  }
  if ((words[1] == "down" || words[1] == "up") && words.size() > 4 && isNumber(words[2])) {
    const bool isDown = words[1] == "down";
    const int64_t level = std::stoll(words[2]);
    const std::string block =
        side + (isDown ? "down_blocks." : "up_blocks.") + std::to_string(isDown ? level : levels - 1 - level) + ".";
    if (words[3] == "block") return block + "resnets." + words[4] + "." + vaeResnetName(words, 5);
    return block + (isDown ? "downsamplers.0." : "upsamplers.0.") + join(words, 4);
  }
  return side + replaced(join(words, 1), {{"norm_out.", "conv_norm_out."}});
}

std::string openClipLayerName(const std::string& rest) {
  return replaced(rest, {{"ln_1.", "layer_norm1."},
                         {"ln_2.", "layer_norm2."},
                         {"mlp.c_fc.", "mlp.fc1."},
                         {"mlp.c_proj.", "mlp.fc2."},
                         {"attn.out_proj.", "self_attn.out_proj."}});
}

TensorMap textFromOpenClip(const TensorMap& file) {
  TensorMap text;
  for (const auto& [name, tensor] : file) {
    const Words words = split(name);
    if (words[0] != "transformer") {
      const std::string renamed =
          replaced(name, {{"token_embedding.", "text_model.embeddings.token_embedding."},
                          {"positional_embedding", "text_model.embeddings.position_embedding.weight"},
                          {"ln_final.", "text_model.final_layer_norm."}});
      if (renamed != name) text[renamed] = tensor;  // The other tensors (projection, logit scale) serve images.
      continue;
    }
    if (words.size() < 5 || !isNumber(words[2]) || std::stoll(words[2]) >= kOpenClipLayersUsed) continue;
    const std::string layer = "text_model.encoder.layers." + words[2] + ".";
    if (words[3] == "attn" && words[4].rfind("in_proj_", 0) == 0) {
      const auto thirds = tensor.chunk(3, 0);
      const char* const projections[] = {"q", "k", "v"};
      for (size_t i = 0; i < thirds.size(); ++i) {
        text[layer + "self_attn." + projections[i] + "_proj." + words[4].substr(8)] = thirds[i];
      }
      continue;
    }
    text[layer + openClipLayerName(join(words, 3))] = tensor;
  }
  return text;
}

}  // namespace

TensorMap below(const TensorMap& file, const std::string& prefix) {
  TensorMap tensors;
  for (auto it = file.lower_bound(prefix); it != file.end() && it->first.rfind(prefix, 0) == 0; ++it) {
    tensors[it->first.substr(prefix.size())] = it->second;
  }
  return tensors;
}

TensorMap unetFromOriginal(const TensorMap& file) {
  const TensorMap unet = below(file, kOriginalUnet);
  const int64_t layers = layersPerLevel(unet);
  TensorMap renamed;
  for (const auto& [name, tensor] : unet) renamed[unetName(name, layers)] = tensor;
  return renamed;
}

TensorMap vaeFromOriginal(const TensorMap& file) {
  const TensorMap vae = below(file, kOriginalVae);
  int64_t levels = 0;
  while (vae.count("decoder.up." + std::to_string(levels) + ".block.0.conv1.weight") > 0) ++levels;
  TensorMap renamed;
  for (const auto& [name, tensor] : vae) renamed[vaeName(name, levels)] = tensor;
  return withCurrentVaeNames(std::move(renamed));
}

TensorMap textFromOriginal(const TensorMap& file) {
  const TensorMap openClip = below(file, kOriginalOpenClip);
  return openClip.empty() ? withCurrentTextNames(below(file, kClipPrefix)) : textFromOpenClip(openClip);
}

}  // namespace dan::model
