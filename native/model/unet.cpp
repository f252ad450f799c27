#include "model/unet.h"

#include "nn/gradient_checkpoint.h"
#include "nn/timestep_embedding.h"

namespace dan::model {

namespace {

at::Tensor checkpointed(const nn::ResnetBlock& block, const at::Tensor& x, const at::Tensor& temb) {
  return nn::checkpointed([&block](const std::vector<at::Tensor>& in) { return block(in[0], in[1]); }, {x, temb});
}

// This overload concatenates a skip connection to x.
at::Tensor checkpointed(const nn::ResnetBlock& block, const at::Tensor& x, const at::Tensor& skip,
                        const at::Tensor& temb) {
  return nn::checkpointed(
      [&block](const std::vector<at::Tensor>& in) {
        return block(at::cat({in[0], in[1]}, 1), in[2]);
      },
      {x, skip, temb});
}

}  // namespace

Unet::Unet(const nn::Weights& weights, const UnetConfig& config)
    : config_(config),
      dtype_(weights.dtype()),
      convIn_(weights.scope("conv_in"), config.inChannels, config.blockOutChannels.front(), 3, 1, 1),
      convOut_(weights.scope("conv_out"), config.blockOutChannels.front(), config.outChannels, 3, 1, 1),
      time1_(weights.scope("time_embedding.linear_1"), config.blockOutChannels.front(), timeWidth()),
      time2_(weights.scope("time_embedding.linear_2"), timeWidth(), timeWidth()),
      midFirst_(weights.scope("mid_block.resnets.0"), config.blockOutChannels.back(), config.blockOutChannels.back(),
                timeWidth(), config.groups, config.normEps),
      midSecond_(weights.scope("mid_block.resnets.1"), config.blockOutChannels.back(), config.blockOutChannels.back(),
                 timeWidth(), config.groups, config.normEps),
      midAttention_(weights.scope("mid_block.attentions.0"), "mid_block.attentions.0", config.blockOutChannels.back(),
                    config.crossAttentionDim, config.heads.back(), config.depths.back(), config.groups,
                    config.linearProjection),
      normOut_(weights.scope("conv_norm_out"), config.blockOutChannels.front(), config.groups, config.normEps) {
  buildDown(weights);
  buildUp(weights);
}

void Unet::buildDown(const nn::Weights& weights) {
  const auto& channels = config_.blockOutChannels;
  for (size_t i = 0; i < channels.size(); ++i) {
    const std::string name = nn::indexed("down_blocks", i);
    const nn::Weights block = weights.scope(name);
    Level level;
    for (int64_t j = 0; j < config_.layersPerBlock; ++j) {
      const int64_t in = j == 0 && i > 0 ? channels[i - 1] : channels[i];
      level.resnets.emplace_back(block.scope(nn::indexed("resnets", j)), in, channels[i], timeWidth(), config_.groups,
                                 config_.normEps);
      if (!config_.downHasAttention[i]) continue;
      const std::string attention = nn::indexed("attentions", j);
      level.attentions.emplace_back(block.scope(attention), name + "." + attention, channels[i],
                                    config_.crossAttentionDim, config_.heads[i], config_.depths[i], config_.groups,
                                    config_.linearProjection);
    }
    if (i + 1 < channels.size()) {
      level.downsample.emplace(block.scope("downsamplers.0.conv"), channels[i], channels[i], 3, 2, 1);
    }
    down_.push_back(std::move(level));
  }
}

void Unet::buildUp(const nn::Weights& weights) {
  const auto& channels = config_.blockOutChannels;
  const size_t levels = channels.size();
  for (size_t i = 0; i < levels; ++i) {
    const size_t mirror = levels - 1 - i;  // the down level of the same resolution
    const std::string name = nn::indexed("up_blocks", i);
    const nn::Weights block = weights.scope(name);
    const int64_t out = channels[mirror];
    Level level;
    for (int64_t j = 0; j <= config_.layersPerBlock; ++j) {
      const bool isLast = j == config_.layersPerBlock;
      const int64_t below = j == 0 && i > 0 ? channels[mirror + 1] : out;
      const int64_t skip = isLast && mirror > 0 ? channels[mirror - 1] : out;
      level.resnets.emplace_back(block.scope(nn::indexed("resnets", j)), below + skip, out, timeWidth(), config_.groups,
                                 config_.normEps);
      if (!config_.upHasAttention[i]) continue;
      const std::string attention = nn::indexed("attentions", j);
      level.attentions.emplace_back(block.scope(attention), name + "." + attention, out, config_.crossAttentionDim,
                                    config_.heads[mirror], config_.depths[mirror], config_.groups,
                                    config_.linearProjection);
    }
    if (i + 1 < levels) level.upsample.emplace(block.scope("upsamplers.0"), out);
    up_.push_back(std::move(level));
  }
}

at::Tensor Unet::forward(const at::Tensor& sample, const at::Tensor& timesteps, const at::Tensor& encoderHiddenStates,
                         const nn::AttentionFunction& attention, InnerFeatures* inner) const {
  at::Tensor context;
  if (encoderHiddenStates.defined()) context = encoderHiddenStates.to(device(), dtype());
  const at::Tensor features = nn::timestepEmbedding(timesteps.to(device()), config_.blockOutChannels.front(),
                                                    config_.flipSinToCos, config_.freqShift);
  const at::Tensor temb = at::silu(time2_(at::silu(time1_(features.to(dtype())))));

  at::Tensor h = convIn_(sample.to(device(), dtype()).contiguous(at::MemoryFormat::ChannelsLast));
  const bool reuses = inner != nullptr && inner->reuse && inner->kept.defined() && inner->kept.size(0) == h.size(0);
  std::vector<at::Tensor> downBlockResSamples = {h};
  for (const Level& level : down_) {
    if (reuses && &level != &down_.front()) break;
    for (size_t j = 0; j < level.resnets.size(); ++j) {
      h = checkpointed(level.resnets[j], h, temb);
      if (!level.attentions.empty()) h = level.attentions[j](h, context, attention);
      downBlockResSamples.push_back(h);
    }
    if (level.downsample && !reuses) downBlockResSamples.push_back(h = (*level.downsample)(h));
  }

  if (!reuses) {
    h = midAttention_(checkpointed(midFirst_, h, temb), context, attention);
    h = checkpointed(midSecond_, h, temb);
  }

  for (const Level& level : up_) {
    const bool isOutermost = &level == &up_.back();
    if (reuses && !isOutermost) continue;
    if (reuses) h = inner->kept;
    if (inner != nullptr && isOutermost) inner->kept = h;
    for (size_t j = 0; j < level.resnets.size(); ++j) {
      h = checkpointed(level.resnets[j], h, downBlockResSamples.back(), temb);
      downBlockResSamples.pop_back();
      if (!level.attentions.empty()) h = level.attentions[j](h, context, attention);
    }
    if (level.upsample) {
      // We resize to the next skip connection, because odd latents make it differ from twice the size.
      const at::Tensor& next = downBlockResSamples.back();
      h = (*level.upsample)(h, next.size(2), next.size(3));
    }
  }
  return convOut_(normOut_.thenSilu(h)).contiguous();
}

std::vector<const nn::AttentionLayer*> Unet::attentionLayers() const {
  std::vector<const nn::AttentionLayer*> layers;
  for (const auto* levels : {&down_, &up_}) {
    for (const Level& level : *levels) {
      for (const auto& transformer : level.attentions) transformer.collectLayers(layers);
    }
  }
  midAttention_.collectLayers(layers);
  return layers;
}

}  // namespace dan::model
