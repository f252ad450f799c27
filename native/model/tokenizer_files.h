// A tokenizer has these files: `vocab.json` and `merges.txt`, or `tokenizer.json` instead of both. Added tokens
// (`added_tokens.json`, `added_tokens_decoder`) and the padding token may come from other files.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace dan::model {

inline constexpr const char* kStartToken = "<|startoftext|>";
inline constexpr const char* kEndToken = "<|endoftext|>";

// An added token is a text that stands for one id. The vocabulary does not split it.
struct AddedToken {
  std::string content;
  int64_t id = 0;
  bool isNormalized = true;   // If true, the token is searched in lower case, as the vocabulary's words are.
  bool isSingleWord = false;  // If true, the token does not match inside a word.
};

struct TokenizerFiles {
  std::string source;  // the folder
  std::unordered_map<std::string, int64_t> vocabulary;
  std::vector<std::string> merges;  // "left right"; the first is merged first
  std::vector<AddedToken> added;
  std::string padToken;       // empty: the end token
  double modelMaxLength = 0;  // 0: not given
};

// Reads every setting of the files in `folder`. Throws ERR_MODEL_INVALID naming the file and the setting if one is
// unknown, if one asks for something that CLIP's tokenizer does not do, or if two files contradict each other.
TokenizerFiles readTokenizerFiles(const std::string& folder);

// Takes the texts of `vocab.json` and `merges.txt`. Errors name `source` as their folder.
TokenizerFiles parseTokenizerFiles(const std::string& vocabulary, const std::string& merges, const std::string& source);

// A tokenizer may have any of these files.
inline constexpr const char* kTokenizerFiles[] = {"vocab.json",
                                                  "merges.txt",
                                                  "tokenizer.json",
                                                  "added_tokens.json",
                                                  "tokenizer_config.json",
                                                  "special_tokens_map.json"};

}  // namespace dan::model
