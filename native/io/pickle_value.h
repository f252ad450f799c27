// These types hold the data that a pickle builds.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <string_view>
#include <vector>

namespace dan::io {

struct PickleValue;
using PickleList = std::vector<const PickleValue*>;

// A PickleValue never copies. Text is a view of the pickle's bytes, and items point to other values. The memory of a
// pickle is therefore a small multiple of its length, even if it refers to the same value many times.
struct PickleValue {
  enum class Kind { kNone, kBool, kInteger, kLong, kFloat, kText, kTuple, kList, kDict, kGlobal, kStorage, kTensor };
  Kind kind = Kind::kNone;
  int64_t integer = 0;    // of kBool, kInteger
  std::string_view text;  // of kText, kGlobal ("module\nname"), kLong (little-endian bytes)
  // A kTuple or kList has its items here. A kDict has key, value, key, value, …. A kStorage has type, key and number of
  // elements. A kTensor has storage, offset, sizes and strides, which are checked.
  PickleList items;
};

// A pickle refers to a storage in this way. The bytes of the storage are elsewhere in the file.
struct StorageReference {
  std::string_view key;
  at::ScalarType dtype;
  int64_t numel;
};
// Returns the reference of a kStorage.
StorageReference storageOf(const PickleValue& value);
// Returns the integers of a tuple.
std::vector<int64_t> integersOf(const PickleValue& tuple);

}  // namespace dan::io
