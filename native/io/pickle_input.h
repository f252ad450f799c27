// A PickleInput reads the bytes of a pickle in order and without copies. It throws if the pickle ends too early.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace dan::io {

class PickleInput {
 public:
  // `source` names the file in errors. The bytes must outlive the object and what it returns.
  PickleInput(const uint8_t* data, size_t sizeBytes, std::string source)
      : data_(data), size_(sizeBytes), source_(std::move(source)) {}

  // Returns the position of the next byte.
  size_t position() const { return position_; }
  // Throws ERR_WEIGHTS_INVALID naming the file, the reason and the position.
  [[noreturn]] void reject(const std::string& reason) const;

  const uint8_t* take(size_t count);
  uint8_t byte() { return *take(1); }
  // Reads a little-endian number.
  template <class T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof(T)), sizeof(T));
    return value;
  }
  std::string_view text(size_t length) { return {reinterpret_cast<const char*>(take(length)), length}; }
  // Reads two lines. The result omits the second newline.
  std::string_view twoLines();

 private:
  const uint8_t* data_;
  size_t size_;
  size_t position_ = 0;
  std::string source_;
};

}  // namespace dan::io
