#include "model/unicode.h"

#include <algorithm>

#include "model/unicode_tables.h"

namespace dan::model {

namespace {

// The Hangul syllables are composed by arithmetic (Unicode Standard, section 3.12).
constexpr char32_t kSyllableBase = 0xAC00, kLeadBase = 0x1100, kVowelBase = 0x1161, kTrailBase = 0x11A7;
constexpr char32_t kLeads = 19, kVowels = 21, kTrails = 28, kSyllables = kLeads * kVowels * kTrails;

template <class Row, class Key>
const Row* findRow(const Row* rows, size_t count, Key&& before, char32_t c) {
  const Row* row = std::lower_bound(rows, rows + count, c, before);
  return row != rows + count && row->from == c ? row : nullptr;
}

bool inRanges(const CodePointRange* ranges, size_t count, char32_t c) {
  const auto* range = std::upper_bound(ranges, ranges + count, c,
                                       [](char32_t value, const CodePointRange& r) { return value < r.first; });
  return range != ranges && c <= (range - 1)->last;
}

uint32_t combiningClass(char32_t c) {
  const auto* row = findRow(
      kCombiningClasses, kCombiningClassesSize, [](const CombiningClass& r, char32_t value) { return r.from < value; },
      c);
  return row ? row->value : 0;
}

void appendDecomposed(std::u32string& out, char32_t c) {
  if (c >= kSyllableBase && c < kSyllableBase + kSyllables) {
    const char32_t index = c - kSyllableBase;
    out += kLeadBase + index / (kVowels * kTrails);
    out += kVowelBase + index % (kVowels * kTrails) / kTrails;
    if (index % kTrails != 0) out += kTrailBase + index % kTrails;
    return;
  }
  const auto* row = findRow(
      kDecompositions, kDecompositionsSize, [](const Decomposition& r, char32_t value) { return r.from < value; }, c);
  if (!row) {
    out += c;
    return;
  }
  for (const uint32_t part : row->to) {
    if (part != 0) out += part;
  }
}

// The composition of two characters, or 0.
char32_t compose(char32_t a, char32_t b) {
  if (a >= kLeadBase && a < kLeadBase + kLeads && b >= kVowelBase && b < kVowelBase + kVowels) {
    return kSyllableBase + ((a - kLeadBase) * kVowels + (b - kVowelBase)) * kTrails;
  }
  const bool isOpenSyllable =
      a >= kSyllableBase && a < kSyllableBase + kSyllables && (a - kSyllableBase) % kTrails == 0;
  if (isOpenSyllable && b > kTrailBase && b < kTrailBase + kTrails) return a + (b - kTrailBase);
  const Composition key{a, b, 0};
  const auto* row = std::lower_bound(kCompositions, kCompositions + kCompositionsSize, key,
                                     [](const Composition& x, const Composition& y) {
                                       return x.first != y.first ? x.first < y.first : x.second < y.second;
                                     });
  const bool found = row != kCompositions + kCompositionsSize && row->first == a && row->second == b;
  return found ? row->to : 0;
}

void orderMarks(std::u32string& text) {
  for (size_t begin = 0; begin < text.size();) {
    if (combiningClass(text[begin]) == 0) {
      ++begin;
      continue;
    }
    size_t end = begin;
    while (end < text.size() && combiningClass(text[end]) != 0) ++end;
    std::stable_sort(text.begin() + begin, text.begin() + end,
                     [](char32_t a, char32_t b) { return combiningClass(a) < combiningClass(b); });
    begin = end;
  }
}

}  // namespace

std::u32string decodeUtf8(std::string_view text) {
  std::u32string out;
  for (size_t i = 0; i < text.size();) {
    const auto byte = [&](size_t k) { return static_cast<uint8_t>(text[i + k]); };
    const uint8_t lead = byte(0);
    const size_t length = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
    char32_t c = length == 1 ? lead : lead & (0x7F >> length);
    bool valid = length > 0 && i + length <= text.size();
    for (size_t k = 1; valid && k < length; ++k) {
      valid = (byte(k) & 0xC0) == 0x80;
      c = c << 6 | (byte(k) & 0x3F);
    }
    constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
    valid = valid && c >= kSmallest[length] && c <= 0x10FFFF && !(c >= 0xD800 && c <= 0xDFFF);
    out += valid ? c : U'\xFFFD';
    i += valid ? length : 1;
  }
  return out;
}

std::string encodeUtf8(std::u32string_view text) {
  std::string out;
  for (const char32_t c : text) {
    if (c < 0x80) {
      out += static_cast<char>(c);
    } else if (c < 0x800) {
      out += {static_cast<char>(0xC0 | c >> 6), static_cast<char>(0x80 | (c & 0x3F))};
    } else if (c < 0x10000) {
      out += {static_cast<char>(0xE0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 0x3F)),
              static_cast<char>(0x80 | (c & 0x3F))};
    } else {
      out += {static_cast<char>(0xF0 | c >> 18), static_cast<char>(0x80 | (c >> 12 & 0x3F)),
              static_cast<char>(0x80 | (c >> 6 & 0x3F)), static_cast<char>(0x80 | (c & 0x3F))};
    }
  }
  return out;
}

std::u32string normalizeNfc(std::u32string_view text) {
  std::u32string decomposed;
  for (const char32_t c : text) appendDecomposed(decomposed, c);
  orderMarks(decomposed);

  std::u32string out;
  size_t starter = std::u32string::npos;  // where in `out` the last character of class 0 is
  uint32_t lastClass = 0;                 // of the character before, since that starter
  for (const char32_t c : decomposed) {
    const uint32_t cls = combiningClass(c);
    if (starter != std::u32string::npos) {
      const bool isAdjacent = out.size() == starter + 1;
      const bool isBlocked = !isAdjacent && (lastClass == 0 || lastClass >= cls);
      const char32_t joined = isBlocked ? 0 : compose(out[starter], c);
      if (joined != 0) {
        out[starter] = joined;
        continue;
      }
    }
    if (cls == 0) starter = out.size();
    lastClass = cls;
    out += c;
  }
  return out;
}

std::u32string toLowercase(std::u32string_view text) {
  std::u32string out;
  for (const char32_t c : text) {
    const auto* row = findRow(
        kLowercase, kLowercaseSize, [](const LowercaseMapping& r, char32_t value) { return r.from < value; }, c);
    out += row ? row->to[0] : c;
    if (row && row->to[1] != 0) out += row->to[1];
  }
  return out;
}

bool isLetter(char32_t c) { return inRanges(kLetters, kLettersSize, c); }
bool isNumber(char32_t c) { return inRanges(kNumbers, kNumbersSize, c); }
bool isWhitespace(char32_t c) {
  return (c >= 9 && c <= 13) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
         c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

}  // namespace dan::model
