// Some files do not have the format that their name suggests, and some wrappers change tensor names.
#include <fstream>

#include "io/foreign_file.h"
#include "io/torch_file.h"
#include "io/weights_file.h"
#include "mask/part_masker.h"
#include "model/base_model.h"
#include "tests/test.h"
#include "tests/test_pickle.h"

namespace dan::tests {

namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;

void writeBytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

TensorMap prefixed(const TensorMap& tensors, const std::string& prefix) {
  TensorMap renamed;
  for (const auto& [name, tensor] : tensors) renamed[prefix + name] = tensor;
  return renamed;
}

}  // namespace

DAN_TEST(what_is_no_weights_file_is_named) {
  const Scratch scratch;
  const std::pair<const char*, std::string> kKinds[] = {
      {"a Git LFS pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"},
      {"an HTML page", "\n <!DOCTYPE html>\n<html></html>"},
      {"an HTML page", "<html lang=\"de\"><head><title>Größe</title></head></html>"},
      {"an XML document, which begins with \"<?xml", "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>"},
      {"a JSON file, which begins with \"{\"error\"", "{\"error\": \"not found\"}"},
      {"a text file, which begins with \"Not Found\"", "Not Found"},
      {"an empty file", ""},
      {"a file that begins with zeros", std::string(4096, '\0')},
      {"an ONNX model", "\x08\x07\x12\x07pytorch\x1a\x05" + std::string(600, '\x7f')},
      {"an ONNX model", "\x08\x0a\x3a\x99\x01"s},
      {"a TensorFlow SavedModel", "\x08\x01\x12\x99\x01"s},
      {"a gzip archive", "\x1f\x8b\x08\0\0"s},
      {"an xz archive", "\xfd\x37zXZ\0\0"s},
      {"a zstd archive", "\x28\xb5\x2f\xfd\x04"s},
      {"a 7z archive", "7z\xbc\xaf\x27\x1c\0"s},
      {"a RAR archive", "Rar!\x1a\x07\x01\0"s},
      {"a tar archive", std::string(257, 'x') + "ustar\0"s + std::string(300, '\0')},
      {"a GGUF file", "GGUF\3\0\0\0"s},
      {"an HDF5 file", "\x89HDF\r\n\x1a\n\0"s},
      {"a NumPy array", "\x93NUMPY\1\0v\0"s},
      {"a NumPy archive", zipOf({{"arr_0.npy", "x"}})},
      {"a Keras model", zipOf({{"metadata.json", "{}"}})},
      {"a zip archive that torch.save did not write", zipOf({{"u2net.pth", "x"}})},
      {"a PNG image", "\x89PNG\r\n\x1a\n\0\0"s},
      {"a JPEG image", "\xff\xd8\xff\xe0\0\x10"s},
      {"a program or library", "\x7f\x45LF\2\1\1\0"s},
  };
  for (const auto& [what, bytes] : kKinds) {
    for (const char* ending : {"w.safetensors", "w.pth"}) {
      const std::string path = scratch.at(ending);
      writeBytes(path, bytes);
      expectError([&] { io::readWeightsFile(path); }, path + " holds no weights that can be read: it is " + what);
    }
  }
  writeBytes(scratch.at("script.pt"), zipOf({{"a/data.pkl", "\x80\x02}."}, {"a/constants.pkl", "\x80\x02)."}}));
  expectError([&] { io::readWeightsFile(scratch.at("script.pt")); }, "TorchScript");
  writeBytes(scratch.at("module.pth"), zipOf({{"a/data.pkl", "\x80\x02" + pickleGlobal("__main__", "U2NET") + ")R."}}));
  expectError([&] { io::readWeightsFile(scratch.at("module.pth")); }, "save its state_dict()");
  writeBytes(scratch.at("vocab.json"), "version https://git-lfs.github.com/spec/v1\n");
  expectError([&] { io::readTextFile(scratch.at("vocab.json")); }, "git lfs pull");
}

DAN_TEST(the_ending_does_not_decide_the_format) {
  const Scratch scratch;
  const TensorMap tensors = {{"a", at::randn({3})}};
  io::writeSafetensors(scratch.at("really-safetensors.pth"), tensors);
  fs::copy(fixture("bad/ok_minimal_zip.pth"), scratch.at("really-zip.safetensors"));
  fs::copy(fixture("bad/ok_minimal_legacy.pth"), scratch.at("really-legacy.safetensors"));
  EXPECT(io::readWeightsFile(scratch.at("really-safetensors.pth")).tensors.at("a").equal(tensors.at("a")));
  const TensorMap zip = io::readWeightsFile(fixture("bad/ok_minimal_zip.pth")).tensors;
  EXPECT(!zip.empty());
  for (const char* name : {"really-zip.safetensors", "really-legacy.safetensors"}) {
    EXPECT(io::readWeightsFile(scratch.at(name)).tensors.size() == zip.size());
  }
}

DAN_TEST(prefixes_of_wrappers_are_taken_off) {
  const TensorMap bare = {{"conv.weight", at::ones({1})}, {"model.bias", at::zeros({1})}};
  for (const char* prefix : {"", "module.", "_orig_mod.", "module._orig_mod.", "model.", "net.", "state_dict."}) {
    const TensorMap result = io::withoutWrappers(prefixed(bare, prefix));
    EXPECT(result.size() == 2 && result.count("conv.weight") == 1 && result.count("model.bias") == 1);
  }
  // The prefix stays if one name lacks it, or if it is part of a Stable Diffusion UNet's name.
  const TensorMap mixed = {{"module.a", at::ones({1})}, {"b", at::ones({1})}};
  EXPECT(io::withoutWrappers(mixed).count("module.a") == 1);
  EXPECT(io::withoutWrappers({{"model.diffusion_model.a", at::ones({1})}}).count("model.diffusion_model.a") == 1);

  const Scratch scratch;
  for (const auto& entry : fs::recursive_directory_iterator(fixture("tiny-sd"))) {
    if (!entry.is_regular_file()) continue;
    const fs::path to = fs::path(scratch.at("base")) / fs::relative(entry.path(), fixture("tiny-sd"));
    fs::create_directories(to.parent_path());
    fs::copy(entry.path(), to);
  }
  const auto load = [](const std::string& folder) { return model::loadBaseModel(folder, at::kCPU, at::kFloat); };
  const std::string plain = load(fixture("tiny-sd"))->fingerprint;
  for (const char* part : {"unet/diffusion_pytorch_model.safetensors", "text_encoder/model.safetensors"}) {
    const std::string path = scratch.at(std::string("base/") + part);
    io::writeSafetensors(path, prefixed(io::readSafetensors(path).tensors, "_orig_mod."));
  }
  EXPECT(load(scratch.at("base"))->fingerprint == plain);
  const std::string masker = fixture("golden/u2net/u2netp.safetensors");
  const io::SafetensorsFile own = io::readSafetensors(masker);
  io::writeSafetensors(scratch.at("masker.safetensors"), prefixed(own.tensors, "module."), own.metadata);
  const at::Tensor image = at::randint(0, 256, {40, 40, 3}, at::kByte);
  const mask::U2netMasker first(masker, at::kCPU), second(scratch.at("masker.safetensors"), at::kCPU);
  EXPECT(first.saliency(image).equal(second.saliency(image)));
}

// The pickles look like {"epoch": 1, "state_dict": {"module.a": …}}.
DAN_TEST(weights_are_found_where_trainers_put_them) {
  const Scratch scratch;
  const std::string inner = "}(" + pickleText("module.a") + pickleTensor(pickleStorage("0", 2), 2) + "u";
  for (const char* key : {"state_dict", "model_state_dict", "model", "net"}) {
    const std::string pickle =
        "\x80\x02}(" + pickleText("epoch") + "K\x01" + pickleText(key) + inner + pickleText("optimizer") + "}u.";
    writeBytes(scratch.at("a.pth"), zipOf({{"a/data.pkl", pickle}, {"a/data/0", std::string(8, '\0')}}));
    EXPECT(io::readWeightsFile(scratch.at("a.pth")).tensors.count("a") == 1);
  }
}

}  // namespace dan::tests
