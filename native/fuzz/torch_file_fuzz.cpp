#include "fuzz/fuzz.h"
#include "io/torch_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  dan::fuzz::expectDataOrError(size,
                               [&] { dan::fuzz::readAll(dan::io::readTorchFile(*dan::fuzz::asFile(data, size))); });
  return 0;
}
