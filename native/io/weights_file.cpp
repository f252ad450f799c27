#include "io/weights_file.h"

#include <algorithm>

#include "core/error.h"
#include "core/text.h"
#include "io/foreign_file.h"
#include "io/torch_file.h"

namespace dan::io {

namespace {

// Checkpoints of Stable Diffusion name their UNet with this prefix. It is not a wrapper's prefix, although a file may
// have no other names.
constexpr std::string_view kOriginalUnet = "model.diffusion_model.";

std::string_view commonWrapper(const TensorMap& tensors) {
  if (tensors.empty() || startsWith(tensors.begin()->first, kOriginalUnet)) return "";
  for (const std::string_view prefix : {"module.", "_orig_mod.", "model.", "net.", "state_dict."}) {
    const auto has = [&](const auto& entry) { return startsWith(entry.first, prefix); };
    if (std::all_of(tensors.begin(), tensors.end(), has)) return prefix;
  }
  return "";
}

}  // namespace

TensorMap withoutWrappers(TensorMap tensors) {
  for (std::string_view prefix = commonWrapper(tensors); !prefix.empty(); prefix = commonWrapper(tensors)) {
    TensorMap bare;
    for (const auto& [name, tensor] : tensors) bare[name.substr(prefix.size())] = tensor;
    tensors = std::move(bare);
  }
  return tensors;
}

SafetensorsFile readWeightsAsNamed(const std::string& path, const Wanted& wanted) {
  const auto file = InputFile::open(path);
  const std::string kind = foreignKind(*file);
  if (!kind.empty()) fail(kWeightsInvalid, path, " holds no weights that can be read: it is ", kind);
  const bool isNamedSo = endsWith(path, ".safetensors");
  constexpr std::string_view kZip("PK\3\4", 4), kPickle("\x80", 1);
  const std::string head = file->text(0, std::min(file->size(), kZip.size()));
  // If the content is ambiguous, the name decides which format's error a damaged file gets.
  const bool isTorch = startsWith(head, kZip) || startsWith(head, kPickle);
  if (beginsAsSafetensors(*file) || (isNamedSo && !isTorch)) return readSafetensors(*file, wanted);
  return {readTorchFile(*file, wanted), {}};
}

SafetensorsFile readWeightsFile(const std::string& path, const Wanted& wanted) {
  SafetensorsFile file = readWeightsAsNamed(path, wanted);
  file.tensors = withoutWrappers(std::move(file.tensors));
  return file;
}

}  // namespace dan::io
