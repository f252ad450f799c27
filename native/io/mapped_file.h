// A file mapped read-only into memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace dan::io {

class MappedFile {
 public:
  // Throws ERR_FILE_ACCESS when the file cannot be opened or is no regular file.
  static std::shared_ptr<const MappedFile> open(const std::string& path);
  // Bytes that are in memory already; `name` stands for the path in errors.
  static std::shared_ptr<const MappedFile> fromMemory(std::string name, std::vector<uint8_t> bytes);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  const std::string& path() const { return path_; }

 private:
  MappedFile(std::string path, const uint8_t* data, size_t size);
  std::string path_;
  std::vector<uint8_t> owned_;  // empty for a mapping
  const uint8_t* data_;
  size_t size_;
};

// The whole of a small text file (a config, a vocabulary). Throws ERR_FILE_ACCESS, also above `limitBytes`.
std::string readTextFile(const std::string& path, size_t limitBytes = 64u << 20);

}  // namespace dan::io
