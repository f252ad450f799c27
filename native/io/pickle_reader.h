// This pickle interpreter can only build data. It knows the opcodes that torch.save writes and the few names that a
// state dict refers to. Any other opcode or name is an error. It never calls a function of the file.
#pragma once

#include <deque>
#include <map>
#include <string>

#include "io/pickle_input.h"
#include "io/pickle_value.h"

namespace dan::io {

// A PickleReader reads one pickle. Its values live as long as the reader, and they refer to the pickle's bytes.
class PickleReader {
 public:
  // `source` names the file in errors. Time and memory are bounded by the length of the input, and by a maximum number
  // of opcodes.
  PickleReader(const uint8_t* data, size_t sizeBytes, std::string source)
      : input_(data, sizeBytes, std::move(source)) {}
  PickleReader(const PickleReader&) = delete;
  PickleReader& operator=(const PickleReader&) = delete;

  // Runs up to STOP. Throws ERR_WEIGHTS_INVALID with the content that does not belong to a state dict.
  const PickleValue* read();
  // Returns the position of the byte after STOP.
  size_t position() const { return input_.position(); }
  // Returns the dtype of each storage that the pickle refers to, by its key.
  std::map<std::string_view, at::ScalarType> storageTypes() const;

 private:
  PickleInput input_;
  std::deque<PickleValue> arena_;  // One owner of all values: deep nesting cannot overflow the stack in a destructor.
};

}  // namespace dan::io
