#include "io/safetensors.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/error.h"
#include "io/atomic_file.h"
#include "io/read_tensor.h"

namespace dan::io {

namespace {

using Json = nlohmann::json;

constexpr size_t kLengthBytes = 8;
constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // the official reader's limit
constexpr size_t kMaxDims = 64;
constexpr size_t kMaxKeys = 65536;  // per entry; only __metadata__ has more than a few

const std::map<std::string, at::ScalarType> kDtypes = {{"F64", at::kDouble},
                                                       {"F32", at::kFloat},
                                                       {"F16", at::kHalf},
                                                       {"BF16", at::kBFloat16},
                                                       {"I64", at::kLong},
                                                       {"I32", at::kInt},
                                                       {"I16", at::kShort},
                                                       {"I8", at::kChar},
                                                       {"U8", at::kByte},
                                                       {"BOOL", at::kBool},
                                                       {"U16", at::kUInt16},
                                                       {"U32", at::kUInt32},
                                                       {"F8_E4M3", at::kFloat8_e4m3fn},
                                                       {"F8_E5M2", at::kFloat8_e5m2},
                                                       {"U64", at::kUInt64}};

struct Entry {
  std::string name;
  at::ScalarType dtype;
  std::vector<int64_t> shape;
  uint64_t begin;
  uint64_t end;
};

[[noreturn]] void reject(const std::string& path, const std::string& reason) {
  fail(kWeightsInvalid, path, " is not a valid safetensors file: ", reason);
}

uint64_t asUnsigned(const std::string& path, const Json& value, const std::string& what) {
  if (!value.is_number_unsigned()) reject(path, what + " is not a non-negative integer");
  return value.get<uint64_t>();
}

Entry parseEntry(const std::string& path, const std::string& name, const Json& value) {
  if (!value.is_object()) reject(path, "the entry of " + name + " is not an object");
  for (const char* key : {"dtype", "shape", "data_offsets"}) {
    if (!value.contains(key)) reject(path, name + " has no " + key);
  }
  const Json& dtype = value["dtype"];
  if (!dtype.is_string()) reject(path, name + " has a dtype that is not text");
  const auto known = kDtypes.find(dtype.get<std::string>());
  if (known == kDtypes.end()) reject(path, name + " has the unknown dtype " + dtype.get<std::string>());

  Entry entry{name, known->second, {}, 0, 0};
  const Json& shape = value["shape"];
  if (!shape.is_array()) reject(path, name + " has a shape that is not a list");
  if (shape.size() > kMaxDims) reject(path, name + " has " + std::to_string(shape.size()) + " dimensions");
  uint64_t bytes = c10::elementSize(entry.dtype);
  for (const Json& dim : shape) {
    const uint64_t extent = asUnsigned(path, dim, "a dimension of " + name);
    if (extent > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) ||
        __builtin_mul_overflow(bytes, extent, &bytes)) {
      reject(path, "the shape of " + name + " overflows");
    }
    entry.shape.push_back(static_cast<int64_t>(extent));
  }
  const Json& offsets = value["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2) reject(path, name + " has data_offsets that are not a pair");
  entry.begin = asUnsigned(path, offsets[0], "an offset of " + name);
  entry.end = asUnsigned(path, offsets[1], "an offset of " + name);
  if (entry.end < entry.begin) reject(path, name + " ends before it begins");
  if (entry.end - entry.begin != bytes) {
    reject(path, name + " has " + std::to_string(entry.end - entry.begin) + " bytes where its shape needs " +
                     std::to_string(bytes));
  }
  return entry;
}

// This reads the header's entries. It takes each entry when the parser reaches the entry's end, and then drops it. It
// rejects disallowed contents where they begin. So the header never becomes a tree many times its size.
class Header {
 public:
  Header(const std::string& path, std::string_view text) : path_(path) {
    try {
      const auto take = [&](int depth, Json::parse_event_t event, Json& parsed) { return keep(depth, event, parsed); };
      if (!Json::parse(text.begin(), text.end(), take).is_object()) reject(path_, "the header is not an object");
    } catch (const Json::exception& error) {
      reject(path_, std::string("the header is not JSON (") + error.what() + ")");
    }
  }

  std::map<std::string, Entry> entries;
  Metadata metadata;

 private:
  // Depth 0 is the header, 1 its entries, 2 their contents, 3 the numbers of a shape. False drops the parsed value.
  bool keep(int depth, Json::parse_event_t event, Json& parsed) {
    using Event = Json::parse_event_t;
    if (event == Event::array_start) {
      if (depth < 2) reject(path_, depth == 0 ? "the header is not an object" : notAnObject());
      if (depth > 2) reject(path_, "the header is nested too deeply");
      numbers_ = 0;
    } else if (event == Event::object_start) {
      if (depth > 1) reject(path_, "the header is nested too deeply");
      keys_.clear();
    } else if (event == Event::key) {
      noteKey(depth, parsed.get<std::string>());
    } else if (event == Event::value) {
      if (depth == 1) reject(path_, notAnObject());
      if (depth > 2 && ++numbers_ > kMaxDims) reject(path_, name_ + " has more than 64 dimensions");
    } else if (event == Event::object_end && depth == 1) {
      finish(parsed);
      return false;
    }
    return true;
  }

  std::string notAnObject() const { return "the entry of " + name_ + " is not an object"; }

  void noteKey(int depth, const std::string& key) {
    if (depth == 1) {
      name_ = key;
      if (entries.count(key) > 0 || (key == kMetadata && hasMetadata_)) {
        reject(path_, "the header names " + key + " twice");
      }
    } else {
      if (!keys_.insert(key).second) reject(path_, "the header names " + key + " twice");
      if (keys_.size() > kMaxKeys) reject(path_, "the entry of " + name_ + " has too many keys");
    }
  }

  void finish(const Json& value) {
    if (name_ != kMetadata) {
      entries.emplace(name_, parseEntry(path_, name_, value));
      return;
    }
    hasMetadata_ = true;
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) reject(path_, "the metadata of " + key + " is not text");
      metadata[key] = text.get<std::string>();
    }
  }

  static constexpr const char* kMetadata = "__metadata__";
  const std::string& path_;
  std::string name_;            // the entry being read
  std::set<std::string> keys_;  // the keys seen in that entry
  size_t numbers_ = 0;          // the numbers seen in the list being read
  bool hasMetadata_ = false;
};

}  // namespace

SafetensorsFile readSafetensors(const std::string& path) { return readSafetensors(*InputFile::open(path)); }

SafetensorsFile readSafetensors(const InputFile& file, const Wanted& wanted) {
  const std::string& path = file.path();
  if (file.size() < kLengthBytes) reject(path, "it has only " + std::to_string(file.size()) + " bytes");
  uint64_t headerBytes = 0;
  file.read(0, &headerBytes, kLengthBytes);
  if (headerBytes > kMaxHeaderBytes) reject(path, "its header claims " + std::to_string(headerBytes) + " bytes");
  if (headerBytes > file.size() - kLengthBytes) reject(path, "its header is longer than the file");
  const uint64_t data = kLengthBytes + headerBytes, dataBytes = file.size() - data;
  Header header(path, file.text(kLengthBytes, headerBytes));

  SafetensorsFile result;
  result.metadata = std::move(header.metadata);
  std::vector<const Entry*> entries;
  for (const auto& [name, entry] : header.entries) entries.push_back(&entry);
  std::sort(entries.begin(), entries.end(),
            [](const Entry* a, const Entry* b) { return std::tie(a->begin, a->end) < std::tie(b->begin, b->end); });
  uint64_t position = 0;
  for (const Entry* entry : entries) {
    if (entry->begin != position) reject(path, entry->name + " leaves a gap or overlaps the tensor before it");
    position = entry->end;
  }
  if (position != dataBytes) {
    reject(path, "its tensors end at byte " + std::to_string(position) + " of " + std::to_string(dataBytes));
  }
  for (const Entry* entry : entries) {
    if (wanted && !wanted(entry->name)) continue;
    result.tensors[entry->name] = readTensor(file, data + entry->begin, entry->shape, entry->dtype);
  }
  file.expectUnchanged();
  return result;
}

void writeSafetensors(const std::string& path, const TensorMap& tensors, const Metadata& metadata) {
  std::map<at::ScalarType, std::string> dtypeNames;
  for (const auto& [name, dtype] : kDtypes) dtypeNames[dtype] = name;
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::vector<at::Tensor> contiguous;
  uint64_t position = 0;
  for (const auto& [name, tensor] : tensors) {
    contiguous.push_back(tensor.detach().to(at::kCPU).contiguous());
    const uint64_t end = position + contiguous.back().nbytes();
    header[name] = {{"dtype", dtypeNames.at(tensor.scalar_type())},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {position, end}}};
    position = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // padding keeps the data aligned
  const uint64_t headerBytes = text.size();
  AtomicFile file(path);
  file.write(&headerBytes, kLengthBytes);
  file.write(text.data(), text.size());
  for (const at::Tensor& tensor : contiguous) file.write(tensor.data_ptr(), tensor.nbytes());
  file.commit();
}

}  // namespace dan::io
