// Text as the tokenizer sees it, where utf8proc alone would not do.
#include "model/unicode.h"

#include "tests/test.h"

namespace dan::tests {

DAN_TEST(nfc_orders_marks_joins_letters_and_keeps_a_hangul_vowel_that_composes_with_nothing) {
  EXPECT(model::normalizeNfc(U"e\u0301") == U"\u00E9");
  EXPECT(model::normalizeNfc(U"a\u0301\u0323") == U"\u1EA1\u0301");
  EXPECT(model::normalizeNfc(U"\u1112\u1161\u11AB") == U"\uD55C");
  EXPECT(model::normalizeNfc(U"\u1100\u1161\u11A7\u11A7x") == U"\uAC00\u11A7\u11A7x");
  EXPECT(model::normalizeNfc(U"\u212B\u0958") ==
         U"\u00C5\u0915\u093C");  // Unicode excludes the second one from composition.
  EXPECT(model::normalizeNfc(U"").empty());
}

DAN_TEST(nfc_takes_no_longer_for_marks_in_the_wrong_order) {
  std::u32string marks;
  for (int i = 0; i < 200'000; ++i) marks += i % 2 == 0 ? U'\u0301' : U'\u0316';
  const std::u32string ordered = model::normalizeNfc(marks);
  EXPECT(ordered == std::u32string(100'000, U'\u0316') + std::u32string(100'000, U'\u0301'));
}

DAN_TEST(lower_case_is_unicodes_full_mapping_of_each_character_alone) {
  EXPECT(model::toLowercase(U"AZ\u00C9\u0130\u03A3\u1E9E\U00010400") == U"az\u00E9i\u0307\u03C3\u00DF\U00010428");
}

DAN_TEST(bytes_that_are_no_utf8_become_one_replacement_each) {
  EXPECT(model::decodeUtf8("a\xC3\xA9\xF0\x9F\x98\x80") == U"a\u00E9\U0001F600");
  EXPECT(model::decodeUtf8("\xC3z\xED\xA0\x80\xC0\x80") == U"\uFFFDz\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD");
  EXPECT(model::encodeUtf8(U"a\u00E9\u20AC\U0001F600") == "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
}

DAN_TEST(letters_and_numbers_are_told_by_their_general_category) {
  for (const char32_t c : U"a\u00DF\u01C5\u02B0\u4E00") EXPECT(c == 0 || (model::isLetter(c) && !model::isNumber(c)));
  for (const char32_t c : U"7\u0663\u2167\u00BD") EXPECT(c == 0 || (model::isNumber(c) && !model::isLetter(c)));
  for (const char32_t c : U"_ \u0301\u20AC\u2028") EXPECT(!model::isNumber(c) && !model::isLetter(c));
}

}  // namespace dan::tests
