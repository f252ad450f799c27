// Files that appear whole or not at all: written beside their place, flushed to disk, then renamed.
#pragma once

#include <cstddef>
#include <string>

namespace dan::io {

class AtomicFile {
 public:
  // The temporary name is no other writer's: not another thread's, process's or copy of this library's.
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

// A name beside `path` that this process has not given before. Whoever makes it must refuse one that exists: another
// process may have the same number in another container.
std::string temporaryName(const std::string& path);

}  // namespace dan::io
