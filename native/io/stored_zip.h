// A StoredZip reads a zip archive whose entries are not compressed, such as those of torch.save. libtorch's own reader
// allocates whatever size a damaged directory claims, before it looks at the file's length. This reader only locates
// the entries in the file.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "io/input_file.h"

namespace dan::io {

class StoredZip {
 public:
  struct Entry {
    uint64_t position;
    uint64_t size;
  };

  // Reads the directory (also zip64). Throws ERR_WEIGHTS_INVALID naming the file and the fault: a directory or an entry
  // that leaves the file, or an entry that is compressed, encrypted, duplicated, outside of the archive's folder or
  // overlapping another.
  explicit StoredZip(const InputFile& file);

  // Finds an entry by its path below the archive's single folder. Returns null if there is none.
  const Entry* find(const std::string& name) const;

 private:
  std::map<std::string, Entry> entries_;
};

}  // namespace dan::io
