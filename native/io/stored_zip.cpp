#include "io/stored_zip.h"

#include <algorithm>
#include <cstring>

#include "core/error.h"

namespace dan::io {

namespace {

// APPNOTE.TXT 6.3.10, sections 4.3 to 4.5.
constexpr uint32_t kEndSignature = 0x06054b50, kEnd64LocatorSignature = 0x07064b50, kEnd64Signature = 0x06064b50,
                   kDirectorySignature = 0x02014b50, kLocalSignature = 0x04034b50;
constexpr size_t kEndBytes = 22, kEnd64LocatorBytes = 20, kEnd64Bytes = 56, kDirectoryBytes = 46, kLocalBytes = 30;
constexpr size_t kMaxComment = 0xffff;
constexpr uint16_t kZip64Field = 1, kEncryptedFlag = 1;
constexpr uint32_t kIn64 = 0xffffffff;

// Reads little-endian numbers at checked places of the file.
class Bytes {
 public:
  explicit Bytes(const MappedFile& file) : file_(file) {}

  [[noreturn]] void reject(const std::string& reason) const {
    fail(kWeightsInvalid, file_.path(), " is not a valid PyTorch weights file: ", reason);
  }
  const uint8_t* at(uint64_t position, uint64_t count) const {
    if (position > file_.size() || count > file_.size() - position) reject("its zip directory leaves the file");
    return file_.data() + position;
  }
  template <class T>
  T number(uint64_t position) const {
    T value;
    std::memcpy(&value, at(position, sizeof(T)), sizeof(T));
    return value;
  }

 private:
  const MappedFile& file_;
};

struct Directory {
  uint64_t count, position;
};

Directory findDirectory(const Bytes& bytes, size_t fileBytes) {
  if (fileBytes < kEndBytes) bytes.reject("it is too short for a zip archive");
  // The end record is the last thing in the file but for a comment.
  const uint64_t last = fileBytes - kEndBytes, first = last - std::min<uint64_t>(last, kMaxComment);
  uint64_t end = last;
  while (bytes.number<uint32_t>(end) != kEndSignature) {
    if (end-- == first) bytes.reject("its zip directory is missing: the file is cut off");
  }
  if (end >= kEnd64LocatorBytes && bytes.number<uint32_t>(end - kEnd64LocatorBytes) == kEnd64LocatorSignature) {
    const auto record = bytes.number<uint64_t>(end - kEnd64LocatorBytes + 8);
    bytes.at(record, kEnd64Bytes);
    if (bytes.number<uint32_t>(record) != kEnd64Signature) bytes.reject("its zip directory is damaged");
    return {bytes.number<uint64_t>(record + 32), bytes.number<uint64_t>(record + 48)};
  }
  return {bytes.number<uint16_t>(end + 10), bytes.number<uint32_t>(end + 16)};
}

// Sizes and position of an entry, which are in an extra field where they do not fit into 32 bits.
struct Extent {
  uint64_t size, compressedSize, localHeader;
};

Extent readExtent(const Bytes& bytes, uint64_t entry, uint64_t extra, uint64_t extraBytes) {
  Extent extent{bytes.number<uint32_t>(entry + 24), bytes.number<uint32_t>(entry + 20),
                bytes.number<uint32_t>(entry + 42)};
  for (uint64_t field = extra; field + 4 <= extra + extraBytes;) {
    const auto length = bytes.number<uint16_t>(field + 2);
    if (bytes.number<uint16_t>(field) == kZip64Field) {
      uint64_t position = field + 4;
      const uint64_t fieldEnd = position + length;
      for (uint64_t* value : {&extent.size, &extent.compressedSize, &extent.localHeader}) {
        if (*value != kIn64) continue;
        if (position + 8 > fieldEnd) bytes.reject("an entry of its zip directory lacks its size");
        *value = bytes.number<uint64_t>(position);
        position += 8;
      }
    }
    field += 4 + length;
  }
  return extent;
}

// The path below the archive's one folder, which torch.save names after the file and the first entry decides.
std::string belowFolder(const Bytes& bytes, std::string& folder, const std::string& path) {
  if (folder.empty()) folder = path.substr(0, path.find('/')) + "/";
  const bool leaves = ("/" + path + "/").find("/../") != std::string::npos;
  if (leaves || path.rfind(folder, 0) != 0) bytes.reject("the record " + path + " is not in its folder " + folder);
  return path.substr(folder.size());
}

}  // namespace

StoredZip::StoredZip(std::shared_ptr<const MappedFile> file) : file_(std::move(file)) {
  const Bytes bytes(*file_);
  const Directory directory = findDirectory(bytes, file_->size());
  uint64_t position = directory.position;
  std::string folder;
  for (uint64_t i = 0; i < directory.count; ++i) {
    bytes.at(position, kDirectoryBytes);
    if (bytes.number<uint32_t>(position) != kDirectorySignature) bytes.reject("its zip directory is damaged");
    const auto nameBytes = bytes.number<uint16_t>(position + 28), extraBytes = bytes.number<uint16_t>(position + 30),
               commentBytes = bytes.number<uint16_t>(position + 32);
    const uint64_t extra = position + kDirectoryBytes + nameBytes;
    const std::string path(reinterpret_cast<const char*>(bytes.at(position + kDirectoryBytes, nameBytes)), nameBytes);
    const Extent extent = readExtent(bytes, position, extra, extraBytes);
    if ((bytes.number<uint16_t>(position + 8) & kEncryptedFlag) != 0) bytes.reject(path + " is encrypted");
    if (bytes.number<uint16_t>(position + 10) != 0 || extent.size != extent.compressedSize) {
      bytes.reject("the record " + path + " is compressed, which torch.save does not do");
    }
    bytes.at(extent.localHeader, kLocalBytes);
    if (bytes.number<uint32_t>(extent.localHeader) != kLocalSignature) bytes.reject("the record " + path + " is lost");
    // Name and extra field are as long as the entry's own header says, not the directory.
    const uint64_t data = extent.localHeader + kLocalBytes + bytes.number<uint16_t>(extent.localHeader + 26) +
                          bytes.number<uint16_t>(extent.localHeader + 28);
    if (data > file_->size() || extent.size > file_->size() - data) {
      bytes.reject("the record " + path + " claims more bytes than the file has");
    }
    const std::string name = belowFolder(bytes, folder, path);
    if (!entries_.emplace(name, Entry{file_->data() + data, extent.size}).second) {
      bytes.reject("its zip directory names " + name + " twice");
    }
    position = extra + extraBytes + commentBytes;
  }
}

const StoredZip::Entry* StoredZip::find(const std::string& name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : &found->second;
}

}  // namespace dan::io
