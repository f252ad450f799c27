#include "io/stored_zip.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "core/error.h"

namespace dan::io {

namespace {

// The format follows APPNOTE.TXT 6.3.10, sections 4.3 to 4.5.
constexpr uint32_t kEndSignature = 0x06054b50, kEnd64LocatorSignature = 0x07064b50, kEnd64Signature = 0x06064b50,
                   kDirectorySignature = 0x02014b50, kLocalSignature = 0x04034b50;
constexpr size_t kEndBytes = 22, kEnd64LocatorBytes = 20, kEnd64Bytes = 56, kDirectoryBytes = 46, kLocalBytes = 30;
constexpr size_t kMaxComment = 0xffff;
constexpr uint16_t kZip64Field = 1, kEncryptedFlag = 1;
constexpr uint32_t kIn64 = 0xffffffff;
// A directory entry takes about 100 bytes, and a model has some thousand entries.
constexpr uint64_t kMaxDirectoryBytes = 64u << 20;

[[noreturn]] void reject(const InputFile& file, const std::string& reason) {
  fail(kWeightsInvalid, file.path(), " is not a valid PyTorch weights file: ", reason);
}

// This holds a part of the file in memory. It reads little-endian numbers at checked positions, which count from the
// beginning of the file.
class Bytes {
 public:
  Bytes(const InputFile& file, uint64_t begin, uint64_t end) : file_(file), begin_(begin) {
    if (begin > end || end > file.size()) reject("its zip directory leaves the file");
    bytes_ = file.text(begin, end - begin);
  }

  [[noreturn]] void reject(const std::string& reason) const { io::reject(file_, reason); }
  const char* at(uint64_t position, uint64_t count) const {
    if (position < begin_ || position - begin_ > bytes_.size() || count > bytes_.size() - (position - begin_)) {
      reject("its zip directory leaves the file");
    }
    return bytes_.data() + (position - begin_);
  }
  template <class T>
  T number(uint64_t position) const {
    T value;
    std::memcpy(&value, at(position, sizeof(T)), sizeof(T));
    return value;
  }

 private:
  const InputFile& file_;
  uint64_t begin_;
  std::string bytes_;
};

struct Directory {
  uint64_t count, begin, end;
};

Directory findDirectory(const InputFile& file) {
  if (file.size() < kEndBytes) reject(file, "it is too short for a zip archive");
  // Only a comment may follow the end record.
  const uint64_t last = file.size() - kEndBytes, first = last - std::min<uint64_t>(last, kMaxComment);
  const Bytes tail(file, first - std::min<uint64_t>(first, kEnd64LocatorBytes), file.size());
  uint64_t end = last;
  while (tail.number<uint32_t>(end) != kEndSignature) {
    if (end-- == first) reject(file, "its zip directory is missing: the file is cut off");
  }
  Directory directory{tail.number<uint16_t>(end + 10), tail.number<uint32_t>(end + 16), end};
  if (end >= kEnd64LocatorBytes && tail.number<uint32_t>(end - kEnd64LocatorBytes) == kEnd64LocatorSignature) {
    const auto position = tail.number<uint64_t>(end - kEnd64LocatorBytes + 8);
    if (position > end || end - position < kEnd64Bytes) reject(file, "its zip directory leaves the file");
    const Bytes record(file, position, position + kEnd64Bytes);
    if (record.number<uint32_t>(position) != kEnd64Signature) reject(file, "its zip directory is damaged");
    directory = {record.number<uint64_t>(position + 32), record.number<uint64_t>(position + 48), position};
  }
  if (directory.begin > directory.end) reject(file, "its zip directory leaves the file");
  if (directory.end - directory.begin > kMaxDirectoryBytes) reject(file, "its zip directory is too long");
  return directory;
}

// These are the sizes and the position of an entry. Values that do not fit into 32 bits are in an extra field.
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

// Returns the path below the archive's single folder. torch.save names that folder after the file, and the first entry
// tells its name.
std::string belowFolder(const Bytes& bytes, std::string& folder, const std::string& path) {
  if (folder.empty()) folder = path.substr(0, path.find('/')) + "/";
  const bool leaves = ("/" + path + "/").find("/../") != std::string::npos;
  if (leaves || path.rfind(folder, 0) != 0) bytes.reject("the record " + path + " is not in its folder " + folder);
  return path.substr(folder.size());
}

}  // namespace

StoredZip::StoredZip(const InputFile& file) {
  const Directory directory = findDirectory(file);
  const Bytes bytes(file, directory.begin, directory.end);
  uint64_t position = directory.begin;
  std::string folder;
  std::vector<std::pair<uint64_t, uint64_t>> taken;  // the begin and end of each entry
  for (uint64_t i = 0; i < directory.count; ++i) {
    bytes.at(position, kDirectoryBytes);
    if (bytes.number<uint32_t>(position) != kDirectorySignature) bytes.reject("its zip directory is damaged");
    const auto nameBytes = bytes.number<uint16_t>(position + 28), extraBytes = bytes.number<uint16_t>(position + 30),
               commentBytes = bytes.number<uint16_t>(position + 32);
    const uint64_t extra = position + kDirectoryBytes + nameBytes;
    const std::string path(bytes.at(position + kDirectoryBytes, nameBytes), nameBytes);
    const Extent extent = readExtent(bytes, position, extra, extraBytes);
    if ((bytes.number<uint16_t>(position + 8) & kEncryptedFlag) != 0) bytes.reject(path + " is encrypted");
    if (bytes.number<uint16_t>(position + 10) != 0 || extent.size != extent.compressedSize) {
      bytes.reject("the record " + path + " is compressed, which torch.save does not do");
    }
    const std::string lost = "the record " + path + " is lost";
    if (extent.localHeader > file.size() || file.size() - extent.localHeader < kLocalBytes) bytes.reject(lost);
    const Bytes local(file, extent.localHeader, extent.localHeader + kLocalBytes);
    if (local.number<uint32_t>(extent.localHeader) != kLocalSignature) bytes.reject(lost);
    // The entry's own header, not the directory, gives the lengths of its name and extra field.
    const uint64_t data = extent.localHeader + kLocalBytes + local.number<uint16_t>(extent.localHeader + 26) +
                          local.number<uint16_t>(extent.localHeader + 28);
    if (data > file.size() || extent.size > file.size() - data) {
      bytes.reject("the record " + path + " claims more bytes than the file has");
    }
    const std::string name = belowFolder(bytes, folder, path);
    if (!entries_.emplace(name, Entry{data, extent.size}).second) {
      bytes.reject("its zip directory names " + name + " twice");
    }
    taken.emplace_back(extent.localHeader, data + extent.size);
    position = extra + extraBytes + commentBytes;
  }
  // Without this check a small file could present the same bytes as many large tensors.
  std::sort(taken.begin(), taken.end());
  for (size_t i = 1; i < taken.size(); ++i) {
    if (taken[i].first < taken[i - 1].second) bytes.reject("records of its zip archive overlap");
  }
}

const StoredZip::Entry* StoredZip::find(const std::string& name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : &found->second;
}

}  // namespace dan::io
