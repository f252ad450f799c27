// The byte-pair tokenizer of CLIP (arXiv 2103.00020, section 2.4), with the vocabulary files of the model folder.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace dan::model {

class ClipTokenizer {
 public:
  // Reads `vocab.json` and `merges.txt` of `folder`, and which token pads from its `special_tokens_map.json` (else its
  // `tokenizer_config.json`, else the end token) unless `padToken` names it. Throws ERR_MODEL_INVALID or
  // ERR_FILE_ACCESS.
  explicit ClipTokenizer(const std::string& folder, int64_t maxLength = 77, const std::string& padToken = "");
  // Of the texts of the two files; `source` names them in errors.
  ClipTokenizer(const std::string& vocabulary, const std::string& merges, const std::string& source, int64_t maxLength);

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
  // Of `text` alone; of a long one at least one token more than encode() keeps.
  std::vector<int64_t> tokensOf(std::string_view text) const;
  void loadMerges(const std::string& merges, const std::string& source);
  void encodeWord(std::u32string_view word, std::vector<int64_t>& ids) const;
  void encodeSegment(std::u32string_view text, std::vector<int64_t>& ids) const;

  std::unordered_map<std::string, int64_t> vocabulary_;
  std::unordered_map<std::string, int64_t> mergeRanks_;  // "left right" -> rank
  std::string byteSymbols_[256];                         // each byte as a printable character, in UTF-8
  int64_t maxLength_, startId_ = 0, endId_ = 0, padId_ = 0;
};

}  // namespace dan::model
