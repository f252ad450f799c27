// A zip archive whose entries are stored without compression, as torch.save writes them. libtorch's own reader
// allocates whatever a broken directory claims before it looks at the file's length; this one only says where in the
// file an entry lies.
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

  // Reads the directory (zip64 too). Throws ERR_WEIGHTS_INVALID naming the file and what is wrong: a directory or an
  // entry that leaves the file, an entry that is compressed, encrypted, there twice, outside of the archive's folder or
  // on the bytes of another.
  explicit StoredZip(const InputFile& file);

  // By the path below the archive's one folder; null where there is none.
  const Entry* find(const std::string& name) const;

 private:
  std::map<std::string, Entry> entries_;
};

}  // namespace dan::io
