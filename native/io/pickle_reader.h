// A pickle interpreter that can build data and nothing else: it knows the opcodes that torch.save writes and the few
// names that a state dict refers to. Anything else is an error that names it; nothing is ever called.
#pragma once

#include <deque>
#include <map>
#include <string>

#include "io/pickle_input.h"
#include "io/pickle_value.h"

namespace dan::io {

// One pickle. Values live as long as the reader, and it and they refer to the pickle's bytes.
class PickleReader {
 public:
  // `source` names the file in errors. Time and memory are bounded by the length of the input, and by a number of
  // opcodes that no state dict needs.
  PickleReader(const uint8_t* data, size_t sizeBytes, std::string source)
      : input_(data, sizeBytes, std::move(source)) {}
  PickleReader(const PickleReader&) = delete;
  PickleReader& operator=(const PickleReader&) = delete;

  // Runs up to STOP. Throws ERR_WEIGHTS_INVALID naming what the file holds that a state dict does not.
  const PickleValue* read();
  // Where the byte after STOP is.
  size_t position() const { return input_.position(); }
  // The type of each storage that the pickle refers to, by its key.
  std::map<std::string_view, at::ScalarType> storageTypes() const;

 private:
  PickleInput input_;
  std::deque<PickleValue> arena_;  // flat ownership: deep nesting cannot overflow a destructor
};

}  // namespace dan::io
