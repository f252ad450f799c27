// A pickle interpreter that can build data and nothing else: it knows the opcodes that torch.save writes and the few
// names that a state dict refers to. Anything else is an error that names it; nothing is ever called.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace dan::io {

struct PickleValue;
using PickleList = std::vector<const PickleValue*>;

// A value of a pickle. Text is a view of the pickle's bytes, and whatever refers to other values points to them: the
// memory of a pickle is a small multiple of its length however often it recalls a value.
struct PickleValue {
  enum class Kind { kNone, kBool, kInteger, kLong, kFloat, kText, kTuple, kList, kDict, kGlobal, kStorage, kTensor };
  Kind kind = Kind::kNone;
  int64_t integer = 0;    // of kBool, kInteger
  std::string_view text;  // of kText, kGlobal ("module\nname"), kLong (little-endian bytes)
  // Of kTuple, kList; of kDict: key, value, key, value, …; of kStorage: type, key, number of elements; of kTensor:
  // storage, offset, sizes, strides, which are checked.
  PickleList items;
};

// A storage as a pickle names it; its bytes are elsewhere in the file.
struct StorageReference {
  std::string_view key;
  at::ScalarType dtype;
  int64_t numel;
};
// Of a kStorage.
StorageReference storageOf(const PickleValue& value);
// Of a tuple of integers.
std::vector<int64_t> integersOf(const PickleValue& tuple);

// One pickle. Values live as long as the reader, and it and they refer to the pickle's bytes.
class PickleReader {
 public:
  // `source` names the file in errors. Time and memory are bounded by the length of the input, and by a number of
  // opcodes that no state dict needs.
  PickleReader(const uint8_t* data, size_t sizeBytes, std::string source);
  ~PickleReader();

  // Runs up to STOP. Throws ERR_WEIGHTS_INVALID naming what the file holds that a state dict does not.
  const PickleValue* read();
  // Where the byte after STOP is.
  size_t position() const { return position_; }
  // The type of each storage that the pickle refers to, by its key.
  std::map<std::string_view, at::ScalarType> storageTypes() const;

 private:
  class Machine;
  const uint8_t* data_;
  size_t size_;
  size_t position_ = 0;
  std::string source_;
  std::deque<PickleValue> arena_;  // flat ownership: deep nesting cannot overflow a destructor
};

}  // namespace dan::io
