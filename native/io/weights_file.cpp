#include "io/weights_file.h"

#include <caffe2/serialize/inline_container.h>

#include <cstring>
#include <functional>

#include "core/error.h"
#include "io/mapped_file.h"
#include "io/pickle_reader.h"

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

TensorMap readZip(const std::string& path, size_t fileBytes) {
  caffe2::serialize::PyTorchStreamReader zip(path);
  zip.setShouldLoadDebugSymbol(false);
  // torch.save stores without compression, so no record is longer than the file.
  const auto record = [&](const std::string& name) {
    if (!zip.hasRecord(name)) reject(path, "it lacks the record " + name);
    if (zip.getRecordSize(name) > fileBytes)
      reject(path, "the record " + name + " claims more bytes than the file has");
    return zip.getRecord(name);
  };
  if (zip.hasRecord("byteorder")) {
    const auto [data, size] = record("byteorder");
    if (std::string_view(static_cast<const char*>(data.get()), size) != "little") reject(path, "it is big-endian");
  }
  auto [pickle, pickleBytes] = record("data.pkl");
  PickleReader reader(static_cast<const uint8_t*>(pickle.get()), pickleBytes, path);
  return collectTensors(path, reader.read(), [&](const StorageReference& storage) {
    auto [data, size] = record("data/" + storage.key);
    if (size < storageBytes(path, storage)) reject(path, "storage " + storage.key + " is shorter than it claims");
    auto owner = std::make_shared<at::DataPtr>(std::move(data));
    return at::from_blob(
        owner->get(), {storage.numel}, [owner](void*) {}, at::TensorOptions().dtype(storage.dtype));
  });
}

// Four pickles (magic number, protocol, system, object), a pickle of storage keys, then for each key its length and
// its bytes.
TensorMap readLegacy(const std::string& path, const MappedFile& file) {
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
  const PickleValue* keys = next();
  if (keys->kind != Kind::kList) reject(path, "it lacks its list of storages");

  std::map<std::string, std::pair<int64_t, size_t>> places;  // key -> number of elements, position
  std::map<std::string, at::ScalarType> dtypes;
  if (root->kind == Kind::kDict) {
    for (const PickleValue* item : root->items) {
      if (item->kind == Kind::kTensor) dtypes[item->storage.key] = item->storage.dtype;
    }
  }
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
    at::Tensor copy = at::empty({storage.numel}, at::TensorOptions().dtype(storage.dtype));
    std::memcpy(copy.data_ptr(), file.data() + place->second.second, copy.nbytes());
    return copy;
  });
}

}  // namespace

TensorMap readTorchFile(const std::string& path) {
  const auto file = MappedFile::open(path);
  if (file->size() < sizeof(kZipMagic)) reject(path, "it has only " + std::to_string(file->size()) + " bytes");
  try {
    const bool isZip = std::memcmp(file->data(), kZipMagic, sizeof(kZipMagic)) == 0;
    return isZip ? readZip(path, file->size()) : readLegacy(path, *file);
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
