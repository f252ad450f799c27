// The little of Unicode that the CLIP tokenizer needs: UTF-8, NFC, lower case, letters, numbers, white space.
#pragma once

#include <string>
#include <string_view>

namespace dan::model {

// Invalid sequences become U+FFFD, one for each byte that starts none.
std::u32string decodeUtf8(std::string_view text);
std::string encodeUtf8(std::u32string_view text);

// Canonical decomposition, canonical ordering and canonical composition (Unicode Standard Annex 15).
std::u32string normalizeNfc(std::u32string_view text);

// Each character on its own (no rules of context, as the published tokenizer).
std::u32string toLowercase(std::u32string_view text);

bool isLetter(char32_t c);
bool isNumber(char32_t c);
bool isWhitespace(char32_t c);

}  // namespace dan::model
