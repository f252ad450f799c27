#include "io/pickle_input.h"

#include "core/error.h"

namespace dan::io {

void PickleInput::reject(const std::string& reason) const {
  fail(kWeightsInvalid, source_, " is not a valid PyTorch weights file: ", reason, " (at byte ", position_,
       " of its pickle)");
}

const uint8_t* PickleInput::take(size_t count) {
  if (count > size_ - position_) reject("it ends in the middle of a value");
  const uint8_t* data = data_ + position_;
  position_ += count;
  return data;
}

std::string_view PickleInput::twoLines() {
  const std::string_view rest(reinterpret_cast<const char*>(data_) + position_, size_ - position_);
  const size_t first = rest.find('\n');
  const size_t second = first == std::string_view::npos ? first : rest.find('\n', first + 1);
  if (second == std::string_view::npos) reject("a name has no end");
  take(second + 1);
  return rest.substr(0, second);
}

}  // namespace dan::io
