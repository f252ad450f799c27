// An InputFile is read, never mapped. A mapping would end the process (SIGBUS) when another process truncates the file,
// and its contents would change when another process writes to it.
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
  // Throws ERR_FILE_ACCESS when the file cannot be opened or is not a regular file.
  static std::shared_ptr<const InputFile> open(const std::string& path);
  // Wraps bytes that are already in memory. `name` stands for the path in errors.
  static std::shared_ptr<const InputFile> fromMemory(std::string name, std::vector<uint8_t> bytes);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  // This is the size in bytes when the file was opened.
  size_t size() const { return size_; }
  const std::string& path() const { return path_; }

  // Copies `count` bytes, beginning at `position`. They must lie in the file. Throws ERR_FILE_ACCESS if the file has
  // become shorter since.
  void read(uint64_t position, void* into, size_t count) const;
  std::string text(uint64_t position, size_t count) const;
  // Throws ERR_FILE_ACCESS if the file was written to since it was opened, since the bytes read may mix two versions.
  void expectUnchanged() const;

 private:
  InputFile(std::string path, int fd, size_t size);
  std::string path_;
  int fd_;  // -1 for bytes in memory
  size_t size_;
  timespec modified_{};
  std::vector<uint8_t> owned_;
};

// Reads the whole of a small text file (a config, a vocabulary). Throws ERR_FILE_ACCESS on failure or above
// `limitBytes`, and ERR_MODEL_INVALID if the file is a Git LFS pointer.
std::string readTextFile(const std::string& path, size_t limitBytes = 64u << 20);

}  // namespace dan::io
