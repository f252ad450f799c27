#pragma once

#include <string_view>

namespace dan {

inline bool startsWith(std::string_view text, std::string_view start) { return text.substr(0, start.size()) == start; }

inline bool endsWith(std::string_view text, std::string_view ending) {
  return text.size() >= ending.size() && text.substr(text.size() - ending.size()) == ending;
}

}  // namespace dan
