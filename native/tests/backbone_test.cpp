// Backbones are read from files of several namings, and refuse what is not theirs.
#include "model/backbone.h"

#include <cmath>
#include <limits>
#include <map>

#include "core/random.h"
#include "io/safetensors.h"
#include "model/dinov2.h"
#include "model/imagenet.h"
#include "model/inverted_residual.h"
#include "model/resnet.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

// Gives norms other statistics than those of fresh weights, so that a norm that is left out changes the outputs.
void randomizeNorms(const TensorMap& weights, at::Generator generator) {
  for (const auto& [name, tensor] : weights) {
    if (tensor.dim() == 1) at::Tensor(tensor).uniform_(0.5, 1.5, generator);
  }
}

nn::Weights freshWeights() { return nn::Weights::random(makeGenerator(3)); }

TensorMap resnet18Tensors() {
  const nn::Weights weights = freshWeights();
  const model::ResNetClassifier net(weights, model::ResNetConfig::resnet18(), 10);
  randomizeNorms(weights.taken(), makeGenerator(4));
  return weights.taken();
}

template <class Make>
TensorMap weightsOf(Make make) {
  const nn::Weights weights = freshWeights();
  make(weights);
  randomizeNorms(weights.taken(), makeGenerator(4));
  return weights.taken();
}

TensorMap mobilenetTensors() {
  return weightsOf([](const nn::Weights& w) { model::InvertedResidualBackbone(w, model::mobilenetV2(w)); });
}

std::unique_ptr<model::Backbone> written(const Scratch& scratch, const std::string& name, const TensorMap& tensors) {
  const std::string path = scratch.at(name + ".safetensors");
  io::writeSafetensors(path, tensors);
  return model::readBackbone(name, path, at::kCPU);
}

at::Tensor images(int64_t height, int64_t width) { return randn({2, 3, height, width}, makeGenerator(5)); }

void expectStages(const std::vector<at::Tensor>& features, const std::vector<int64_t>& channels, int64_t height,
                  int64_t width) {
  EXPECT(features.size() == channels.size());
  int64_t stride = 4;
  for (size_t i = 0; i < features.size(); ++i, stride *= 2) {
    const int64_t rows = (height + stride - 1) / stride, columns = (width + stride - 1) / stride;
    EXPECT(features[i].sizes() == at::IntArrayRef({2, channels[i], rows, columns}));
    EXPECT(features[i].isfinite().all().item<bool>());
  }
}

}  // namespace

DAN_TEST(a_backbone_gives_the_stages_of_the_network_that_trains) {
  const Scratch scratch;
  const TensorMap tensors = resnet18Tensors();
  const nn::Weights weights = nn::Weights::fromTensors(tensors, "resnet18", at::kFloat);
  const model::ResNet plain(weights, model::ResNetConfig::resnet18());
  const auto backbone = written(scratch, "resnet18", tensors);
  const std::vector<at::Tensor> expected = plain.stages(images(64, 96)), actual = backbone->features(images(64, 96));
  EXPECT(actual.size() == 4);
  for (size_t i = 0; i < actual.size(); ++i) {
    expectClose(actual[i], expected[i], 1e-5 * expected[i].abs().max().item<double>(), 0, "a stage");
  }
  expectStages(actual, backbone->channels(), 64, 96);
}

DAN_TEST(the_first_stages_are_those_of_the_whole_network) {
  const Scratch scratch;
  const std::map<std::string, TensorMap> networks = {{"resnet18", resnet18Tensors()},
                                                     {"mobilenet-v2", mobilenetTensors()}};
  for (const auto& [name, tensors] : networks) {
    const auto backbone = written(scratch, name, tensors);
    const auto all = backbone->features(images(64, 64));
    for (size_t count = 1; count <= all.size(); ++count) {
      const auto first = backbone->firstStages(images(64, 64), count);
      EXPECT(first.size() == count);
      for (size_t i = 0; i < count; ++i) EXPECT(at::equal(first[i], all[i]));
    }
  }
}

DAN_TEST(the_tensors_of_a_backbone_make_it_again_below_another_name) {
  const Scratch scratch;
  const auto backbone = written(scratch, "mobilenet-v2", mobilenetTensors());
  TensorMap tensors = {{"other", at::ones({1})}};
  for (const auto& [name, tensor] : backbone->tensors()) tensors["backbone." + name] = tensor;
  const nn::Weights weights = nn::Weights::fromTensors(tensors, "a detector", at::kFloat);
  EXPECT(weights.take("other", {1}).defined());
  const auto again = model::makeBackbone("mobilenet-v2", weights.scope("backbone"));
  weights.expectAllTaken();
  EXPECT(again->tensors().size() == backbone->tensors().size());
  const auto expected = backbone->features(images(64, 64)), actual = again->features(images(64, 64));
  for (size_t i = 0; i < expected.size(); ++i) EXPECT(at::equal(actual[i], expected[i]));
}

DAN_TEST(a_folded_layer_is_its_convolution_and_its_norm) {
  const nn::Weights weights = freshWeights();
  nn::ConvNorm layer(weights.scope("conv"), weights.scope("bn"), 4, 6, 3, 2, /*groups=*/2, /*eps=*/1e-3);
  randomizeNorms(weights.taken(), makeGenerator(4));
  const at::Tensor x = randn({2, 4, 9, 7}, makeGenerator(6));
  const nn::BatchNorm2d& norm = layer.norm;
  const auto spread = [](const at::Tensor& values) { return values.view({1, -1, 1, 1}); };
  const at::Tensor convolved = at::conv2d(x, layer.kernel, {}, 2, 1, 1, 2);
  const at::Tensor expected =
      (convolved - spread(norm.runningMean)) / spread((norm.runningVar + 1e-3).sqrt()) * spread(norm.weight) +
      spread(norm.bias);
  expectClose(layer(x, false), expected, 1e-5, 1e-5, "before it is folded");
  layer.fold();
  expectClose(layer(x, false), expected, 1e-5, 1e-5, "once it is folded");
}

DAN_TEST(mobile_backbones_read_every_naming_and_give_four_strides) {
  const Scratch scratch;
  const auto published = written(scratch, "mobilenet-v2", mobilenetTensors());
  EXPECT(published->channels() == std::vector<int64_t>({24, 32, 96, 320}));
  for (const int64_t height : {64, 61})
    expectStages(published->features(images(height, 96)), published->channels(), height, 96);
  const TensorMap lite = weightsOf([](const nn::Weights& w) {
    // The first tensor tells the naming, so a weight of timm's name selects timm's.
    model::InvertedResidualBackbone(w, model::efficientnetLite0(w));
  });
  EXPECT(lite.count("conv_stem.weight") == 1);
  const auto timm = written(scratch, "efficientnet-lite0", lite);
  EXPECT(timm->channels() == std::vector<int64_t>({24, 40, 112, 320}));
  expectStages(timm->features(images(61, 96)), timm->channels(), 61, 96);
}

DAN_TEST(padding_as_in_tensorflow_adds_what_the_last_stride_needs) {
  model::InvertedResidualConfig config;
  config.stemChannels = 4;
  config.stages = {{3, 1, 1, 4, 1}, {3, 2, 1, 4, 1}};
  config.stem = {"stem", "norm"};
  config.names = [&](size_t stage, int64_t block, int64_t) {
    return model::timmBlockNames(config.stages[stage], stage, block);
  };
  config.padsAsTensorFlow = true;
  config.takesSignedPixels = true;
  const nn::Weights weights = freshWeights();
  const model::InvertedResidualBackbone backbone(weights, config);
  // Fresh norms only divide by the root of 1 + eps.
  const auto convolved = [&](const at::Tensor& x, const std::string& name, int64_t stride = 1) {
    const at::Tensor kernel = weights.taken().at(name + ".weight") / std::sqrt(1 + config.normEps);
    return at::conv2d(x, kernel, {}, stride, at::IntArrayRef({0, 0}), at::IntArrayRef({1, 1}), 4 / kernel.size(1));
  };
  const auto padded = [](const at::Tensor& x, int64_t left, int64_t right, int64_t top, int64_t bottom) {
    return at::constant_pad_nd(x, {left, right, top, bottom});
  };
  const auto relu6 = [](const at::Tensor& x) { return x.clamp(0, 6); };
  const at::Tensor pixels = at::rand({1, 3, 32, 33}, makeGenerator(8));
  // 32 rows need one more row below. 33 columns need one more column on either side.
  const at::Tensor stemKernel = weights.taken().at("stem.weight") / std::sqrt(1 + config.normEps);
  const at::Tensor stem = relu6(at::conv2d(padded(2 * pixels - 1, 1, 1, 0, 1), stemKernel, {}, 2));
  const at::Tensor filtered = relu6(convolved(padded(stem, 1, 1, 1, 1), "blocks.0.0.conv_dw"));
  const at::Tensor first = stem + convolved(filtered, "blocks.0.0.conv_pw");
  // The first block leaves 16 rows and 17 columns.
  const at::Tensor halved = relu6(convolved(padded(first, 1, 1, 0, 1), "blocks.1.0.conv_dw", 2));
  const at::Tensor expected = convolved(halved, "blocks.1.0.conv_pw");
  expectClose(backbone.features(model::normalizeForImagenet(pixels)).back(), expected, 1e-5, 1e-5, "the last stage");
}

DAN_TEST(dinov2_is_a_transformer_whose_positions_are_resized) {
  constexpr int64_t kWidth = 8, kHeads = 2, kDepth = 4, kGrid = 3;
  const at::Generator generator = makeGenerator(9);
  TensorMap tensors = {{"pos_embed", randn({1, 1 + kGrid * kGrid, kWidth}, generator)},
                       {"cls_token", randn({1, 1, kWidth}, generator)},
                       {"patch_embed.proj.weight", 0.05 * randn({kWidth, 3, 14, 14}, generator)},
                       {"patch_embed.proj.bias", randn({kWidth}, generator)}};
  const auto add = [&](const std::string& name, at::IntArrayRef shape) {
    tensors[name + ".weight"] = randn(shape, generator);
    tensors[name + ".bias"] = randn({shape[0]}, generator);
  };
  for (int64_t i = 0; i < kDepth; ++i) {
    const std::string block = "blocks." + std::to_string(i) + ".";
    add(block + "norm1", {kWidth});
    add(block + "norm2", {kWidth});
    add(block + "attn.qkv", {3 * kWidth, kWidth});
    add(block + "attn.proj", {kWidth, kWidth});
    add(block + "mlp.fc1", {4 * kWidth, kWidth});
    add(block + "mlp.fc2", {kWidth, 4 * kWidth});
    for (const char* scale : {"ls1.gamma", "ls2.gamma"}) tensors[block + scale] = 0.1 * randn({kWidth}, generator);
  }
  add("norm", {kWidth});
  const nn::Weights weights = nn::Weights::fromTensors(tensors, "dinov2", at::kFloat);
  const model::Dinov2Backbone backbone(weights, {kWidth, kDepth, kHeads, 14});
  weights.expectAllTaken();

  const auto linear = [&](const at::Tensor& x, const std::string& name) {
    return x.matmul(tensors.at(name + ".weight").t()) + tensors.at(name + ".bias");
  };
  const auto norm = [&](const at::Tensor& x, const std::string& name) {
    const at::Tensor centred = x - x.mean(-1, true);
    return centred / (centred.square().mean(-1, true) + 1e-6).sqrt() * tensors.at(name + ".weight") +
           tensors.at(name + ".bias");
  };
  const at::Tensor x = randn({1, 3, 3 * 14, 3 * 14}, makeGenerator(10));
  at::Tensor h = at::conv2d(x, tensors.at("patch_embed.proj.weight"), tensors.at("patch_embed.proj.bias"), 14);
  h = at::cat({tensors.at("cls_token")[0], h[0].flatten(1).t()}) + tensors.at("pos_embed")[0];  // (tokens, width)
  for (int64_t i = 0; i < kDepth; ++i) {
    const std::string block = "blocks." + std::to_string(i) + ".";
    const std::vector<at::Tensor> qkv = linear(norm(h, block + "norm1"), block + "attn.qkv").chunk(3, 1);
    std::vector<at::Tensor> heads;
    for (int64_t head = 0; head < kHeads; ++head) {
      const auto part = [&](const at::Tensor& all) { return all.chunk(kHeads, 1)[head]; };
      const at::Tensor logits = part(qkv[0]).matmul(part(qkv[1]).t()) / std::sqrt(double(kWidth) / kHeads);
      heads.push_back(at::softmax(logits, 1).matmul(part(qkv[2])));
    }
    h = h + tensors.at(block + "ls1.gamma") * linear(at::cat(heads, 1), block + "attn.proj");
    const at::Tensor up = linear(norm(h, block + "norm2"), block + "mlp.fc1");
    const at::Tensor gelu = 0.5 * up * (1 + at::erf(up / std::sqrt(2.0)));
    h = h + tensors.at(block + "ls2.gamma") * linear(gelu, block + "mlp.fc2");
    const at::Tensor expected = norm(h, "norm").slice(0, 1).t().reshape({1, kWidth, 3, 3});
    expectClose(backbone.features(x)[static_cast<size_t>(i)], expected, 1e-4, 1e-4, block);
  }
  const auto first = backbone.firstStages(x, 2);
  EXPECT(first.size() == 2 && at::equal(first[1], backbone.features(x)[1]));
  // 64 pixels are nearer to 5 patches than to 4, and 35 are as near to 3 as to 2.
  EXPECT(backbone.features(randn({2, 3, 64, 35}, makeGenerator(11)))[0].sizes() == at::IntArrayRef({2, kWidth, 5, 3}));
}

DAN_TEST(weights_of_another_architecture_say_what_they_look_like) {
  const Scratch scratch;
  const std::string path = scratch.at("weights.safetensors");
  io::writeSafetensors(path, resnet18Tensors());
  expectError([&] { model::readBackbone("mobilenet-v2", path, at::kCPU); },
              path + " does not hold weights of mobilenet-v2: they look like resnet18");
  expectError([&] { model::readBackbone("resnet-18", path, at::kCPU); },
              "Expected one of resnet18, resnet50, wide-resnet50-2, mobilenet-v2, efficientnet-lite0, dinov2-vit-s14");
  io::writeSafetensors(path, mobilenetTensors());
  expectError([&] { model::readBackbone("wide-resnet50-2", path, at::kCPU); }, "they look like mobilenet-v2");
}

DAN_TEST(damaged_backbones_name_file_and_tensor) {
  const Scratch scratch;
  TensorMap tensors = resnet18Tensors();
  tensors["layer2.0.conv1.weight"] = at::ones({128, 64, 1, 1});
  expectError([&] { written(scratch, "resnet18", tensors); },
              "for layer2.0.conv1.weight but the file has [128, 64, 1, 1]");
  tensors = resnet18Tensors();
  tensors.erase("layer4.1.bn2.running_var");
  expectError([&] { written(scratch, "resnet18", tensors); }, "lacks the tensor layer4.1.bn2.running_var");
  tensors = resnet18Tensors();
  tensors["layer1.0.bn1.bias"][3] = std::numeric_limits<double>::quiet_NaN();
  expectError([&] { written(scratch, "resnet18", tensors); }, "layer1.0.bn1.bias has values that are not finite");
  expectError([&] { written(scratch, "resnet18", tensors); }, scratch.at("resnet18.safetensors"));
  tensors = resnet18Tensors();
  tensors["layer4.2.conv1.weight"] = at::ones({512, 512, 3, 3});
  expectError([&] { written(scratch, "resnet18", tensors); }, "layer4.2.conv1.weight");
}

}  // namespace dan::tests
