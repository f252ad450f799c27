#include "model/taesd.h"

#include <filesystem>

#include "core/error.h"
#include "io/weights_file.h"
#include "model/base_parts.h"
#include "model/json_file.h"

namespace dan::model {

namespace {

// Returns the decoder's layers as "<index>.<rest>" for both namings. The original's list begins with a clamp, so its
// numbers are one higher.
TensorMap decoderLayers(const TensorMap& file) {
  const std::string prefix = "decoder.layers.";
  TensorMap layers;
  for (const auto& [name, tensor] : file) {
    if (name.rfind(prefix, 0) == 0) layers[name.substr(prefix.size())] = tensor;
  }
  if (!layers.empty()) return layers;
  for (const auto& [name, tensor] : file) {
    const size_t dot = name.find('.');
    const bool isNumbered = dot != std::string::npos && dot > 0 && dot < 4 &&
                            name.find_first_not_of("0123456789") == dot && std::stoi(name) > 0;
    if (isNumbered) layers[std::to_string(std::stoi(name) - 1) + name.substr(dot)] = tensor;
  }
  return layers;
}

// Reads a convolution with `width` input channels, or with any number if that is 0. Sets `width` to its output
// channels.
nn::Conv2d readConv(const nn::Weights& weights, const std::string& name, int64_t& width, const std::string& source) {
  // take() invalidates the shape, so we copy it.
  const std::vector<int64_t> shape = weights.shapeOf(name + ".weight").vec();
  const bool fits = shape.size() == 4 && (width == 0 || shape[1] == width) && shape[2] == 3 && shape[3] == 3;
  if (!fits) {
    fail(kWeightsInvalid, source, " is not a TAESD decoder, whose kernels are 3 x 3 and follow each other: ", name,
         " has shape ", at::IntArrayRef(shape));
  }
  width = shape[0];
  nn::Conv2d conv;
  conv.weight = weights.take(name + ".weight", shape);
  if (weights.has(name + ".bias")) conv.bias = weights.take(name + ".bias", {shape[0]});
  conv.stride = conv.padding = conv.dilation = 1;
  return conv;
}

// Checks the config of an AutoencoderTiny. Its other sizes follow from the tensors.
void checkConfig(const std::string& path) {
  Settings settings = readSettings(path);
  settings.expect("_class_name", {"AutoencoderTiny"});
  settings.expect("act_fn", {"relu"});
  settings.expect("latent_magnitude", {3});
  settings.expect("latent_shift", {0.5});
  settings.expect("scaling_factor", {1});
  settings.expect("upsample_fn", {"nearest"});
  settings.expect("upsampling_scaling_factor", {2});
  settings.expectOff({"shift_factor"});
  settings.harmless({"block_out_channels", "decoder_block_out_channels", "encoder_block_out_channels", "force_upcast",
                     "in_channels", "latent_channels", "num_decoder_blocks", "num_encoder_blocks", "out_channels"});
  settings.finish();
}

}  // namespace

Taesd::Taesd(const std::string& path, const at::Device& device) {
  namespace fs = std::filesystem;
  const fs::path place(path), config = place / "config.json";
  if (fs::exists(config)) checkConfig(config.string());
  const PartWeights file = fs::is_directory(path) ? readPart(place.parent_path(), place.filename(),
                                                             {"diffusion_pytorch_model", "taesd_decoder"})
                                                  : PartWeights{io::readWeightsFile(path).tensors, path};
  const nn::Weights weights = nn::Weights::fromTensors(decoderLayers(file.tensors), file.source, at::kFloat, device);
  if (!weights.has("0.weight")) fail(kWeightsInvalid, file.source, " is not a TAESD decoder: it has no first layer");
  int64_t width = 0;
  const auto conv = [&](const std::string& name) { return readConv(weights, name, width, file.source); };
  input_ = conv("0");
  // Layer 1 is an activation. The next layers are blocks and convolutions. The upsampling before a convolution has no
  // weights.
  Stage stage;
  int64_t index = 2;
  for (int64_t gap = 0; gap < 2; ++index) {
    const std::string name = std::to_string(index);
    if (weights.has(name + ".conv.0.weight")) {
      const int64_t around = width;
      stage.blocks.push_back({conv(name + ".conv.0"), conv(name + ".conv.2"), conv(name + ".conv.4")});
      if (width != around) fail(kWeightsInvalid, file.source, ": ", name, " changes the number of channels");
      if (weights.has(name + ".skip.weight")) fail(kWeightsInvalid, file.source, ": ", name, ".skip is not built");
    } else if (weights.has(name + ".weight")) {
      stage.out = conv(name);
      upscale_ *= stage.doubles ? 2 : 1;
      stages_.push_back(std::move(stage));
      stage = {};
    } else {
      stage.doubles = true;
      ++gap;
      continue;
    }
    gap = 0;
  }
  const bool isWhole = !stages_.empty() && stage.blocks.empty() && stages_.back().out.weight.size(0) == 3 &&
                       stages_.back().out.bias.defined();
  if (!isWhole) fail(kWeightsInvalid, file.source, " is not a TAESD decoder: its last layer does not give an image");
  weights.expectAllTaken();
}

at::Tensor Taesd::decode(const at::Tensor& latents) const {
  const at::Tensor clamped = at::tanh(latents.to(input_.weight.options()) / 3) * 3;
  at::Tensor h = at::relu(input_(clamped.contiguous(at::MemoryFormat::ChannelsLast)));
  for (const Stage& stage : stages_) {
    for (const Block& block : stage.blocks) {
      h = at::relu(block.third(at::relu(block.second(at::relu(block.first(h))))) + h);
    }
    if (stage.doubles) h = at::upsample_nearest2d(h, {2 * h.size(2), 2 * h.size(3)});
    h = stage.out(h);
  }
  return (2 * h - 1).contiguous();
}

}  // namespace dan::model
