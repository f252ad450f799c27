#include "model/json_file.h"

#include <unordered_set>

#include "core/error.h"
#include "io/input_file.h"

namespace dan::model {

namespace {

using Json = nlohmann::json;

constexpr int kMaxNesting = 64;

// Python writes numbers that JSON does not have (lambda_min_clipped: -Infinity). We put quotation marks around them.
std::string withQuotedNonFinite(const std::string& text) {
  static constexpr std::string_view kWords[] = {"-Infinity", "Infinity", "NaN"};
  std::string result;
  bool isInText = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (isInText && c == '\\' && i + 1 < text.size()) {
      result += c;
      result += text[++i];
      continue;
    }
    if (c == '"') isInText = !isInText;
    std::string_view word;
    for (const std::string_view candidate : kWords) {
      if (!isInText && word.empty() && text.compare(i, candidate.size(), candidate) == 0) word = candidate;
    }
    if (word.empty()) {
      result += c;
    } else {
      result += '"' + std::string(word) + '"';
      i += word.size() - 1;
    }
  }
  return result;
}

}  // namespace

Json readJsonFile(const std::string& path) { return parseJson(io::readTextFile(path), path); }

Json parseJson(const std::string& text, const std::string& source) {
  std::vector<std::unordered_set<std::string>> keys;
  // The parser itself needs no stack for nesting, but destroying its result does. No valid file is nested this deeply.
  const auto check = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > kMaxNesting) fail(kModelInvalid, source, " is nested too deeply");
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second) {
      fail(kModelInvalid, source, " names ", parsed.get<std::string>(), " twice");
    }
    return true;
  };
  const bool hasNonFinite = text.find("Infinity") != std::string::npos || text.find("NaN") != std::string::npos;
  try {
    return Json::parse(hasNonFinite ? withQuotedNonFinite(text) : text, check);
  } catch (const Json::exception& error) {
    fail(kModelInvalid, source, " is not valid JSON: ", error.what());
  }
}

Settings readSettings(const std::string& path) { return Settings(readJsonFile(path), path); }

}  // namespace dan::model
