#include "model/vae.h"

#include "nn/attention.h"

namespace dan::model {

namespace {

constexpr double kVaeNormEps = 1e-6;

}  // namespace

VaeMidBlock::VaeMidBlock(const nn::Weights& weights, int64_t channels, int64_t groups)
    : first_(weights.scope("resnets.0"), channels, channels, 0, groups, kVaeNormEps),
      second_(weights.scope("resnets.1"), channels, channels, 0, groups, kVaeNormEps),
      norm_(weights.scope("attentions.0.group_norm"), channels, groups, kVaeNormEps),
      toQ_(weights.scope("attentions.0.to_q"), channels, channels),
      toK_(weights.scope("attentions.0.to_k"), channels, channels),
      toV_(weights.scope("attentions.0.to_v"), channels, channels),
      toOut_(weights.scope("attentions.0.to_out.0"), channels, channels) {}

at::Tensor VaeMidBlock::operator()(const at::Tensor& x) const {
  const at::Tensor h = first_(x);
  const at::Tensor tokens = norm_(h).permute({0, 2, 3, 1}).flatten(1, 2);
  const at::Tensor attended = toOut_(nn::multiHeadAttention(toQ_(tokens), toK_(tokens), toV_(tokens), 1));
  return second_(h + attended.unflatten(1, {h.size(2), h.size(3)}).permute({0, 3, 1, 2}));
}

Vae::Vae(const nn::Weights& weights, const VaeConfig& config)
    : config_(config),
      options_(at::TensorOptions().dtype(weights.dtype()).device(weights.device())),
      encoderIn_(weights.scope("encoder.conv_in"), config.inChannels, config.blockOutChannels.front(), 3, 1, 1),
      encoderOut_(weights.scope("encoder.conv_out"), config.blockOutChannels.back(), 2 * config.latentChannels, 3, 1,
                  1),
      decoderIn_(weights.scope("decoder.conv_in"), config.latentChannels, config.blockOutChannels.back(), 3, 1, 1),
      decoderOut_(weights.scope("decoder.conv_out"), config.blockOutChannels.front(), config.outChannels, 3, 1, 1),
      quantize_(weights.scope("quant_conv"), 2 * config.latentChannels, 2 * config.latentChannels, 1),
      dequantize_(weights.scope("post_quant_conv"), config.latentChannels, config.latentChannels, 1),
      encoderMid_(weights.scope("encoder.mid_block"), config.blockOutChannels.back(), config.groups),
      decoderMid_(weights.scope("decoder.mid_block"), config.blockOutChannels.back(), config.groups),
      encoderNorm_(weights.scope("encoder.conv_norm_out"), config.blockOutChannels.back(), config.groups, kVaeNormEps),
      decoderNorm_(weights.scope("decoder.conv_norm_out"), config.blockOutChannels.front(), config.groups,
                   kVaeNormEps) {
  const auto& channels = config.blockOutChannels;
  const size_t levels = channels.size();
  for (size_t i = 0; i < levels; ++i) {
    const nn::Weights block = weights.scope(nn::indexed("encoder.down_blocks", i));
    Level level;
    for (int64_t j = 0; j < config.layersPerBlock; ++j) {
      const int64_t in = j == 0 && i > 0 ? channels[i - 1] : channels[i];
      level.resnets.emplace_back(block.scope(nn::indexed("resnets", j)), in, channels[i], 0, config.groups,
                                 kVaeNormEps);
    }
    if (i + 1 < levels) level.downsample.emplace(block.scope("downsamplers.0.conv"), channels[i], channels[i], 3, 2);
    down_.push_back(std::move(level));
  }
  for (size_t i = 0; i < levels; ++i) {
    const nn::Weights block = weights.scope(nn::indexed("decoder.up_blocks", i));
    const int64_t out = channels[levels - 1 - i];
    Level level;
    for (int64_t j = 0; j <= config.layersPerBlock; ++j) {
      const int64_t in = j == 0 && i > 0 ? channels[levels - i] : out;
      level.resnets.emplace_back(block.scope(nn::indexed("resnets", j)), in, out, 0, config.groups, kVaeNormEps);
    }
    if (i + 1 < levels) level.upsample.emplace(block.scope("upsamplers.0"), out);
    up_.push_back(std::move(level));
  }
}

LatentDistribution Vae::encode(const at::Tensor& pixelValues) const {
  at::Tensor h = encoderIn_(pixelValues.to(options_).contiguous(at::MemoryFormat::ChannelsLast));
  for (const Level& level : down_) {
    for (const auto& resnet : level.resnets) h = resnet(h);
    // Padding goes only to the right and the bottom, because the published encoder was trained that way.
    if (level.downsample) h = (*level.downsample)(at::constant_pad_nd(h, {0, 1, 0, 1}));
  }
  h = encoderOut_(encoderNorm_.thenSilu(encoderMid_(h)));
  const auto moments = quantize_(h).chunk(2, 1);
  return {moments[0].contiguous(), at::clamp(moments[1], -30.0, 20.0).contiguous()};
}

at::Tensor Vae::decode(const at::Tensor& latents) const {
  at::Tensor h = latents.to(options_).contiguous(at::MemoryFormat::ChannelsLast);
  h = decoderMid_(decoderIn_(dequantize_(h)));
  for (const Level& level : up_) {
    for (const auto& resnet : level.resnets) h = resnet(h);
    if (level.upsample) h = (*level.upsample)(h, 2 * h.size(2), 2 * h.size(3));
  }
  return decoderOut_(decoderNorm_.thenSilu(h)).contiguous();
}

TensorMap withCurrentVaeNames(TensorMap tensors) {
  static const std::pair<const char*, const char*> kRenames[] = {
      {".query.", ".to_q."}, {".key.", ".to_k."}, {".value.", ".to_v."}, {".proj_attn.", ".to_out.0."}};
  TensorMap renamed;
  for (auto& [name, tensor] : tensors) {
    std::string current = name;
    const bool isAttention = name.find(".attentions.0.") != std::string::npos;
    if (isAttention) {
      for (const auto& [old, now] : kRenames) {
        const size_t at = current.find(old);
        if (at != std::string::npos) current.replace(at, std::char_traits<char>::length(old), now);
      }
    }
    const bool isKernel = isAttention && tensor.dim() == 4;
    renamed[current] = isKernel ? tensor.flatten(1) : tensor;
  }
  return renamed;
}

}  // namespace dan::model
