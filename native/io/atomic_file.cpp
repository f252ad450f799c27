#include "io/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "core/error.h"

namespace dan::io {

std::string temporaryName(const std::string& path) {
  static std::atomic<uint64_t> count{0};
  return path + ".partial-" + std::to_string(::getpid()) + "-" + std::to_string(count++);
}

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)) {
  do {
    temporaryPath_ = temporaryName(path_);
    fd_ = ::open(temporaryPath_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  } while (fd_ < 0 && errno == EEXIST);
  if (fd_ < 0) failWith("create");
}

AtomicFile::~AtomicFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(temporaryPath_.c_str());
}

void AtomicFile::write(const void* data, size_t sizeBytes) {
  const char* next = static_cast<const char*>(data);
  while (sizeBytes > 0) {
    const ssize_t written = ::write(fd_, next, sizeBytes);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) failWith("write");
    next += written;
    sizeBytes -= static_cast<size_t>(written);
  }
}

void AtomicFile::commit() {
  if (::fsync(fd_) != 0) failWith("flush");
  if (::rename(temporaryPath_.c_str(), path_.c_str()) != 0) failWith("rename");
  ::close(fd_);
  fd_ = -1;
}

void AtomicFile::failWith(const char* what) const {
  fail(kFileAccess, "Cannot ", what, " ", path_, ": ", std::strerror(errno));
}

}  // namespace dan::io
