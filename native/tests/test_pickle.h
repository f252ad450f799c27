// These functions write pickles and zip archives for tests of hostile files.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace dan::tests {

inline std::string little(uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i));
  return text;
}

inline std::string pickleText(const std::string& text) { return "X" + little(text.size(), 4) + text; }
inline std::string pickleGlobal(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}
inline std::string pickleInteger(uint32_t value) { return "J" + little(value, 4); }

// These return the persistent id of a float storage, and a tensor of all of it.
inline std::string pickleStorage(const std::string& key, uint32_t numel) {
  return "(" + pickleText("storage") + pickleGlobal("torch", "FloatStorage") + pickleText(key) + pickleText("cpu") +
         pickleInteger(numel) + "tQ";
}
inline std::string pickleTensor(const std::string& storage, uint32_t numel) {
  return pickleGlobal("torch._utils", "_rebuild_tensor_v2") + "(" + storage + "K" + std::string(1, '\0') +
         pickleInteger(numel) + "\x85K\x01\x85\x89" + pickleGlobal("collections", "OrderedDict") + ")RtR";
}

struct ZipRecord {
  std::string name, data;
};

// Returns an archive of stored records. `directory` may name other records than the archive has: (name, index of the
// record).
inline std::string zipOf(const std::vector<ZipRecord>& records,
                         std::vector<std::pair<std::string, size_t>> directory = {}) {
  std::string file;
  std::vector<uint64_t> places;
  for (const ZipRecord& record : records) {
    places.push_back(file.size());
    file += "PK\3\4" + std::string("\x0a\0\0\0\0\0\0\0\0\0", 10) + little(0, 4) + little(record.data.size(), 4) +
            little(record.data.size(), 4) + little(record.name.size(), 2) + little(0, 2) + record.name + record.data;
  }
  if (directory.empty()) {
    for (size_t i = 0; i < records.size(); ++i) directory.emplace_back(records[i].name, i);
  }
  const uint64_t begin = file.size();
  for (const auto& [name, index] : directory) {
    const uint64_t size = records[index].data.size();
    file += "PK\1\2" + std::string("\x0a\0\x0a\0\0\0\0\0\0\0\0\0", 12) + little(0, 4) + little(size, 4) +
            little(size, 4) + little(name.size(), 2) + std::string(12, '\0') + little(places[index], 4) + name;
  }
  const uint64_t end = file.size();
  return file + "PK\5\6" + little(0, 4) + little(directory.size(), 2) + little(directory.size(), 2) +
         little(end - begin, 4) + little(begin, 4) + little(0, 2);
}

}  // namespace dan::tests
