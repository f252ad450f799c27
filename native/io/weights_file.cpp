#include "io/weights_file.h"

#include <cstring>
#include <functional>

#include "core/error.h"
#include "io/pickle_reader.h"
#include "io/stored_zip.h"

namespace dan::io {

namespace {

using Kind = PickleValue::Kind;

// The magic number 0x1950a86a20f9469cfc6c of torch.save's older format, little-endian.
constexpr std::string_view kLegacyMagic("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10);
constexpr int64_t kLegacyProtocol = 1001;
constexpr uint8_t kZipMagic[] = {'P', 'K', 3, 4};

[[noreturn]] void reject(const std::string& path, const std::string& reason) {
  fail(kWeightsInvalid, path, " is not a valid PyTorch weights file: ", reason);
}

size_t storageBytes(const std::string& path, const StorageReference& storage) {
  int64_t bytes = 0;
  if (__builtin_mul_overflow(storage.numel, static_cast<int64_t>(c10::elementSize(storage.dtype)), &bytes)) {
    reject(path, "storage " + storage.key + " claims an impossible size");
  }
  return static_cast<size_t>(bytes);
}

// `numel` numbers at `data` of the mapping, which lives as long as the last tensor on it. Copied where they do not lie
// as their type needs.
at::Tensor onMapping(const std::shared_ptr<const MappedFile>& file, const uint8_t* data, int64_t numel,
                     at::ScalarType dtype) {
  const auto options = at::TensorOptions().dtype(dtype);
  if (numel == 0 || reinterpret_cast<uintptr_t>(data) % c10::elementSize(dtype) != 0) {
    at::Tensor copy = at::empty({numel}, options);
    if (numel > 0) std::memcpy(copy.data_ptr(), data, copy.nbytes());
    return copy;
  }
  return at::from_blob(
      const_cast<uint8_t*>(data), {numel}, [file](void*) {}, options);
}

// A one-dimensional tensor over a storage's bytes.
using StorageLoader = std::function<at::Tensor(const StorageReference&)>;

TensorMap collectTensors(const std::string& path, const PickleValue* root, const StorageLoader& load) {
  if (root->kind == Kind::kDict) {
    for (size_t i = 0; i + 1 < root->items.size(); i += 2) {
      const bool isNested = root->items[i]->text == "state_dict" && root->items[i + 1]->kind == Kind::kDict;
      if (isNested) root = root->items[i + 1];
    }
  }
  if (root->kind != Kind::kDict) reject(path, "it holds no dict of tensors");
  std::map<std::string, at::Tensor> storages;
  TensorMap tensors;
  for (size_t i = 0; i + 1 < root->items.size(); i += 2) {
    const PickleValue *key = root->items[i], *value = root->items[i + 1];
    if (key->kind != Kind::kText) reject(path, "its dict has a key that is not text");
    if (value->kind != Kind::kTensor) continue;  // step counts and the like
    at::Tensor& storage = storages[value->storage.key];
    if (!storage.defined()) storage = load(value->storage);
    if (storage.scalar_type() != value->storage.dtype || storage.numel() < value->storage.numel) {
      reject(path, "two tensors disagree about storage " + value->storage.key);
    }
    tensors[key->text] = storage.as_strided(value->sizes, value->strides, value->storageOffset);
  }
  return tensors;
}

TensorMap readZip(const std::shared_ptr<const MappedFile>& file) {
  const std::string& path = file->path();
  const StoredZip zip(file);
  const auto record = [&](const std::string& name) {
    const StoredZip::Entry* entry = zip.find(name);
    if (entry == nullptr) reject(path, "it lacks the record " + name);
    return *entry;
  };
  const StoredZip::Entry* order = zip.find("byteorder");
  if (order != nullptr && std::string_view(reinterpret_cast<const char*>(order->data), order->size) != "little") {
    reject(path, "it is big-endian");
  }
  const StoredZip::Entry pickle = record("data.pkl");
  PickleReader reader(pickle.data, pickle.size, path);
  return collectTensors(path, reader.read(), [&](const StorageReference& storage) {
    const StoredZip::Entry entry = record("data/" + storage.key);
    if (entry.size < storageBytes(path, storage)) reject(path, "storage " + storage.key + " is shorter than it claims");
    return onMapping(file, entry.data, storage.numel, storage.dtype);
  });
}

// Four pickles (magic number, protocol, system, object), a pickle of storage keys, then for each key its length and
// its bytes.
TensorMap readLegacy(const std::shared_ptr<const MappedFile>& mapped) {
  const MappedFile& file = *mapped;
  const std::string& path = file.path();
  size_t position = 0;
  std::vector<std::unique_ptr<PickleReader>> readers;
  const auto next = [&] {
    readers.push_back(std::make_unique<PickleReader>(file.data() + position, file.size() - position, path));
    const PickleValue* value = readers.back()->read();
    position += readers.back()->position();
    return value;
  };
  const PickleValue* magic = next();
  if (magic->kind != Kind::kLong || magic->text != kLegacyMagic) reject(path, "it does not begin as torch.save begins");
  const PickleValue* protocol = next();
  if (protocol->kind != Kind::kInteger || protocol->integer != kLegacyProtocol) reject(path, "its protocol is unknown");
  next();
  const PickleValue* root = next();
  std::map<std::string, at::ScalarType> dtypes;
  for (const StorageReference& storage : readers.back()->storages()) dtypes[storage.key] = storage.dtype;
  const PickleValue* keys = next();
  if (keys->kind != Kind::kList) reject(path, "it lacks its list of storages");

  std::map<std::string, std::pair<int64_t, size_t>> places;  // key -> number of elements, position
  for (const PickleValue* key : keys->items) {
    int64_t numel = 0;
    if (key->kind != Kind::kText || file.size() - position < sizeof(numel)) reject(path, "a storage is missing");
    std::memcpy(&numel, file.data() + position, sizeof(numel));
    position += sizeof(numel);
    const auto dtype = dtypes.find(key->text);
    if (dtype == dtypes.end()) reject(path, "storage " + key->text + " belongs to no tensor");
    if (numel < 0) reject(path, "storage " + key->text + " claims an impossible size");
    const size_t bytes = storageBytes(path, {key->text, dtype->second, numel});
    if (bytes > file.size() - position) reject(path, "storage " + key->text + " is longer than the file");
    places[key->text] = {numel, position};
    position += bytes;
  }
  return collectTensors(path, root, [&](const StorageReference& storage) {
    const auto place = places.find(storage.key);
    if (place == places.end() || place->second.first < storage.numel) {
      reject(path, "storage " + storage.key + " is missing or too short");
    }
    return onMapping(mapped, file.data() + place->second.second, storage.numel, storage.dtype);
  });
}

}  // namespace

TensorMap readTorchFile(const std::string& path) { return readTorchFile(MappedFile::open(path)); }

TensorMap readTorchFile(const std::shared_ptr<const MappedFile>& file) {
  const std::string& path = file->path();
  if (file->size() < sizeof(kZipMagic)) reject(path, "it has only " + std::to_string(file->size()) + " bytes");
  try {
    const bool isZip = std::memcmp(file->data(), kZipMagic, sizeof(kZipMagic)) == 0;
    return isZip ? readZip(file) : readLegacy(file);
  } catch (const c10::Error& error) {
    const std::string reason = error.what_without_backtrace();
    reject(path, reason.substr(0, reason.find('\n')));
  }
}

SafetensorsFile readWeightsFile(const std::string& path) {
  constexpr std::string_view kSafetensors = ".safetensors";
  const bool isSafetensors = path.size() >= kSafetensors.size() &&
                             path.compare(path.size() - kSafetensors.size(), kSafetensors.size(), kSafetensors) == 0;
  if (isSafetensors) return readSafetensors(path);
  return {readTorchFile(path), {}};
}

}  // namespace dan::io
