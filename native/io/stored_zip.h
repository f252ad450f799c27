// A zip archive whose entries are stored without compression, as torch.save writes them. libtorch's own reader
// allocates whatever a broken directory claims before it looks at the file's length; this one only ever points into the
// mapping.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "io/mapped_file.h"

namespace dan::io {

class StoredZip {
 public:
  struct Entry {
    const uint8_t* data;
    size_t size;
  };

  // Reads the directory (zip64 too). Throws ERR_WEIGHTS_INVALID naming the file and what is wrong: a directory or an
  // entry that leaves the file, an entry that is compressed, encrypted, there twice or outside of the archive's folder.
  explicit StoredZip(std::shared_ptr<const MappedFile> file);

  // By the path below the archive's one folder; null where there is none.
  const Entry* find(const std::string& name) const;

 private:
  std::shared_ptr<const MappedFile> file_;
  std::map<std::string, Entry> entries_;
};

}  // namespace dan::io
