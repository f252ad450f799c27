// The input holds a vocabulary, a zero byte, merges, a zero byte and a prompt. Later parts may be missing.
#include <string>

#include "fuzz/fuzz.h"
#include "model/clip_tokenizer.h"

namespace {

std::string takePart(std::string& rest) {
  const size_t end = rest.find('\0');
  const std::string part = rest.substr(0, end);
  rest = end == std::string::npos ? "" : rest.substr(end + 1);
  return part;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string rest(reinterpret_cast<const char*>(data), size);
  const std::string vocabulary = takePart(rest), merges = takePart(rest);
  dan::fuzz::expectDataOrError(size, [&] {
    const dan::model::ClipTokenizer tokenizer(vocabulary, merges, "input", 77);
    if (tokenizer.encode(rest).size() != 77) __builtin_trap();
  });
  return 0;
}
