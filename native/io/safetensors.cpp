#include "io/safetensors.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "core/error.h"
#include "io/atomic_file.h"

namespace dan::io {

namespace {

using Json = nlohmann::json;

constexpr size_t kLengthBytes = 8;
constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // the official reader's limit
constexpr size_t kMaxDims = 64;
constexpr int kMaxNesting = 4;  // header -> tensor -> shape: three levels

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

// Parses with the two checks that nlohmann::json leaves to its callers: depth, and keys that appear twice.
Json parseHeader(const std::string& path, const uint8_t* begin, const uint8_t* end) {
  std::vector<std::set<std::string>> keys;
  const auto check = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > kMaxNesting) reject(path, "the header is nested too deeply");
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second) {
      reject(path, "the header names " + parsed.get<std::string>() + " twice");
    }
    return true;
  };
  try {
    return Json::parse(begin, end, check);
  } catch (const Json::exception& error) {
    reject(path, std::string("the header is not JSON (") + error.what() + ")");
  }
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

Metadata parseMetadata(const std::string& path, const Json& value) {
  if (!value.is_object()) reject(path, "__metadata__ is not an object");
  Metadata metadata;
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string()) reject(path, "the metadata of " + key + " is not text");
    metadata[key] = text.get<std::string>();
  }
  return metadata;
}

}  // namespace

SafetensorsFile readSafetensors(const std::string& path) { return readSafetensors(MappedFile::open(path)); }

SafetensorsFile readSafetensors(const std::shared_ptr<const MappedFile>& file) {
  const std::string& path = file->path();
  if (file->size() < kLengthBytes) reject(path, "it has only " + std::to_string(file->size()) + " bytes");
  uint64_t headerBytes = 0;
  std::memcpy(&headerBytes, file->data(), kLengthBytes);
  if (headerBytes > kMaxHeaderBytes) reject(path, "its header claims " + std::to_string(headerBytes) + " bytes");
  if (headerBytes > file->size() - kLengthBytes) reject(path, "its header is longer than the file");

  const uint8_t* data = file->data() + kLengthBytes + headerBytes;
  const uint64_t dataBytes = file->size() - kLengthBytes - headerBytes;
  const Json header = parseHeader(path, file->data() + kLengthBytes, data);
  if (!header.is_object()) reject(path, "the header is not an object");

  SafetensorsFile result;
  std::vector<Entry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name == "__metadata__") {
      result.metadata = parseMetadata(path, value);
    } else {
      entries.push_back(parseEntry(path, name, value));
    }
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return std::tie(a.begin, a.end) < std::tie(b.begin, b.end); });
  uint64_t position = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != position) reject(path, entry.name + " leaves a gap or overlaps the tensor before it");
    position = entry.end;
  }
  if (position != dataBytes) {
    reject(path, "its tensors end at byte " + std::to_string(position) + " of " + std::to_string(dataBytes));
  }
  for (const Entry& entry : entries) {
    const auto options = at::TensorOptions().dtype(entry.dtype);
    if (entry.begin == entry.end) {
      result.tensors[entry.name] = at::empty(entry.shape, options);
      continue;
    }
    // The deleter holds the mapping: it lives as long as the last tensor on it.
    result.tensors[entry.name] = at::from_blob(
        const_cast<uint8_t*>(data + entry.begin), entry.shape, [file](void*) {}, options);
  }
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
  text.resize((text.size() + 7) / 8 * 8, ' ');  // keeps the data aligned
  const uint64_t headerBytes = text.size();
  AtomicFile file(path);
  file.write(&headerBytes, kLengthBytes);
  file.write(text.data(), text.size());
  for (const at::Tensor& tensor : contiguous) file.write(tensor.data_ptr(), tensor.nbytes());
  file.commit();
}

}  // namespace dan::io
