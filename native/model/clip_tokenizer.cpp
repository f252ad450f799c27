#include "model/clip_tokenizer.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/error.h"
#include "io/mapped_file.h"
#include "model/config.h"
#include "model/unicode.h"

namespace dan::model {

namespace {

constexpr const char* kStartToken = "<|startoftext|>";
constexpr const char* kEndToken = "<|endoftext|>";
constexpr const char* kEndOfWord = "</w>";

// Every byte gets a printable character: itself where it is one, else the next from U+0100 on.
std::array<char32_t, 256> printableBytes() {
  std::array<char32_t, 256> symbols{};
  char32_t next = 256;
  for (char32_t b = 0; b < 256; ++b) {
    const bool printable = (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
    symbols[b] = printable ? b : next++;
  }
  return symbols;
}

std::u32string collapseWhitespace(std::u32string_view text) {
  std::u32string out;
  for (const char32_t c : text) {
    if (!isWhitespace(c)) {
      out += c;
    } else if (out.empty() || out.back() != U' ') {
      out += U' ';
    }
  }
  return out;
}

// The length of the piece at `text`: a contraction, a run of letters, one number, or a run of other signs; 0 for space.
size_t pieceLength(std::u32string_view text) {
  static constexpr std::u32string_view kContractions[] = {U"'s", U"'t", U"'re", U"'ve", U"'m", U"'ll", U"'d"};
  for (const auto contraction : kContractions) {
    if (text.substr(0, contraction.size()) == contraction) return contraction.size();
  }
  if (isNumber(text[0])) return 1;
  const auto isSign = [](char32_t c) { return !isWhitespace(c) && !isLetter(c) && !isNumber(c); };
  size_t length = 0;
  if (isLetter(text[0])) {
    while (length < text.size() && isLetter(text[length])) ++length;
  } else {
    while (length < text.size() && isSign(text[length])) ++length;
  }
  return length;
}

constexpr int64_t kMaxVocabulary = 1 << 24;

// The token that a settings file names, which is text or an object with "content"; empty where it names none.
std::string padTokenOf(const std::string& path) {
  if (!std::filesystem::exists(path)) return "";
  const nlohmann::json settings = readJsonFile(path);
  if (!settings.is_object() || !settings.contains("pad_token")) return "";
  const nlohmann::json& token = settings["pad_token"];
  if (token.is_string()) return token.get<std::string>();
  return token.is_object() && token.contains("content") && token["content"].is_string()
             ? token["content"].get<std::string>()
             : "";
}

}  // namespace

ClipTokenizer::ClipTokenizer(const std::string& folder, int64_t maxLength, const std::string& padToken)
    : ClipTokenizer(io::readTextFile(folder + "/vocab.json"), io::readTextFile(folder + "/merges.txt"), folder,
                    maxLength) {
  for (const char* file : {"special_tokens_map.json", "tokenizer_config.json"}) {
    const std::string path = folder + "/" + file;
    const std::string token = padToken.empty() ? padTokenOf(path) : padToken;
    if (token.empty()) continue;
    if (vocabulary_.count(token) == 0) fail(kModelInvalid, path, ": the vocabulary lacks the pad token ", token);
    padId_ = vocabulary_[token];
    return;
  }
}

ClipTokenizer::ClipTokenizer(const std::string& vocabulary, const std::string& merges, const std::string& source,
                             int64_t maxLength)
    : maxLength_(maxLength) {
  const std::string path = source + "/vocab.json";
  const nlohmann::json ids = parseJson(vocabulary, path);
  if (!ids.is_object()) fail(kModelInvalid, path, ": expected an object of token to id");
  for (const auto& [token, id] : ids.items()) {
    if (!id.is_number_unsigned() || id.get<uint64_t>() > kMaxVocabulary)
      fail(kModelInvalid, path, ": the id of ", token, " is not an integer up to ", kMaxVocabulary);
    vocabulary_[token] = id.get<int64_t>();
  }
  for (const char* token : {kStartToken, kEndToken}) {
    if (vocabulary_.count(token) == 0) fail(kModelInvalid, path, " lacks the token ", token);
  }
  startId_ = vocabulary_[kStartToken];
  padId_ = endId_ = vocabulary_[kEndToken];
  const auto symbols = printableBytes();
  for (size_t b = 0; b < symbols.size(); ++b) byteSymbols_[b] = encodeUtf8({&symbols[b], 1});
  loadMerges(merges, source + "/merges.txt");
}

void ClipTokenizer::loadMerges(const std::string& merges, const std::string& path) {
  std::istringstream lines(merges);
  int64_t rank = 0, number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty() || (number == 1 && line.rfind("#version", 0) == 0)) continue;
    const size_t space = line.find(' ');
    if (space == std::string::npos || space == 0 || line.find(' ', space + 1) != std::string::npos) {
      fail(kModelInvalid, path, ", line ", number, ": expected two symbols and one space");
    }
    mergeRanks_.emplace(std::move(line), rank++);
  }
}

void ClipTokenizer::encodeWord(std::u32string_view word, std::vector<int64_t>& ids) const {
  std::vector<std::string> symbols;
  for (const char byte : encodeUtf8(word)) symbols.push_back(byteSymbols_[static_cast<uint8_t>(byte)]);
  symbols.back() += kEndOfWord;
  for (;;) {  // merge the pair of the lowest rank until there is none
    int64_t bestRank = std::numeric_limits<int64_t>::max();
    size_t best = 0;
    for (size_t i = 0; i + 1 < symbols.size(); ++i) {
      const auto found = mergeRanks_.find(symbols[i] + " " + symbols[i + 1]);
      if (found != mergeRanks_.end() && found->second < bestRank) {
        bestRank = found->second;
        best = i;
      }
    }
    if (bestRank == std::numeric_limits<int64_t>::max()) break;
    const std::string left = symbols[best], right = symbols[best + 1];
    std::vector<std::string> merged;
    for (size_t i = 0; i < symbols.size(); ++i) {
      if (i + 1 < symbols.size() && symbols[i] == left && symbols[i + 1] == right) {
        merged.push_back(left + right);
        ++i;
      } else {
        merged.push_back(std::move(symbols[i]));
      }
    }
    symbols = std::move(merged);
  }
  for (const std::string& symbol : symbols) {
    const auto found = vocabulary_.find(symbol);
    ids.push_back(found == vocabulary_.end() ? endId_ : found->second);
  }
}

void ClipTokenizer::encodeSegment(std::u32string_view text, std::vector<int64_t>& ids) const {
  // A word never gives fewer tokens than one, so the rest of a long prompt need not be looked at.
  for (size_t i = 0; i < text.size() && static_cast<int64_t>(ids.size()) < maxLength_;) {
    const size_t length = isWhitespace(text[i]) ? 0 : pieceLength(text.substr(i));
    if (length > 0) encodeWord(text.substr(i, length), ids);
    i += std::max<size_t>(length, 1);
  }
}

std::vector<int64_t> ClipTokenizer::tokensOf(std::string_view text) const {
  const std::u32string normalized = toLowercase(collapseWhitespace(normalizeNfc(decodeUtf8(text))));
  static const std::pair<std::u32string, bool> kSpecial[] = {{decodeUtf8(kStartToken), true},
                                                             {decodeUtf8(kEndToken), false}};
  std::vector<int64_t> ids;
  size_t begin = 0;
  while (begin < normalized.size()) {  // special tokens written out in the text stand for themselves
    size_t next = std::u32string::npos, length = 0;
    int64_t id = 0;
    for (const auto& [token, isStart] : kSpecial) {
      const size_t at = normalized.find(token, begin);
      if (at < next) {
        next = at;
        length = token.size();
        id = isStart ? startId_ : endId_;
      }
    }
    encodeSegment(std::u32string_view(normalized).substr(begin, next - begin), ids);
    if (next == std::u32string::npos) break;
    ids.push_back(id);
    begin = next + length;
  }
  return ids;
}

std::vector<int64_t> ClipTokenizer::encode(std::string_view text) const {
  std::vector<int64_t> ids = tokensOf(text);
  ids.insert(ids.begin(), startId_);
  if (static_cast<int64_t>(ids.size()) > maxLength_ - 1) ids.resize(maxLength_ - 1);
  ids.push_back(endId_);
  ids.resize(maxLength_, padId_);
  return ids;
}

std::string ClipTokenizer::leftOut(std::string_view text) const {
  const auto fits = [&](size_t length) {
    return static_cast<int64_t>(tokensOf(text.substr(0, length)).size()) <= maxTokens();
  };
  if (fits(text.size())) return "";
  std::vector<size_t> starts;  // of the words
  constexpr std::string_view kSpace = " \t\r\n";
  for (size_t at = text.find_first_not_of(kSpace); at != std::string_view::npos;) {
    starts.push_back(at);
    at = text.find_first_not_of(kSpace, std::min(text.find_first_of(kSpace, at), text.size()));
  }
  // The last word that all before it leave room for. Nothing comes before the first, so there is one.
  const size_t from = *std::prev(std::partition_point(starts.begin(), starts.end(), fits));
  return std::string(text.substr(from, text.find_last_not_of(kSpace) + 1 - from));
}

int64_t ClipTokenizer::countTokens(std::string_view text) const {
  const std::vector<int64_t> ids = encode(text);
  return std::find(ids.begin() + 1, ids.end(), endId_) - ids.begin() - 1;
}

}  // namespace dan::model
