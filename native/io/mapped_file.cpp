#include "io/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/error.h"
#include "core/host_memory.h"

namespace dan::io {

namespace {

class Descriptor {
 public:
  explicit Descriptor(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (fd_ < 0) fail(kFileAccess, "Cannot open ", path, ": ", std::strerror(errno));
  }
  ~Descriptor() { ::close(fd_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

std::shared_ptr<const MappedFile> MappedFile::open(const std::string& path) {
  const Descriptor file(path);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) fail(kFileAccess, "Cannot read ", path, ": ", std::strerror(errno));
  if (!S_ISREG(info.st_mode)) fail(kFileAccess, "Cannot read ", path, ": not a regular file");
  const auto size = static_cast<size_t>(info.st_size);
  if (size == 0) return std::shared_ptr<const MappedFile>(new MappedFile(path, nullptr, 0));
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (data == MAP_FAILED) fail(kFileAccess, "Cannot map ", path, ": ", std::strerror(errno));
  countHostBytes(static_cast<int64_t>(size));
  return std::shared_ptr<const MappedFile>(new MappedFile(path, static_cast<const uint8_t*>(data), size));
}

MappedFile::MappedFile(std::string path, const uint8_t* data, size_t size)
    : path_(std::move(path)), data_(data), size_(size) {}

std::shared_ptr<const MappedFile> MappedFile::fromMemory(std::string name, std::vector<uint8_t> bytes) {
  auto* file = new MappedFile(std::move(name), nullptr, bytes.size());
  file->owned_ = std::move(bytes);
  file->data_ = file->owned_.data();
  return std::shared_ptr<const MappedFile>(file);
}

MappedFile::~MappedFile() {
  if (data_ == nullptr || !owned_.empty()) return;
  ::munmap(const_cast<uint8_t*>(data_), size_);
  countHostBytes(-static_cast<int64_t>(size_));
}

std::string readTextFile(const std::string& path, size_t limitBytes) {
  const auto file = MappedFile::open(path);
  if (file->size() > limitBytes) {
    fail(kFileAccess, path, " has ", file->size(), " bytes; at most ", limitBytes, " are expected of such a file");
  }
  return std::string(reinterpret_cast<const char*>(file->data()), file->size());
}

}  // namespace dan::io
