// What a pickle holds once it was run: data and nothing else.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
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

}  // namespace dan::io
