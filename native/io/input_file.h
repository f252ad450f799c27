// A file that is read and never mapped. A mapping ends the process (SIGBUS) when another one cuts the file off, and
// changes under its readers when another one writes into it; what was read stays as it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

namespace dan::io {

class InputFile {
 public:
  // Throws ERR_FILE_ACCESS when the file cannot be opened or is no regular file.
  static std::shared_ptr<const InputFile> open(const std::string& path);
  // Bytes that are in memory already; `name` stands for the path in errors.
  static std::shared_ptr<const InputFile> fromMemory(std::string name, std::vector<uint8_t> bytes);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  // In bytes, as it was when the file was opened.
  size_t size() const { return size_; }
  const std::string& path() const { return path_; }

  // Copies `count` bytes from `position` on, which must lie in the file. Throws ERR_FILE_ACCESS where the file has
  // become shorter since.
  void read(uint64_t position, void* into, size_t count) const;
  std::string text(uint64_t position, size_t count) const;
  // Throws ERR_FILE_ACCESS where the file was written to since it was opened: what was read may be of two versions.
  void expectUnchanged() const;

 private:
  InputFile(std::string path, int fd, size_t size);
  std::string path_;
  int fd_;  // -1 for bytes in memory
  size_t size_;
  timespec modified_{};
  std::vector<uint8_t> owned_;
};

// The whole of a small text file (a config, a vocabulary). Throws ERR_FILE_ACCESS, also above `limitBytes`, and
// ERR_MODEL_INVALID for a Git LFS pointer in its place.
std::string readTextFile(const std::string& path, size_t limitBytes = 64u << 20);

}  // namespace dan::io
