// This is the byte-pair tokenizer of CLIP (arXiv 2103.00020, section 2.4). It uses the tokenizer files of the model
// folder.
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
  // Reads the files in `folder`. Padding uses `padToken` if it is not empty, else the token that the files name, else
  // the end token. Throws ERR_MODEL_INVALID or ERR_FILE_ACCESS.
  explicit ClipTokenizer(const std::string& folder, int64_t maxLength = 77, const std::string& padToken = "");
  explicit ClipTokenizer(const TokenizerFiles& files, int64_t maxLength = 77, const std::string& padToken = "");
  // Takes the texts of `vocab.json` and `merges.txt`. Errors name `source` as their folder.
  ClipTokenizer(const std::string& vocabulary, const std::string& merges, const std::string& source, int64_t maxLength);

  // Returns the largest id that a prompt may contain. The text encoder needs one embedding more than this.
  int64_t largestId() const { return largestId_; }

  // Returns the number of tokens that encode() puts between start and end token.
  int64_t countTokens(std::string_view text) const;

  // Returns the largest number of text tokens that encode() keeps.
  int64_t maxTokens() const { return maxLength_ - 2; }
  // Returns the words at the end of `text` that encode() drops, whole or in part. Returns an empty string if all fit.
  std::string leftOut(std::string_view text) const;

  // Returns the start token, at most maxLength - 2 tokens of `text` (UTF-8) and the end token, padded to maxLength.
  // Stable Diffusion 1.x pads with the end token, 2.x with "!".
  std::vector<int64_t> encode(std::string_view text) const;

 private:
  // An added token is matched by its text and replaced by its ids.
  struct Written {
    std::u32string text;
    std::vector<int64_t> ids;
    bool isSingleWord;
  };
  void addTokens(const std::vector<AddedToken>& added);
  // Appends the ids of the `tokens` found in `text` to `ids`, and calls `rest` with each stretch between them.
  void splitAt(const std::vector<Written>& tokens, std::u32string_view text, std::vector<int64_t>& ids,
               const std::function<void(std::u32string_view)>& rest) const;
  // Returns the tokens of `text` without start and end. A text that is too long gives at least one token more than
  // encode() keeps.
  std::vector<int64_t> tokensOf(std::string_view text) const;
  void encodeWord(std::u32string_view word, std::vector<int64_t>& ids) const;
  void encodeSegment(std::u32string_view text, std::vector<int64_t>& ids) const;

  std::unordered_map<std::string, int64_t> vocabulary_;
  std::unordered_map<std::string, int64_t> mergeRanks_;  // "left right" -> rank
  std::string byteSymbols_[256];                         // each byte as a printable character, in UTF-8
  // written_ is matched in the normalized text, writtenExactly_ in the original text before that.
  std::vector<Written> written_, writtenExactly_;
  int64_t maxLength_, startId_ = 0, endId_ = 0, padId_ = 0, largestId_ = 0;
};

}  // namespace dan::model
