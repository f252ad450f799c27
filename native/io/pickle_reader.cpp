#include "io/pickle_reader.h"

#include "io/pickle_globals.h"
#include "io/pickle_machine.h"

namespace dan::io {

StorageReference storageOf(const PickleValue& value) {
  return {value.items[1]->text, dtypeOfStorage(value.items[0]->text), value.items[2]->integer};
}

std::vector<int64_t> integersOf(const PickleValue& tuple) {
  std::vector<int64_t> values;
  values.reserve(tuple.items.size());
  for (const PickleValue* item : tuple.items) values.push_back(item->integer);
  return values;
}

const PickleValue* PickleReader::read() { return PickleMachine(input_, arena_).run(); }

std::map<std::string_view, at::ScalarType> PickleReader::storageTypes() const {
  std::map<std::string_view, at::ScalarType> types;
  for (const PickleValue& value : arena_) {
    if (value.kind != PickleValue::Kind::kStorage) continue;
    const StorageReference storage = storageOf(value);
    types[storage.key] = storage.dtype;
  }
  return types;
}

}  // namespace dan::io
