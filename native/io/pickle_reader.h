// A pickle interpreter that can build data and nothing else: it knows the opcodes that torch.save writes and the few
// names that a state dict refers to. Anything else is an error that names it; nothing is ever called.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace dan::io {

struct PickleValue;
using PickleList = std::vector<const PickleValue*>;

// A storage as a pickle names it; its bytes are elsewhere in the file.
struct StorageReference {
  std::string key;
  at::ScalarType dtype = at::kFloat;
  int64_t numel = 0;
};

struct PickleValue {
  enum class Kind { kNone, kBool, kInteger, kLong, kFloat, kText, kTuple, kList, kDict, kGlobal, kStorage, kTensor };
  Kind kind = Kind::kNone;
  int64_t integer = 0;       // of kBool, kInteger
  double number = 0;         // of kFloat
  std::string text;          // of kText, kGlobal ("module name"), kLong (little-endian bytes)
  PickleList items;          // of kTuple, kList; of kDict: key, value, key, value, …
  StorageReference storage;  // of kStorage, kTensor
  int64_t storageOffset = 0;
  std::vector<int64_t> sizes, strides;  // of kTensor
};

// One pickle; values live as long as the reader.
class PickleReader {
 public:
  // `source` names the file in errors. Time and memory are bounded by the length of the input.
  PickleReader(const uint8_t* data, size_t sizeBytes, std::string source);
  ~PickleReader();

  // Runs up to STOP. Throws ERR_WEIGHTS_INVALID naming what the file holds that a state dict does not.
  const PickleValue* read();
  // Where the byte after STOP is.
  size_t position() const { return position_; }
  // Every storage that the pickle refers to.
  std::vector<StorageReference> storages() const;

 private:
  class Machine;
  const uint8_t* data_;
  size_t size_;
  size_t position_ = 0;
  std::string source_;
  std::vector<std::unique_ptr<PickleValue>> arena_;  // flat ownership: deep nesting cannot overflow a destructor
};

}  // namespace dan::io
