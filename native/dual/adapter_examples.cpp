#include "dual/adapter_examples.h"

#include <map>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "dual/adapter_metadata.h"

namespace dan::dual {

namespace {

constexpr const char* kPrefix = "examples.";
constexpr const char* kTypes = "example_types";
// These limits are far above what training writes. They keep numbers from a damaged file small.
constexpr int64_t kMaxRegions = 1 << 16, kMaxTypes = 1 << 16, kMaxSide = 1 << 13;

std::string nameOf(int64_t region, const char* part) { return kPrefix + std::to_string(region) + "." + part; }

// Returns the region in the name of an example's tensor, or -1 for another name.
int64_t regionIn(const std::string& name) {
  const size_t start = std::string(kPrefix).size();
  const size_t length = name.find_first_not_of("0123456789", start) - start;
  if (length == 0 || length > std::to_string(kMaxRegions).size()) return -1;
  const int64_t region = std::stoll(name.substr(start, length));
  const bool isName = name == nameOf(region, "image") || name == nameOf(region, "mask");
  return isName && region < kMaxRegions ? region : -1;
}

// Throws unless the example is whole and as large as `first`.
void check(const AdapterExample& example, const AdapterExample& first, const std::string& path) {
  const int64_t side = first.image.defined() && first.image.dim() == 3 ? first.image.size(0) : 0;
  const auto expectBytes = [&](const at::Tensor& tensor, const char* part, at::IntArrayRef shape) {
    const std::string name = nameOf(example.region, part);
    if (!tensor.defined()) fail(kWeightsInvalid, path, " lacks ", name);
    if (side >= 1 && side <= kMaxSide && tensor.scalar_type() == at::kByte && tensor.sizes() == shape) return;
    fail(kWeightsInvalid, path, ": expected bytes of one square size for ", name, " but found ", tensor.dtype(),
         " of shape ", tensor.sizes());
  };
  expectBytes(example.image, "image", {side, side, 3});
  expectBytes(example.mask, "mask", {side, side});
  if (!example.mask.any().item<bool>()) {
    fail(kWeightsInvalid, path, ": ", nameOf(example.region, "mask"), " marks no defect");
  }
}

// Returns the types of `count` examples, in the order of their regions.
std::vector<int64_t> takeTypes(io::Metadata& metadata, size_t count, const std::string& path) {
  const std::string text = metadata.at(kTypes);
  metadata.erase(kTypes);
  const auto types = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  bool isValid = types.is_array() && types.size() == count;
  for (size_t i = 0; isValid && i < count; ++i) {
    isValid = types[i].is_number_unsigned() && types[i].get<uint64_t>() < static_cast<uint64_t>(kMaxTypes);
  }
  if (!isValid) {
    fail(kWeightsInvalid, path, ": expected a list of ", count, " types, one for each example, for ", kTypes,
         " but found ", text.substr(0, 80));
  }
  return types.get<std::vector<int64_t>>();
}

}  // namespace

void storeExamples(const std::vector<AdapterExample>& examples, TensorMap& tensors, io::Metadata& metadata) {
  if (examples.empty()) return;
  std::map<int64_t, int64_t> types;
  for (const AdapterExample& example : examples) {
    tensors[nameOf(example.region, "image")] = example.image;
    tensors[nameOf(example.region, "mask")] = example.mask;
    types[example.region] = example.type;
  }
  nlohmann::json list = nlohmann::json::array();
  for (const auto& [region, type] : types) list.push_back(type);
  metadata[kTypes] = list.dump();
  metadata["format_version"] = std::to_string(kExamplesFormatVersion);
}

std::vector<AdapterExample> takeExamples(TensorMap& tensors, io::Metadata& metadata, const std::string& path) {
  if (metadata.count(kTypes) == 0) return {};
  std::map<int64_t, AdapterExample> byRegion;
  for (auto at = tensors.lower_bound(kPrefix); at != tensors.end() && at->first.rfind(kPrefix, 0) == 0;) {
    const std::string name = at->first;
    const int64_t region = regionIn(name);
    if (region < 0)
      fail(kWeightsInvalid, path, " has an example called ", name.substr(0, 80), ", which is no name of one");
    AdapterExample& example = byRegion[region];
    example.region = region;
    (name == nameOf(region, "image") ? example.image : example.mask) = at->second;
    at = tensors.erase(at);
  }
  const std::vector<int64_t> types = takeTypes(metadata, byRegion.size(), path);
  std::vector<AdapterExample> examples;
  for (auto& [region, example] : byRegion) {
    example.type = types[examples.size()];
    examples.push_back(std::move(example));
    check(examples.back(), examples.front(), path);
  }
  return examples;
}

}  // namespace dan::dual
