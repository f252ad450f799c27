#include "model/tokenizer_files.h"

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "io/input_file.h"
#include "model/json_file.h"

namespace dan::model {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr int64_t kMaxId = 1 << 24;
// CLIP cuts text into these pieces before it merges bytes.
constexpr const char* kPieces = R"('s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+)";
constexpr const char* kPiecesAndSpecial =
    R"(<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+)";

int64_t idOf(const Json& id, const std::string& token, const std::string& path) {
  if (!id.is_number_unsigned() || id.get<uint64_t>() > kMaxId)
    fail(kModelInvalid, path, ": the id of ", token, " is not an integer up to ", kMaxId);
  return id.get<int64_t>();
}

std::unordered_map<std::string, int64_t> vocabularyOf(const Json& ids, const std::string& path) {
  if (!ids.is_object()) fail(kModelInvalid, path, ": expected an object of token to id");
  std::unordered_map<std::string, int64_t> vocabulary;
  for (const auto& [token, id] : ids.items()) vocabulary[token] = idOf(id, token, path);
  for (const char* token : {kStartToken, kEndToken}) {
    if (vocabulary.count(token) == 0) fail(kModelInvalid, path, " lacks the token ", token);
  }
  return vocabulary;
}

bool isPair(const std::string& merge) {
  const size_t space = merge.find(' ');
  return space != std::string::npos && space > 0 && space + 1 < merge.size() &&
         merge.find(' ', space + 1) == std::string::npos;
}

std::vector<std::string> mergesOfText(const std::string& text, const std::string& path) {
  std::vector<std::string> merges;
  std::istringstream lines(text);
  int64_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty() || (number == 1 && line.rfind("#version", 0) == 0)) continue;
    if (!isPair(line)) fail(kModelInvalid, path, ", line ", number, ": expected two symbols and one space");
    merges.push_back(std::move(line));
  }
  return merges;
}

// A merge is a text with a space between its two halves, or a list of the two.
std::vector<std::string> mergesOfJson(const Json& list, const std::string& path) {
  if (!list.is_array()) fail(kModelInvalid, path, ": expected a list for model.merges");
  std::vector<std::string> merges;
  for (const Json& one : list) {
    const bool isSplit = one.is_array() && one.size() == 2 && one[0].is_string() && one[1].is_string();
    const std::string merge = one.is_string() ? one.get<std::string>()
                              : isSplit       ? one[0].get<std::string>() + " " + one[1].get<std::string>()
                                              : "";
    if (!isPair(merge)) {
      fail(kModelInvalid, path, ": merge ", merges.size(), " of model.merges is not two symbols: ", one.dump());
    }
    merges.push_back(merge);
  }
  return merges;
}

// A settings file gives a token as text, or as an object with the text under `content`.
std::string tokenText(const Json& token) {
  if (token.is_object() && token.contains("content")) return tokenText(token["content"]);
  return token.is_string() ? token.get<std::string>() : "";
}

// Reads the files of one folder in turn and checks that they agree.
class Reader {
 public:
  explicit Reader(const std::string& folder) { files_.source = folder; }

  TokenizerFiles read() {
    const bool hasVocabulary = exists("vocab.json") && exists("merges.txt");
    if (!hasVocabulary && !exists("tokenizer.json")) {
      const char* missing = exists("vocab.json") ? "merges.txt" : "vocab.json";
      fail(kModelInvalid, "The tokenizer ", files_.source, " lacks ", missing, ", and there is no tokenizer.json");
    }
    if (hasVocabulary) {
      files_ =
          parseTokenizerFiles(io::readTextFile(at("vocab.json")), io::readTextFile(at("merges.txt")), files_.source);
    }
    if (exists("tokenizer.json")) readTokenizerJson(!hasVocabulary);
    if (exists("added_tokens.json")) readAddedTokens();
    if (exists("tokenizer_config.json")) readConfig();
    // This file takes precedence over the config.
    if (exists("special_tokens_map.json")) {
      Settings settings = readSettings(at("special_tokens_map.json"));
      readSpecialTokens(settings);
      settings.finish();
    }
    return std::move(files_);
  }

 private:
  std::string at(const std::string& name) const { return files_.source + "/" + name; }
  bool exists(const std::string& name) const { return fs::exists(at(name)); }

  bool has(const std::string& token) const {
    return files_.vocabulary.count(token) > 0 ||
           std::any_of(files_.added.begin(), files_.added.end(),
                       [&](const AddedToken& one) { return one.content == token; });
  }

  void add(AddedToken token, const std::string& path) {
    if (token.content.empty()) fail(kModelInvalid, path, ": an added token is empty");
    const auto known = files_.vocabulary.find(token.content);
    if (known != files_.vocabulary.end() && known->second != token.id) {
      fail(kModelInvalid, path, " gives the token ", token.content, " the id ", token.id, ", the vocabulary ",
           known->second);
    }
    for (const AddedToken& other : files_.added) {
      if (other.content == token.content && other.id != token.id) {
        fail(kModelInvalid, path, " gives the token ", token.content, " the id ", token.id, ", another file of the ",
             "tokenizer ", other.id);
      }
      if (other.content == token.content) return;
    }
    files_.added.push_back(std::move(token));
  }

  // Reads a token object with its flags. The flags that strip spaces do not matter, because spaces never give tokens.
  void addObject(const Json& json, int64_t id, const std::string& path) {
    Settings settings(json, path);
    AddedToken token{settings.text("content", ""), id};
    token.isNormalized = settings.flag("normalized", true);
    token.isSingleWord = settings.flag("single_word", false);
    settings.harmless({"id", "lstrip", "rstrip", "special"});
    settings.finish();
    add(std::move(token), path);
  }

  void readAddedTokens() {
    const std::string path = at("added_tokens.json");
    const Json json = readJsonFile(path);
    if (!json.is_object()) fail(kModelInvalid, path, ": expected an object of token to id");
    for (const auto& [token, id] : json.items()) add({token, idOf(id, token, path)}, path);
  }

  void readTokenizerJson(bool isVocabulary) {
    const std::string path = at("tokenizer.json");
    Settings settings = readSettings(path);
    Settings model(settings.value("model"), path + ", model");
    model.expect("type", {"BPE"});
    model.expect("end_of_word_suffix", {"</w>"});
    model.require("end_of_word_suffix");
    model.expect("unk_token", {kEndToken});
    model.expectOff({"byte_fallback", "continuing_subword_prefix", "dropout", "fuse_unk", "ignore_merges"});
    auto vocabulary = vocabularyOf(model.value("vocab"), path);
    auto merges = mergesOfJson(model.value("merges"), path);
    model.finish();
    if (isVocabulary) {
      files_.vocabulary = std::move(vocabulary);
      files_.merges = std::move(merges);
    } else if (vocabulary != files_.vocabulary || merges != files_.merges) {
      fail(kModelInvalid, path, " has another vocabulary than vocab.json and merges.txt beside it: remove what is old");
    }
    const Json& added = settings.value("added_tokens");
    if (!added.is_null() && !added.is_array()) settings.reject("added_tokens", "a list");
    for (const Json& token : added) {
      addObject(token, idOf(token.is_object() ? token.value("id", Json()) : Json(), tokenText(token), path),
                path + ", added_tokens");
    }
    checkNormalizer(settings);
    checkPieces(settings);
    checkTemplate(settings);
    // Callers pad and truncate themselves, and nothing here decodes.
    settings.harmless({"decoder", "padding", "truncation", "version"});
    settings.finish();
  }

  // Collects the steps of a normalizer or pre-tokenizer. A "Sequence" is a list of steps.
  static void flatten(const Json& step, const char* list, std::vector<Json>& steps) {
    if (step.is_object() && step.contains(list) && step[list].is_array()) {
      for (const Json& one : step[list]) flatten(one, list, steps);
    } else if (!step.is_null()) {
      steps.push_back(step);
    }
  }
  static std::string typeOf(const Json& step) {
    return step.is_object() && step.contains("type") && step["type"].is_string() ? step["type"].get<std::string>() : "";
  }
  static std::string patternOf(const Json& step) {
    const Json pattern = step.is_object() ? step.value("pattern", Json()) : Json();
    const Json regex = pattern.is_object() ? pattern.value("Regex", Json()) : Json();
    return regex.is_string() ? regex.get<std::string>() : "";
  }

  static void checkNormalizer(Settings& settings) {
    std::vector<Json> steps;
    flatten(settings.value("normalizer"), "normalizers", steps);
    bool isLowercase = steps.empty();
    for (const Json& step : steps) {
      const std::string type = typeOf(step);
      const bool isSpace = type == "Replace" && patternOf(step) == "\\s+" && step.value("content", Json()) == " ";
      if (type != "NFC" && type != "Lowercase" && !isSpace) settings.reject("normalizer", "CLIP's");
      isLowercase = isLowercase || type == "Lowercase";
    }
    if (!isLowercase) settings.reject("normalizer", "CLIP's, in lower case");
  }

  static void checkPieces(Settings& settings) {
    std::vector<Json> steps;
    flatten(settings.value("pre_tokenizer"), "pretokenizers", steps);
    for (const Json& step : steps) {
      const std::string type = typeOf(step), pattern = patternOf(step);
      const bool isSplit = type == "Split" && (pattern == kPieces || pattern == kPiecesAndSpecial);
      const bool isBytes = type == "ByteLevel" && step.value("add_prefix_space", Json(false)) == false;
      if (!isSplit && !isBytes) settings.reject("pre_tokenizer", "CLIP's");
    }
  }

  // The post-processor must put exactly the start and the end token around a prompt.
  void checkTemplate(Settings& settings) const {
    const Json& step = settings.value("post_processor");
    if (step.is_null() || typeOf(step) == "ByteLevel") return;
    if (!step.is_object()) settings.reject("post_processor", "an object");
    const auto pair = [&](const char* token) { return Json::array({token, files_.vocabulary.at(token)}); };
    const bool isRoberta = typeOf(step) == "RobertaProcessing" && step.value("cls", Json()) == pair(kStartToken) &&
                           step.value("sep", Json()) == pair(kEndToken);
    std::vector<Json> around;
    for (const Json& one : step.value("single", Json::array())) {
      if (one.is_object() && one.contains("SpecialToken")) around.push_back(one["SpecialToken"].value("id", Json()));
    }
    const bool isTemplate =
        typeOf(step) == "TemplateProcessing" && around == std::vector<Json>{Json(kStartToken), Json(kEndToken)};
    if (!isRoberta && !isTemplate) settings.reject("post_processor", "CLIP's, from start to end token");
  }

  void readSpecialTokens(Settings& settings) {
    const std::pair<const char*, const char*> kFixed[] = {
        {"bos_token", kStartToken}, {"eos_token", kEndToken}, {"unk_token", kEndToken}};
    for (const auto& [key, token] : kFixed) {
      const Json& value = settings.value(key);
      if (!value.is_null() && tokenText(value) != token) settings.reject(key, token);
    }
    const Json& pad = settings.value("pad_token");
    if (!pad.is_null()) {
      files_.padToken = tokenText(pad);
      if (!has(files_.padToken)) {
        fail(kModelInvalid, settings.source(), ": the vocabulary lacks the pad token ", files_.padToken);
      }
    }
    for (const char* key : {"additional_special_tokens", "extra_special_tokens"}) {
      const Json& more = settings.value(key);
      if (!more.is_null() && !more.is_structured()) settings.reject(key, "a list of tokens");
      for (const Json& token : more) {
        if (!has(tokenText(token))) {
          fail(kModelInvalid, settings.source(), ": ", key, " names ", tokenText(token), ", which has no id");
        }
      }
    }
  }

  void readConfig() {
    Settings settings = readSettings(at("tokenizer_config.json"));
    const Json& decoder = settings.value("added_tokens_decoder");
    if (!decoder.is_null() && !decoder.is_object()) settings.reject("added_tokens_decoder", "an object of id to token");
    for (const auto& [id, token] : decoder.items()) {
      addObject(token, idOf(parseNumber(id), tokenText(token), settings.source()),
                settings.source() + ", added_tokens_decoder");
    }
    readSpecialTokens(settings);
    settings.expect("tokenizer_class", {"CLIPTokenizer", "CLIPTokenizerFast"});
    settings.expect("do_lower_case", {true});
    for (const char* side : {"padding_side", "truncation_side"}) settings.expect(side, {"right"});
    settings.expectOff({"add_prefix_space", "split_special_tokens"});
    files_.modelMaxLength = settings.number("model_max_length", 0);
    settings.harmless({"backend",
                       "cache_dir",
                       "clean_up_tokenization_spaces",
                       "errors",
                       "from_slow",
                       "is_local",
                       "legacy",
                       "local_files_only",
                       "max_length",
                       "model_input_names",
                       "model_max_length",
                       "name_or_path",
                       "pad_to_multiple_of",
                       "pad_token_type_id",
                       "processor_class",
                       "special_tokens_map_file",
                       "stride",
                       "tokenizer_file",
                       "truncation_strategy",
                       "trust_remote_code",
                       "use_fast"});
    settings.finish();
  }

  TokenizerFiles files_;
};

}  // namespace

TokenizerFiles readTokenizerFiles(const std::string& folder) { return Reader(folder).read(); }

TokenizerFiles parseTokenizerFiles(const std::string& vocabulary, const std::string& merges,
                                   const std::string& source) {
  TokenizerFiles files;
  files.source = source;
  files.vocabulary = vocabularyOf(parseJson(vocabulary, source + "/vocab.json"), source + "/vocab.json");
  files.merges = mergesOfText(merges, source + "/merges.txt");
  return files;
}

}  // namespace dan::model
