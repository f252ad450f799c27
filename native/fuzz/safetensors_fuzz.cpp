#include "fuzz/fuzz.h"
#include "io/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  dan::fuzz::expectDataOrError(
      size, [&] { dan::fuzz::readAll(dan::io::readSafetensors(*dan::fuzz::asFile(data, size)).tensors); });
  return 0;
}
