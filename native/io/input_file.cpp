#include "io/input_file.h"

#include <c10/util/Exception.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/error.h"
#include "io/foreign_file.h"

namespace dan::io {

std::shared_ptr<const InputFile> InputFile::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // opening a pipe must not block
  if (fd < 0) fail(kFileAccess, "Cannot open ", path, ": ", std::strerror(errno));
  const std::shared_ptr<InputFile> file(new InputFile(path, fd, 0));  // the object closes it from here on
  struct stat info {};
  if (::fstat(fd, &info) != 0) fail(kFileAccess, "Cannot read ", path, ": ", std::strerror(errno));
  if (!S_ISREG(info.st_mode)) fail(kFileAccess, "Cannot read ", path, ": not a regular file");
  file->size_ = static_cast<size_t>(info.st_size);
  file->modified_ = info.st_mtim;
  return file;
}

InputFile::InputFile(std::string path, int fd, size_t size) : path_(std::move(path)), fd_(fd), size_(size) {}

std::shared_ptr<const InputFile> InputFile::fromMemory(std::string name, std::vector<uint8_t> bytes) {
  const std::shared_ptr<InputFile> file(new InputFile(std::move(name), -1, bytes.size()));
  file->owned_ = std::move(bytes);
  return file;
}

InputFile::~InputFile() {
  if (fd_ >= 0) ::close(fd_);
}

void InputFile::read(uint64_t position, void* into, size_t count) const {
  TORCH_CHECK(position <= size_ && count <= size_ - position, "read beyond the end of ", path_);
  if (fd_ < 0) {
    if (count > 0) std::memcpy(into, owned_.data() + position, count);
    return;
  }
  auto* next = static_cast<uint8_t*>(into);
  while (count > 0) {
    const ssize_t got = ::pread(fd_, next, count, static_cast<off_t>(position));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(kFileAccess, "Cannot read ", path_, ": ", std::strerror(errno));
    if (got == 0) fail(kFileAccess, "Cannot read ", path_, ": it became shorter while it was read");
    next += got;
    position += static_cast<uint64_t>(got);
    count -= static_cast<size_t>(got);
  }
}

std::string InputFile::text(uint64_t position, size_t count) const {
  std::string text(count, '\0');
  read(position, text.data(), count);
  return text;
}

void InputFile::expectUnchanged() const {
  if (fd_ < 0) return;
  struct stat info {};
  if (::fstat(fd_, &info) != 0) fail(kFileAccess, "Cannot read ", path_, ": ", std::strerror(errno));
  const bool isSame = static_cast<size_t>(info.st_size) == size_ && info.st_mtim.tv_sec == modified_.tv_sec &&
                      info.st_mtim.tv_nsec == modified_.tv_nsec;
  if (!isSame) fail(kFileAccess, "Cannot read ", path_, ": it was written to while it was read; try again");
}

std::string readTextFile(const std::string& path, size_t limitBytes) {
  const auto file = InputFile::open(path);
  if (file->size() > limitBytes) {
    fail(kFileAccess, path, " has ", file->size(), " bytes; at most ", limitBytes, " are expected of such a file");
  }
  std::string text = file->text(0, file->size());
  if (isLfsPointer(text)) fail(kModelInvalid, path, " is ", kLfsPointer);
  return text;
}

}  // namespace dan::io
