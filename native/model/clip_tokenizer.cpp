#include "model/clip_tokenizer.h"

#include <algorithm>
#include <array>
#include <limits>

#include "core/error.h"
#include "model/unicode.h"

namespace dan::model {

namespace {

constexpr const char* kEndOfWord = "</w>";

// Every byte gets a printable character. A printable byte keeps its own; the others get the next free one from U+0100
// on.
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

// Returns the length of the piece at the start of `text`: a contraction, a run of letters, one number, or a run of
// other signs. Returns 0 for space.
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

constexpr size_t kNowhere = std::u32string::npos;

bool isWordSign(char32_t c) { return isLetter(c) || isNumber(c) || c == U'_'; }

std::u32string normalized(std::u32string_view text) {
  return toLowercase(collapseWhitespace(normalizeNfc(std::u32string(text))));
}

}  // namespace

ClipTokenizer::ClipTokenizer(const std::string& folder, int64_t maxLength, const std::string& padToken)
    : ClipTokenizer(readTokenizerFiles(folder), maxLength, padToken) {}

ClipTokenizer::ClipTokenizer(const TokenizerFiles& files, int64_t maxLength, const std::string& padToken)
    : vocabulary_(files.vocabulary), maxLength_(maxLength) {
  if (files.modelMaxLength > 0 && files.modelMaxLength < static_cast<double>(maxLength)) {
    fail(kModelInvalid, files.source, "/tokenizer_config.json: expected at least ", maxLength,
         ", which the text encoder reads, for model_max_length but found ", files.modelMaxLength);
  }
  const auto symbols = printableBytes();
  for (size_t b = 0; b < symbols.size(); ++b) byteSymbols_[b] = encodeUtf8({&symbols[b], 1});
  int64_t rank = 0;
  for (const std::string& merge : files.merges) mergeRanks_.emplace(merge, rank++);
  startId_ = vocabulary_.at(kStartToken);
  padId_ = endId_ = vocabulary_.at(kEndToken);
  for (const auto& [token, id] : vocabulary_) largestId_ = std::max(largestId_, id);
  addTokens(files.added);
  const std::string& pad = padToken.empty() ? files.padToken : padToken;
  if (pad.empty()) return;
  const auto known = vocabulary_.find(pad);
  if (known == vocabulary_.end()) {
    fail(kModelInvalid, "The tokenizer ", files.source, ": the vocabulary lacks the pad token ", pad);
  }
  padId_ = known->second;
}

ClipTokenizer::ClipTokenizer(const std::string& vocabulary, const std::string& merges, const std::string& source,
                             int64_t maxLength)
    : ClipTokenizer(parseTokenizerFiles(vocabulary, merges, source), maxLength) {}

// A token with several vectors is stored as several tokens: <crack>, <crack>_1, <crack>_2 … In a prompt, the text of
// the first one stands for all of them.
void ClipTokenizer::addTokens(const std::vector<AddedToken>& added) {
  std::unordered_map<std::string, int64_t> ids;
  for (const AddedToken& token : added) ids[token.content] = token.id;
  for (const AddedToken& token : added) {
    Written written{decodeUtf8(token.content), {token.id}, token.isSingleWord};
    for (int64_t i = 1; ids.count(token.content + "_" + std::to_string(i)) > 0; ++i)
      written.ids.push_back(ids.at(token.content + "_" + std::to_string(i)));
    vocabulary_[token.content] = token.id;
    largestId_ = std::max(largestId_, token.id);
    if (token.content == kStartToken || token.content == kEndToken) continue;  // These two are added after the loop.
    if (token.isNormalized) written.text = normalized(written.text);
    if (!written.text.empty()) (token.isNormalized ? written_ : writtenExactly_).push_back(std::move(written));
  }
  // Special tokens in the text stand for themselves.
  written_.push_back({decodeUtf8(kStartToken), {startId_}, false});
  written_.push_back({decodeUtf8(kEndToken), {endId_}, false});
}

void ClipTokenizer::encodeWord(std::u32string_view word, std::vector<int64_t>& ids) const {
  std::vector<std::string> symbols;
  for (const char byte : encodeUtf8(word)) symbols.push_back(byteSymbols_[static_cast<uint8_t>(byte)]);
  symbols.back() += kEndOfWord;
  // Each pass merges the pair with the lowest rank.
  for (;;) {
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
  // A word gives at least one token, so we can stop once a long prompt has filled the limit.
  for (size_t i = 0; i < text.size() && static_cast<int64_t>(ids.size()) < maxLength_;) {
    const size_t length = isWhitespace(text[i]) ? 0 : pieceLength(text.substr(i));
    if (length > 0) encodeWord(text.substr(i, length), ids);
    i += std::max<size_t>(length, 1);
  }
}

void ClipTokenizer::splitAt(const std::vector<Written>& tokens, std::u32string_view text, std::vector<int64_t>& ids,
                            const std::function<void(std::u32string_view)>& rest) const {
  const auto isFree = [&](size_t at) { return at >= text.size() || !isWordSign(text[at]); };
  size_t begin = 0;
  while (begin < text.size()) {
    size_t next = kNowhere;
    const Written* found = nullptr;
    // The first token in the text wins. If several begin at the same place, the longest wins.
    for (const Written& token : tokens) {
      size_t at = text.find(token.text, begin);
      while (token.isSingleWord && at != kNowhere && !((at == 0 || isFree(at - 1)) && isFree(at + token.text.size()))) {
        at = text.find(token.text, at + 1);
      }
      if (at == kNowhere || at > next) continue;
      if (at < next || token.text.size() > found->text.size()) found = &token;
      next = at;
    }
    rest(text.substr(begin, next - begin));
    if (found == nullptr) break;
    ids.insert(ids.end(), found->ids.begin(), found->ids.end());
    begin = next + found->text.size();
  }
}

std::vector<int64_t> ClipTokenizer::tokensOf(std::string_view text) const {
  std::vector<int64_t> ids;
  splitAt(writtenExactly_, decodeUtf8(text), ids, [&](std::u32string_view piece) {
    splitAt(written_, normalized(piece), ids, [&](std::u32string_view words) { encodeSegment(words, ids); });
  });
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
  std::vector<size_t> starts;  // the offsets at which words begin
  constexpr std::string_view kSpace = " \t\r\n";
  for (size_t at = text.find_first_not_of(kSpace); at != std::string_view::npos;) {
    starts.push_back(at);
    at = text.find_first_not_of(kSpace, std::min(text.find_first_of(kSpace, at), text.size()));
  }
  // We look for the last word for which all words before it still fit. Nothing comes before the first word, so there is
  // always one.
  const size_t from = *std::prev(std::partition_point(starts.begin(), starts.end(), fits));
  return std::string(text.substr(from, text.find_last_not_of(kSpace) + 1 - from));
}

int64_t ClipTokenizer::countTokens(std::string_view text) const {
  const std::vector<int64_t> ids = encode(text);
  return std::find(ids.begin() + 1, ids.end(), endId_) - ids.begin() - 1;
}

}  // namespace dan::model
