// The byte-pair tokenizer of CLIP (arXiv 2103.00020, section 2.4), with the tokenizer files of the model folder.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/tokenizer_files.h"

namespace dan::model {

class ClipTokenizer {
 public:
  // Of the files in `folder`; `padToken` pads where it is not empty, else what the files name, else the end token.
  // Throws ERR_MODEL_INVALID or ERR_FILE_ACCESS.
  explicit ClipTokenizer(const std::string& folder, int64_t maxLength = 77, const std::string& padToken = "");
  explicit ClipTokenizer(const TokenizerFiles& files, int64_t maxLength = 77, const std::string& padToken = "");
  // Of the texts of `vocab.json` and `merges.txt`; `source` names their folder in errors.
  ClipTokenizer(const std::string& vocabulary, const std::string& merges, const std::string& source, int64_t maxLength);

  // The largest id that a prompt may give: the text encoder needs one embedding more.
  int64_t largestId() const { return largestId_; }

  // The number of tokens of `text` between start and end token, as encode() keeps them.
  int64_t countTokens(std::string_view text) const;

  // How many tokens of a text encode() keeps.
  int64_t maxTokens() const { return maxLength_ - 2; }
  // The words at the end of `text` that encode() has no room for, whole or in part; empty where all fit.
  std::string leftOut(std::string_view text) const;

  // Start token, at most maxLength - 2 tokens of `text` (UTF-8), end token, padded to maxLength. Stable Diffusion 1.x
  // pads with the end token, 2.x with "!".
  std::vector<int64_t> encode(std::string_view text) const;

 private:
  // An added token and the ids that its text stands for.
  struct Written {
    std::u32string text;
    std::vector<int64_t> ids;
    bool isSingleWord;
  };
  void addTokens(const std::vector<AddedToken>& added);
  // Puts the ids of `tokens` that are written in `text` behind `ids`, and calls `rest` with what is between them.
  void splitAt(const std::vector<Written>& tokens, std::u32string_view text, std::vector<int64_t>& ids,
               const std::function<void(std::u32string_view)>& rest) const;
  // Of `text` alone; of a long one at least one token more than encode() keeps.
  std::vector<int64_t> tokensOf(std::string_view text) const;
  void encodeWord(std::u32string_view word, std::vector<int64_t>& ids) const;
  void encodeSegment(std::u32string_view text, std::vector<int64_t>& ids) const;

  std::unordered_map<std::string, int64_t> vocabulary_;
  std::unordered_map<std::string, int64_t> mergeRanks_;  // "left right" -> rank
  std::string byteSymbols_[256];                         // each byte as a printable character, in UTF-8
  std::vector<Written> written_, writtenExactly_;        // looked for in the normalized text, and before that
  int64_t maxLength_, startId_ = 0, endId_ = 0, padId_ = 0, largestId_ = 0;
};

}  // namespace dan::model
