// The metadata of an adapter file must be complete, in range, and consistent with its tensors.
#include "dual/adapter_metadata.h"

#include <cmath>

#include "core/random.h"
#include "io/safetensors.h"
#include "model/base_model.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

const TensorMap& freshTensors(dual::BackgroundMode background) {
  static const auto base = model::loadBaseModel(fixture("tiny-sd"), at::kCPU, at::kFloat);
  static std::map<dual::BackgroundMode, TensorMap> tensors;
  if (tensors.count(background) == 0) {
    tensors[background] =
        dual::Adapter::initialTensors({3, background, 1.0}, *base->unet, base->textEncoder->config(), makeGenerator(5));
  }
  return tensors[background];
}

const io::Metadata kGood = {{"format", "dualanodiff-adapter"},
                            {"format_version", "1"},
                            {"rank", "3"},
                            {"lora_scale", "0.5"},
                            {"background", "off"},
                            {"part_fill", "black"},
                            {"type", "crack"},
                            {"branches", "joint"},
                            {"latent_levels", "[0,0,0,0,1,1,1,1]"}};

}  // namespace

DAN_TEST(an_adapters_settings_are_read_whole_or_refused_by_name) {
  const Scratch scratch;
  const std::string path = scratch.at("adapter.safetensors");
  const auto read = [&](const io::Metadata& metadata) {
    io::writeSafetensors(path, freshTensors(dual::BackgroundMode::kOff), metadata);
    return dual::readAdapterFile(path);
  };
  EXPECT(read(kGood).settings.loraScale == 0.5);
  const auto expectRefused = [&](const io::Metadata& metadata, const std::string& text) {
    expectError([&] { read(metadata); }, text);
    expectError([&] { read(metadata); }, "adapter.safetensors");
  };
  const std::pair<const char*, const char*> kDamaged[] = {{"format_version", "one"},
                                                          {"format_version", "0"},
                                                          {"format_version", "1.5"},
                                                          {"format_version", "2"},
                                                          {"example_types", "[]"},
                                                          {"rank", "4"},
                                                          {"rank", "3x"},
                                                          {"rank", ""},
                                                          {"lora_scale", "0"},
                                                          {"lora_scale", "nan"},
                                                          {"lora_scale", "-1"},
                                                          {"lora_scale", "1e9"},
                                                          {"base_fingerprint", "12 ab"},
                                                          {"base_fingerprint", "\n"},
                                                          {"lora_scale", " 1"},
                                                          {"background", "add"},
                                                          {"background", "on"},
                                                          {"part_fill", "Black"},
                                                          {"branches", "two"},
                                                          {"background_scaled", "yes"},
                                                          {"saim_rank", "4"},
                                                          {"latent_levels", "[0,0,0]"},
                                                          {"latent_levels", "[]"},
                                                          {"latent_levels", "[0,0,0,1e999]"},
                                                          {"latent_levels", "[0,0,0,0,1,1,1,-1]"},
                                                          {"latent_levels", "[0,0,0,\"0\"]"},
                                                          {"latent_levels", "0"}};
  for (const auto& [key, value] : kDamaged) {
    io::Metadata metadata = kGood;
    metadata[key] = value;
    expectRefused(metadata, std::string(key) == "format_version" && value[0] == '2' ? "saim_rank" : key);
  }
  for (const char* key : {"format_version", "rank", "lora_scale", "background"}) {
    io::Metadata metadata = kGood;
    metadata.erase(key);
    expectRefused(metadata, std::string("lacks ") + key);
  }
  io::Metadata newer = kGood;
  newer["format_version"] = "4";
  expectRefused(newer, "update the package");
  // Without the format key, the other keys are not read.
  io::Metadata nameless = kGood;
  nameless.erase("format");
  expectRefused(nameless, "lora_scale");
  nameless["format"] = "dualanodiff-adapter2";
  expectRefused(nameless, "format");
}

DAN_TEST(the_background_that_an_adapter_says_is_that_of_its_tensors) {
  const Scratch scratch;
  const std::string path = scratch.at("adapter.safetensors");
  io::Metadata metadata = kGood;
  io::writeSafetensors(path, freshTensors(dual::BackgroundMode::kAdd), metadata);
  expectError([&] { dual::readAdapterFile(path); }, "background");
  metadata["background"] = "interpolate";
  io::writeSafetensors(path, freshTensors(dual::BackgroundMode::kAdd), metadata);
  EXPECT(dual::readAdapterFile(path).settings.background == dual::BackgroundMode::kInterpolate);
  EXPECT(dual::latentMeansOf(metadata, 2, path).sizes() == at::IntArrayRef({2, 2, 2}));
  EXPECT(!dual::latentMeansOf({}, 2, path).defined());
  expectError([&] { dual::latentMeansOf(metadata, 4, path); }, "expected 16 numbers for latent_levels");
}

DAN_TEST(an_adapter_with_numbers_that_are_none_names_the_tensor) {
  const Scratch scratch;
  const std::string path = scratch.at("adapter.safetensors");
  for (const double value : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    TensorMap tensors = freshTensors(dual::BackgroundMode::kOff);
    auto& [name, tensor] = *std::next(tensors.begin(), 5);
    tensor = tensor.clone();
    tensor.flatten()[0].fill_(value);
    io::writeSafetensors(path, tensors, kGood);
    expectError([&] { dual::readAdapterFile(path); }, path + ": " + name);
  }
  TensorMap tensors = freshTensors(dual::BackgroundMode::kOff);
  auto& [name, tensor] = *std::next(tensors.begin(), 5);
  tensor = tensor.to(at::kChar);
  io::writeSafetensors(path, tensors, kGood);
  expectError([&] { dual::readAdapterFile(path); }, path + ": " + name + " holds signed char");
}

}  // namespace dan::tests
