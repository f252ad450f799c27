// The files of a tokenizer: `vocab.json` and `merges.txt` or all of it in `tokenizer.json`, the tokens that were added
// (`added_tokens.json`, `added_tokens_decoder`), and what pads.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace dan::model {

inline constexpr const char* kStartToken = "<|startoftext|>";
inline constexpr const char* kEndToken = "<|endoftext|>";

// A text that stands for one id, whatever the vocabulary makes of its letters.
struct AddedToken {
  std::string content;
  int64_t id = 0;
  bool isNormalized = true;   // looked for in lower case, as the vocabulary's words are; else as it is written
  bool isSingleWord = false;  // not inside a word
};

struct TokenizerFiles {
  std::string source;  // the folder
  std::unordered_map<std::string, int64_t> vocabulary;
  std::vector<std::string> merges;  // "left right", the first to be merged first
  std::vector<AddedToken> added;
  std::string padToken;       // empty: the end token
  double modelMaxLength = 0;  // 0: not said
};

// Reads every setting of the files in `folder`. Throws ERR_MODEL_INVALID naming the file and the setting where one is
// unknown, where one asks for what CLIP's tokenizer does not do, and where two files contradict each other.
TokenizerFiles readTokenizerFiles(const std::string& folder);

// Of the texts of `vocab.json` and `merges.txt`; `source` names their folder in errors.
TokenizerFiles parseTokenizerFiles(const std::string& vocabulary, const std::string& merges, const std::string& source);

// The names of the files that a tokenizer may have.
inline constexpr const char* kTokenizerFiles[] = {"vocab.json",
                                                  "merges.txt",
                                                  "tokenizer.json",
                                                  "added_tokens.json",
                                                  "tokenizer_config.json",
                                                  "special_tokens_map.json"};

}  // namespace dan::model
