// An AtomicFile appears whole or not at all. It is written beside its destination, flushed to disk and then renamed.
#pragma once

#include <cstddef>
#include <string>

namespace dan::io {

class AtomicFile {
 public:
  // No other writer has the same temporary name, be it another thread, another process or another copy of this library.
  explicit AtomicFile(std::string path);
  // Removes the partial file unless commit() succeeded.
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

// Returns a name beside `path` that this process has not used before. The caller must refuse a file that exists:
// another process may have the same number in another container.
std::string temporaryName(const std::string& path);

}  // namespace dan::io
