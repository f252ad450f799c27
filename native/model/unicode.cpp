#include "model/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <vector>

namespace dan::model {

namespace {

using CodePoints = std::vector<utf8proc_int32_t>;

constexpr char32_t kReplacement = 0xFFFD;
// This is the one letter that Unicode's full mapping turns into two: i and a dot above. utf8proc maps one to one.
constexpr char32_t kDottedCapitalI = 0x130;

// utf8proc takes this vowel for the last consonant of a Hangul syllable and drops it. It composes with nothing.
constexpr utf8proc_int32_t kVowelOYae = 0x11A7;

int combiningClass(utf8proc_int32_t c) { return utf8proc_get_property(c)->combining_class; }

void appendDecomposed(CodePoints& out, char32_t c) {
  utf8proc_int32_t parts[8];  // canonical decompositions have at most 4
  int boundary = 0;
  const auto count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), parts, 8, UTF8PROC_DECOMPOSE, &boundary);
  out.insert(out.end(), parts, parts + std::max<utf8proc_ssize_t>(count, 0));
}

// utf8proc's own ordering takes quadratic time, which a tokenizer's file with a long run of marks could abuse.
void orderMarks(CodePoints& text) {
  for (size_t begin = 0; begin < text.size();) {
    if (combiningClass(text[begin]) == 0) {
      ++begin;
      continue;
    }
    size_t end = begin;
    while (end < text.size() && combiningClass(text[end]) != 0) ++end;
    std::stable_sort(text.begin() + begin, text.begin() + end,
                     [](auto a, auto b) { return combiningClass(a) < combiningClass(b); });
    begin = end;
  }
}

}  // namespace

std::u32string decodeUtf8(std::string_view text) {
  std::u32string out;
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  for (size_t i = 0; i < text.size();) {
    utf8proc_int32_t c = 0;
    const auto length = utf8proc_iterate(bytes + i, static_cast<utf8proc_ssize_t>(text.size() - i), &c);
    out += length > 0 ? static_cast<char32_t>(c) : kReplacement;
    i += length > 0 ? static_cast<size_t>(length) : 1;
  }
  return out;
}

std::string encodeUtf8(std::u32string_view text) {
  std::string out;
  for (const char32_t c : text) {
    utf8proc_uint8_t bytes[4];
    const auto length = utf8proc_encode_char(static_cast<utf8proc_int32_t>(c), bytes);
    out.append(bytes, bytes + length);
  }
  return out;
}

std::u32string normalizeNfc(std::u32string_view text) {
  CodePoints points;
  for (const char32_t c : text) appendDecomposed(points, c);
  orderMarks(points);
  constexpr auto kCompose = static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE);
  std::u32string out;
  for (auto begin = points.begin(); begin != points.end();) {
    const auto end = std::find(begin, points.end(), kVowelOYae);
    const auto length = utf8proc_normalize_utf32(&*begin, end - begin, kCompose);
    out.append(begin, begin + length);
    begin = end;
    for (; begin != points.end() && *begin == kVowelOYae; ++begin) out += static_cast<char32_t>(kVowelOYae);
  }
  return out;
}

std::u32string toLowercase(std::u32string_view text) {
  std::u32string out;
  for (const char32_t c : text) {
    if (c == kDottedCapitalI) {
      out += U"i\u0307";
    } else {
      out += static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
    }
  }
  return out;
}

bool isLetter(char32_t c) {
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

bool isNumber(char32_t c) {
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  return category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO;
}

bool isWhitespace(char32_t c) {
  return (c >= 9 && c <= 13) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
         c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

}  // namespace dan::model
