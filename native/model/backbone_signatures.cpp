#include "model/backbone_signatures.h"

#include <vector>

namespace dan::model {

namespace {

// The weights must hold `name` with this shape. An empty shape accepts every shape.
struct Mark {
  const char* name;
  std::vector<int64_t> shape;
};

struct Signature {
  const char* architecture;
  std::vector<Mark> marks;
};

// The first signature that fits counts, so deeper networks come before those that they contain.
const std::vector<Signature>& signatures() {
  static const std::vector<Signature> all = {
      {"ResNet-152", {{"layer3.35.conv3.weight", {}}}},
      {"wide ResNet-101-2", {{"layer3.22.conv3.weight", {}}, {"layer1.0.conv2.weight", {128, 128, 3, 3}}}},
      {"ResNet-101", {{"layer3.22.conv3.weight", {}}, {"layer1.0.conv2.weight", {64, 64, 3, 3}}}},
      {"ResNeXt-50", {{"layer3.5.conv3.weight", {}}, {"layer1.0.conv2.weight", {128, 4, 3, 3}}}},
      {"wide-resnet50-2", {{"layer3.5.conv3.weight", {}}, {"layer1.0.conv2.weight", {128, 128, 3, 3}}}},
      {"resnet50", {{"layer3.5.conv3.weight", {}}, {"layer1.0.conv2.weight", {64, 64, 3, 3}}}},
      {"ResNet-34", {{"layer3.5.conv2.weight", {256, 256, 3, 3}}}},
      {"resnet18", {{"layer3.1.conv2.weight", {256, 256, 3, 3}}}},
      {"mobilenet-v2", {{"features.1.conv.0.0.weight", {32, 1, 3, 3}}, {"features.17.conv.2.weight", {}}}},
      {"MobileNetV3", {{"features.0.0.weight", {16, 3, 3, 3}}, {"features.1.block.0.0.weight", {}}}},
      {"EfficientNet with squeeze-and-excitation", {{"features.1.0.block.1.fc1.weight", {}}}},
      {"EfficientNet with squeeze-and-excitation", {{"blocks.0.0.se.conv_reduce.weight", {}}}},
      {"EfficientNet with squeeze-and-excitation", {{"_blocks.0._se_reduce.weight", {}}}},
      {"mobilenet-v2",
       {{"conv_stem.weight", {32, 3, 3, 3}},
        {"blocks.2.0.conv_dw.weight", {144, 1, 3, 3}},
        {"blocks.3.3.conv_dw.weight", {}}}},
      {"efficientnet-lite0",
       {{"conv_stem.weight", {32, 3, 3, 3}},
        {"blocks.2.0.conv_dw.weight", {144, 1, 5, 5}},
        {"blocks.6.0.conv_pwl.weight", {320, 1152, 1, 1}}}},
      {"efficientnet-lite0",
       {{"_conv_stem.weight", {32, 3, 3, 3}}, {"_blocks.15._project_conv.weight", {320, 1152, 1, 1}}}},
      {"DINOv2 with registers", {{"patch_embed.proj.weight", {}}, {"reg_token", {}}}},
      {"DINOv2 with registers", {{"patch_embed.proj.weight", {}}, {"register_tokens", {}}}},
      {"dinov2-vit-s14", {{"patch_embed.proj.weight", {384, 3, 14, 14}}, {"blocks.0.ls1.gamma", {}}}},
      {"DINOv2 ViT-B/14", {{"patch_embed.proj.weight", {768, 3, 14, 14}}}},
      {"DINOv2 ViT-L/14", {{"patch_embed.proj.weight", {1024, 3, 14, 14}}}},
      {"vision transformer with patches of 16 pixels", {{"patch_embed.proj.weight", {384, 3, 16, 16}}}},
      {"vision transformer with patches of 16 pixels", {{"patch_embed.proj.weight", {768, 3, 16, 16}}}},
      {"VGG-16", {{"features.28.weight", {512, 512, 3, 3}}}},
      {"Inception v3", {{"Mixed_5b.branch1x1.conv.weight", {}}}},
      {"U2-Net", {{"stage1.rebnconvin.conv_s1.weight", {}}}},
  };
  return all;
}

bool has(const TensorMap& tensors, const Mark& mark) {
  const auto found = tensors.find(mark.name);
  return found != tensors.end() && (mark.shape.empty() || found->second.sizes() == at::IntArrayRef(mark.shape));
}

}  // namespace

std::string recognizeBackbone(const TensorMap& tensors) {
  for (const Signature& signature : signatures()) {
    bool fits = true;
    for (const Mark& mark : signature.marks) fits = fits && has(tensors, mark);
    if (fits) return signature.architecture;
  }
  return "";
}

}  // namespace dan::model
