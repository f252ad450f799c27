// Adapter files keep training windows as examples. A file may come from anybody, so damaged ones must be refused.
#include "dual/adapter_examples.h"

#include "core/random.h"
#include "dual/adapter_export.h"
#include "dual/adapter_file.h"
#include "io/weights_file.h"
#include "model/base_model.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

dual::AdapterFile adapterWithExamples() {
  static const auto base = model::loadBaseModel(fixture("tiny-sd"), at::kCPU, at::kFloat);
  const dual::AdapterSettings settings{3, dual::BackgroundMode::kOff, 1.0};
  dual::AdapterFile adapter;
  adapter.tensors = dual::Adapter::initialTensors(settings, *base->unet, base->textEncoder->config(), makeGenerator(5));
  adapter.settings = settings;
  adapter.metadata = dual::adapterMetadata(settings, {{"type", "crack"}});
  for (const int64_t region : {2, 10}) {
    const at::Tensor image = at::randint(256, {16, 16, 3}, makeGenerator(1), at::kByte);
    const at::Tensor mask = at::zeros({16, 16}, at::kByte);
    mask[region].fill_(255);
    adapter.examples.push_back({region, region / 10, image, mask});
  }
  return adapter;
}

void expectSameExamples(const dual::AdapterFile& actual, const dual::AdapterFile& expected) {
  EXPECT(actual.examples.size() == expected.examples.size());
  for (size_t i = 0; i < expected.examples.size(); ++i) {
    const dual::AdapterExample &a = actual.examples[i], &b = expected.examples[i];
    EXPECT(a.region == b.region && a.type == b.type && a.image.equal(b.image) && a.mask.equal(b.mask));
  }
}

}  // namespace

DAN_TEST(examples_come_back_from_an_adapter_file_and_stay_apart_from_its_weights) {
  const Scratch scratch;
  const std::string path = scratch.at("adapter.safetensors"), copy = scratch.at("copy.safetensors");
  const dual::AdapterFile written = adapterWithExamples();
  dual::writeAdapterFile(path, written);
  const io::SafetensorsFile raw = io::readSafetensors(path);
  EXPECT(raw.metadata.at("format_version") == "3" && raw.metadata.at("example_types") == "[0,1]");
  EXPECT(raw.tensors.at("examples.10.image").scalar_type() == at::kByte);
  const dual::AdapterFile read = dual::readAdapterFile(path);
  expectSameExamples(read, written);
  EXPECT(dual::describe(read) == dual::describe(written));
  EXPECT(read.tensors.size() == written.tensors.size() && read.metadata.count("example_types") == 0);
  for (const auto& [name, tensor] : written.tensors) EXPECT(read.tensors.at(name).equal(tensor));
  dual::writeAdapterFile(copy, read);
  expectSameExamples(dual::readAdapterFile(copy), written);
  // Without examples, the file has a version that older readers know.
  dual::AdapterFile without = read;
  without.examples.clear();
  dual::writeAdapterFile(copy, without);
  EXPECT(io::readSafetensors(copy).metadata.at("format_version") == "1");
  EXPECT(dual::readAdapterFile(copy).examples.empty());
}

DAN_TEST(conversion_keeps_examples_in_the_own_format_only) {
  const Scratch scratch;
  const std::string path = scratch.at("adapter.safetensors");
  const dual::AdapterFile adapter = adapterWithExamples();
  dual::ExportOptions options;
  options.dtype = at::kHalf;
  options.saimRank = 2;
  dual::exportAdapter(adapter, path, options);
  expectSameExamples(dual::readAdapterFile(path), adapter);
  EXPECT(io::readSafetensors(path).metadata.at("saim_rank") == "2");
  options.saimRank = 0;
  options.published = true;
  for (const char* name : {"published.safetensors", "published.bin"}) {
    dual::exportAdapter(adapter, scratch.at(name), options);
    for (const auto& [key, tensor] : io::readWeightsFile(scratch.at(name)).tensors) {
      EXPECT(tensor.is_floating_point() && key.find("examples") == std::string::npos);
    }
  }
}

DAN_TEST(damaged_examples_are_refused_by_name) {
  const Scratch scratch;
  const std::string path = scratch.at("adapter.safetensors");
  dual::writeAdapterFile(path, adapterWithExamples());
  const io::SafetensorsFile good = io::readSafetensors(path);
  const auto expectRefused = [&](const std::string& reason,
                                 const std::function<void(TensorMap&, io::Metadata&)>& damage) {
    TensorMap tensors = good.tensors;
    io::Metadata metadata = good.metadata;
    damage(tensors, metadata);
    io::writeSafetensors(path, tensors, metadata);
    expectError([&] { dual::readAdapterFile(path); }, reason);
    expectError([&] { dual::readAdapterFile(path); }, path);
  };
  const at::Tensor image = good.tensors.at("examples.2.image"), mask = good.tensors.at("examples.2.mask");
  const std::pair<const char*, at::Tensor> kDamaged[] = {{"image", image.slice(0, 0, 15)},
                                                         {"image", image.slice(2, 0, 1)},
                                                         {"image", image.to(at::kFloat)},
                                                         {"image", image.to(at::kChar)},
                                                         {"image", at::empty({0, 0, 3}, at::kByte)},
                                                         {"image", mask},
                                                         {"mask", mask.slice(1, 0, 8)},
                                                         {"mask", image},
                                                         {"mask", mask.to(at::kBool)},
                                                         {"mask", mask.to(at::kHalf)}};
  for (const auto& [part, tensor] : kDamaged) {
    const std::string name = std::string("examples.2.") + part;
    expectRefused("for " + name,
                  [&, replaced = tensor](TensorMap& tensors, io::Metadata&) { tensors[name] = replaced; });
    expectRefused("lacks " + name, [&](TensorMap& tensors, io::Metadata&) { tensors.erase(name); });
  }
  // Each example fits itself, but they have two sizes.
  expectRefused("for examples.10.image", [&](TensorMap& tensors, io::Metadata&) {
    tensors["examples.10.image"] = image.slice(0, 0, 8).slice(1, 0, 8);
    tensors["examples.10.mask"] = mask.slice(0, 0, 8).slice(1, 0, 8);
  });
  expectRefused("examples.2.mask marks no defect",
                [&](TensorMap& tensors, io::Metadata&) { tensors["examples.2.mask"] = at::zeros_like(mask); });
  for (const char* name :
       {"examples.2.part", "examples.2.image.x", "examples..image", "examples.02.image", "examples.-1.image",
        "examples.65536.image", "examples.99999999999999999999.image", "examples."}) {
    expectRefused(std::string("called ") + name, [&](TensorMap& tensors, io::Metadata&) { tensors[name] = image; });
  }
  for (const char* types :
       {"[0]", "[0,1,2]", "[0,-1]", "[0,1.5]", "[0,65536]", "[0,\"1\"]", "{}", "", "0,1", "[[[[0,1]]]]"}) {
    expectRefused("example_types but found",
                  [&](TensorMap&, io::Metadata& metadata) { metadata["example_types"] = types; });
  }
  expectRefused("example_types", [&](TensorMap&, io::Metadata& metadata) { metadata["format_version"] = "1"; });
  expectRefused("not numbers", [&](TensorMap&, io::Metadata& metadata) { metadata.erase("example_types"); });
  expectRefused("example_types", [&](TensorMap& tensors, io::Metadata& metadata) {
    metadata.erase("example_types");
    for (const char* name : {"examples.2.image", "examples.2.mask", "examples.10.image", "examples.10.mask"})
      tensors.erase(name);
  });
}

}  // namespace dan::tests
