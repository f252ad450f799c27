// Sorted tables of the Unicode character database; zero ends the shorter sequences.
#pragma once

#include <cstddef>
#include <cstdint>

namespace dan::model {

struct CodePointRange {
  uint32_t first, last;
};
struct LowercaseMapping {
  uint32_t from, to[2];
};
struct Decomposition {
  uint32_t from, to[4];
};
struct Composition {
  uint32_t first, second, to;
};
struct CombiningClass {
  uint32_t from, value;
};

extern const CodePointRange kLetters[], kNumbers[];
extern const LowercaseMapping kLowercase[];
extern const Decomposition kDecompositions[];
extern const Composition kCompositions[];
extern const CombiningClass kCombiningClasses[];
extern const size_t kLettersSize, kNumbersSize, kLowercaseSize, kDecompositionsSize, kCompositionsSize,
    kCombiningClassesSize;

}  // namespace dan::model
