#include "io/torch_file.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "core/error.h"
#include "io/pickle_reader.h"
#include "io/read_tensor.h"
#include "io/stored_zip.h"

namespace dan::io {

namespace {

using Kind = PickleValue::Kind;

// This is the magic number 0x1950a86a20f9469cfc6c of torch.save's older format, little-endian.
constexpr std::string_view kLegacyMagic("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10);
constexpr int64_t kLegacyProtocol = 1001;
constexpr std::string_view kZipMagic("PK\3\4", 4);
// A pickle names tensors but does not hold them. For a model of thousands of tensors it has about 100 KB.
constexpr size_t kMaxPickleBytes = 64u << 20;
// Tensors may share bytes (tied weights), but not so many that a small file becomes a large model.
constexpr uint64_t kMaxSharing = 8;

[[noreturn]] void rejectTorchFile(const std::string& path, const std::string& reason) {
  fail(kWeightsInvalid, path, " is not a valid PyTorch weights file: ", reason);
}

uint64_t bytesOf(const std::string& path, const StorageReference& storage) {
  int64_t bytes = 0;
  if (__builtin_mul_overflow(storage.numel, static_cast<int64_t>(c10::elementSize(storage.dtype)), &bytes)) {
    rejectTorchFile(path, c10::str("storage ", storage.key, " claims an impossible size"));
  }
  return static_cast<uint64_t>(bytes);
}

// Returns a dict's last value of this key, as Python would, if that value is itself a dict.
const PickleValue* dictBelow(const PickleValue& dict, std::string_view key) {
  for (size_t i = dict.items.size(); i >= 2; i -= 2) {
    if (dict.items[i - 2]->kind == Kind::kText && dict.items[i - 2]->text == key) {
      return dict.items[i - 1]->kind == Kind::kDict ? dict.items[i - 1] : nullptr;
    }
  }
  return nullptr;
}

bool holdsTensors(const PickleValue& dict) {
  for (size_t i = 1; i < dict.items.size(); i += 2) {
    if (dict.items[i]->kind == Kind::kTensor) return true;
  }
  return false;
}

// Trainers wrap a model's tensors in dicts that also hold counters and the optimiser's state.
const PickleValue* stateDictOf(const PickleValue* root) {
  constexpr int kMaxWrappers = 4;
  for (int i = 0; i < kMaxWrappers && root->kind == Kind::kDict; ++i) {
    const PickleValue* inner = dictBelow(*root, "state_dict");
    for (const char* key : {"model_state_dict", "model", "module", "net"}) {
      if (inner == nullptr && !holdsTensors(*root)) inner = dictBelow(*root, key);
    }
    if (inner == nullptr) break;
    root = inner;
  }
  return root;
}

// A StorageLoader returns a one-dimensional tensor over a storage's bytes.
using StorageLoader = std::function<at::Tensor(const StorageReference&)>;

TensorMap collectTensors(const InputFile& file, const PickleValue* root, const StorageLoader& load,
                         const Wanted& wanted) {
  const std::string& path = file.path();
  root = stateDictOf(root);
  if (root->kind != Kind::kDict) rejectTorchFile(path, "it holds no dict of tensors");
  std::map<std::string_view, at::Tensor> storages;
  TensorMap tensors;
  uint64_t total = 0;
  for (size_t i = 0; i + 1 < root->items.size(); i += 2) {
    const PickleValue *key = root->items[i], *value = root->items[i + 1];
    if (key->kind != Kind::kText) rejectTorchFile(path, "its dict has a key that is not text");
    if (value->kind != Kind::kTensor) continue;  // the dict also holds step counts and the like
    const std::string name(key->text);
    if (wanted && !wanted(name)) continue;
    const StorageReference reference = storageOf(*value->items[0]);
    at::Tensor& storage = storages[reference.key];
    if (!storage.defined()) storage = load(reference);
    if (storage.scalar_type() != reference.dtype || storage.numel() < reference.numel) {
      rejectTorchFile(path, c10::str("two tensors disagree about storage ", reference.key));
    }
    const at::Tensor tensor =
        storage.as_strided(integersOf(*value->items[2]), integersOf(*value->items[3]), value->items[1]->integer);
    total += tensor.nbytes();
    if (total / kMaxSharing > file.size()) rejectTorchFile(path, "too many of its tensors share the same bytes");
    tensors[name] = tensor;
  }
  file.expectUnchanged();
  return tensors;
}

TensorMap readZip(const InputFile& file, const Wanted& wanted) {
  const std::string& path = file.path();
  const StoredZip zip(file);
  const auto record = [&](const std::string& name) {
    const StoredZip::Entry* entry = zip.find(name);
    if (entry == nullptr) rejectTorchFile(path, "it lacks the record " + name);
    return *entry;
  };
  if (zip.find("constants.pkl") != nullptr) {
    rejectTorchFile(path,
                    "it is a TorchScript archive; save the state_dict() of the model that it was made of instead");
  }
  const StoredZip::Entry* order = zip.find("byteorder");
  constexpr std::string_view kLittle = "little";
  if (order != nullptr && (order->size != kLittle.size() || file.text(order->position, order->size) != kLittle)) {
    rejectTorchFile(path, "it is big-endian");
  }
  const StoredZip::Entry entry = record("data.pkl");
  if (entry.size > kMaxPickleBytes) rejectTorchFile(path, "its pickle is too long");
  const std::string pickle = file.text(entry.position, entry.size);
  PickleReader reader(reinterpret_cast<const uint8_t*>(pickle.data()), pickle.size(), path);
  const auto load = [&](const StorageReference& storage) {
    const StoredZip::Entry data = record("data/" + std::string(storage.key));
    if (data.size < bytesOf(path, storage)) {
      rejectTorchFile(path, c10::str("storage ", storage.key, " is shorter than it claims"));
    }
    return readTensor(file, data.position, {storage.numel}, storage.dtype);
  };
  return collectTensors(file, reader.read(), load, wanted);
}

// The older format has four pickles (magic number, protocol, system, object) and a pickle of storage keys. Then the
// length and the bytes of each storage follow.
TensorMap readLegacy(const InputFile& file, const Wanted& wanted) {
  const std::string& path = file.path();
  const std::string pickles = file.text(0, std::min(file.size(), kMaxPickleBytes));
  size_t position = 0;
  std::vector<std::unique_ptr<PickleReader>> readers;
  const auto next = [&] {
    readers.push_back(std::make_unique<PickleReader>(reinterpret_cast<const uint8_t*>(pickles.data()) + position,
                                                     pickles.size() - position, path));
    const PickleValue* value = readers.back()->read();
    position += readers.back()->position();
    return value;
  };
  const PickleValue* magic = next();
  if (magic->kind != Kind::kLong || magic->text != kLegacyMagic)
    rejectTorchFile(path, "it does not begin as torch.save begins");
  const PickleValue* protocol = next();
  if (protocol->kind != Kind::kInteger || protocol->integer != kLegacyProtocol)
    rejectTorchFile(path, "its protocol is unknown");
  next();
  const PickleValue* root = next();
  const std::map<std::string_view, at::ScalarType> dtypes = readers.back()->storageTypes();
  const PickleValue* keys = next();
  if (keys->kind != Kind::kList) rejectTorchFile(path, "it lacks its list of storages");

  struct Place {
    int64_t numel;
    uint64_t position;
  };
  std::map<std::string_view, Place> places;
  uint64_t at = position;
  for (const PickleValue* key : keys->items) {
    int64_t numel = 0;
    if (key->kind != Kind::kText || file.size() - at < sizeof(numel)) rejectTorchFile(path, "a storage is missing");
    file.read(at, &numel, sizeof(numel));
    at += sizeof(numel);
    const auto dtype = dtypes.find(key->text);
    if (dtype == dtypes.end()) rejectTorchFile(path, c10::str("storage ", key->text, " belongs to no tensor"));
    if (numel < 0) rejectTorchFile(path, c10::str("storage ", key->text, " claims an impossible size"));
    const uint64_t bytes = bytesOf(path, {key->text, dtype->second, numel});
    if (bytes > file.size() - at) rejectTorchFile(path, c10::str("storage ", key->text, " is longer than the file"));
    places[key->text] = {numel, at};
    at += bytes;
  }
  const auto load = [&](const StorageReference& storage) {
    const auto place = places.find(storage.key);
    if (place == places.end() || place->second.numel < storage.numel || dtypes.at(storage.key) != storage.dtype) {
      rejectTorchFile(path, c10::str("storage ", storage.key, " is missing or too short"));
    }
    return readTensor(file, place->second.position, {storage.numel}, storage.dtype);
  };
  return collectTensors(file, root, load, wanted);
}

}  // namespace

TensorMap readTorchFile(const std::string& path) { return readTorchFile(*InputFile::open(path)); }

TensorMap readTorchFile(const InputFile& file, const Wanted& wanted) {
  const std::string& path = file.path();
  if (file.size() < kZipMagic.size()) rejectTorchFile(path, "it has only " + std::to_string(file.size()) + " bytes");
  try {
    const bool isZip = file.text(0, kZipMagic.size()) == kZipMagic;
    return isZip ? readZip(file, wanted) : readLegacy(file, wanted);
  } catch (const c10::Error& error) {
    const std::string reason = error.what_without_backtrace();
    rejectTorchFile(path, reason.substr(0, reason.find('\n')));
  }
}

}  // namespace dan::io
