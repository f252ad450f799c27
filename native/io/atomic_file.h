// Files that appear whole or not at all: written beside their place, flushed to disk, then renamed.
#pragma once

#include <cstddef>
#include <string>

namespace dan::io {

class AtomicFile {
 public:
  explicit AtomicFile(std::string path);
  // Removes what was written unless commit() was reached.
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, size_t sizeBytes);
  void commit();

 private:
  [[noreturn]] void failWith(const char* what) const;
  std::string path_;
  std::string temporaryPath_;
  int fd_;
};

}  // namespace dan::io
