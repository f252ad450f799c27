// Generated images are compared by the features of any backbone.
#include "detect/quality.h"
#include "model/backbone.h"
#include "model/imagenet.h"
#include "tests/detector_checks.h"
#include "tests/test.h"

namespace dan::tests {

DAN_TEST(image_features_are_the_means_of_a_backbones_last_stage) {
  const Scratch scratch;
  const std::string path = scratch.at("resnet18.safetensors");
  writeRandomResNet18(path);
  const auto pool = noisePool(3, 224, /*defects=*/true, 5);
  const at::Tensor features = detect::imageFeaturesOf(pool->images, "resnet18", path, at::kCPU, Task());
  EXPECT(features.sizes() == at::IntArrayRef({3, 512}));
  const auto backbone = model::readBackbone("resnet18", path, at::kCPU);
  const at::Tensor image = augment::toPicture(pool->images[1]).unsqueeze(0);
  const at::Tensor expected = backbone->features(model::normalizeForImagenet(image)).back().mean({2, 3})[0];
  expectClose(features[1], expected, 1e-4 * expected.abs().max().item<double>(), 0, "features");
}

DAN_TEST(image_features_name_what_is_wrong_with_a_network) {
  const Scratch scratch;
  const std::string path = scratch.at("resnet18.safetensors");
  writeRandomResNet18(path);
  const auto images = noisePool(1, 64, /*defects=*/true, 5)->images;
  const auto features = [&](const std::string& network) {
    return detect::imageFeaturesOf(images, network, path, at::kCPU, Task());
  };
  EXPECT(features("resnet18").sizes() == at::IntArrayRef({1, 512}));
  expectError([&] { features("mobilenet-v2"); }, "they look like resnet18");
  expectError([&] { features("inception-v3"); }, "Conv2d_1a_3x3");
  expectError([&] { features("vgg16"); }, "but received vgg16");
}

}  // namespace dan::tests
