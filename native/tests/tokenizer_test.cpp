// A tokenizer's vocabulary, merges, added tokens and padding may come from several files.
#include <filesystem>
#include <fstream>

#include "model/clip_tokenizer.h"
#include "model/json_file.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* kPrompt = "A Photo of it's rusty-crack, 123!";

// The folder contains some of the fixture's files and the files that a test writes.
class TokenizerFolder {
 public:
  explicit TokenizerFolder(std::initializer_list<const char*> files) {
    for (const char* file : files) fs::copy(fixture(std::string("tiny-sd/tokenizer/") + file), scratch_.at(file));
  }
  void write(const char* file, const Json& json) const { std::ofstream(scratch_.at(file)) << json.dump(); }
  void remove(const char* file) const { fs::remove(scratch_.at(file)); }
  model::ClipTokenizer open() const { return model::ClipTokenizer(scratch_.at("")); }
  std::vector<int64_t> encode(const std::string& text) const { return open().encode(text); }
  // Returns the ids between start and end token.
  std::vector<int64_t> words(const std::string& text) const {
    const model::ClipTokenizer tokenizer = open();
    const auto ids = tokenizer.encode(text);
    return {ids.begin() + 1, ids.begin() + 1 + tokenizer.countTokens(text)};
  }

 private:
  Scratch scratch_;
};

// Returns the JSON that `tokenizers` writes for CLIP. The merges are pairs (current) or text (older).
const Json& tokenizerJson(bool pairs) {
  static const auto make = [](bool asPairs) {
    const auto files = model::readTokenizerFiles(fixture("tiny-sd/tokenizer"));
    Json merges = Json::array();
    for (const std::string& merge : files.merges) {
      const size_t space = merge.find(' ');
      merges.push_back(asPairs ? Json::array({merge.substr(0, space), merge.substr(space + 1)}) : Json(merge));
    }
    Json json = Json::parse(R"x({"version": "1.0", "truncation": null, "padding": null, "added_tokens":
      [{"id": 49406, "content": "<|startoftext|>", "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": true, "special": true},
       {"id": 49407, "content": "<|endoftext|>", "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": false, "special": true}],
      "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Replace", "pattern": {"Regex":
        "\\s+"}, "content": " "}, {"type": "Lowercase"}]},
      "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex":
        "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+"}, "behavior": "Removed", "invert": true},
        {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}]},
      "post_processor": {"type": "RobertaProcessing", "sep": ["<|endoftext|>", 49407], "cls": ["<|startoftext|>",
        49406], "trim_offsets": false, "add_prefix_space": false},
      "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
      "model": {"type": "BPE", "dropout": null, "unk_token": "<|endoftext|>", "continuing_subword_prefix": "",
        "end_of_word_suffix": "</w>", "fuse_unk": false, "byte_fallback": false, "ignore_merges": false}})x");
    json["model"]["vocab"] = files.vocabulary;
    json["model"]["merges"] = merges;
    return json;
  };
  static const Json json[2] = {make(false), make(true)};
  return json[pairs ? 1 : 0];
}

}  // namespace

DAN_TEST(tokenizer_json_serves_where_there_is_no_vocabulary_file) {
  const auto expected = TokenizerFolder({"vocab.json", "merges.txt"}).encode(kPrompt);
  for (const bool pairs : {false, true}) {
    const TokenizerFolder folder({});
    folder.write("tokenizer.json", tokenizerJson(pairs));
    EXPECT(folder.encode(kPrompt) == expected);
  }
  // A tokenizer.json that agrees with the files beside it changes nothing.
  const TokenizerFolder both({"vocab.json", "merges.txt"});
  both.write("tokenizer.json", tokenizerJson(true));
  EXPECT(both.encode(kPrompt) == expected);
  Json other = tokenizerJson(true);
  other["model"]["merges"].erase(3);
  both.write("tokenizer.json", other);
  expectError([&] { both.open(); }, "another vocabulary than vocab.json");
  expectError([] { TokenizerFolder({"vocab.json"}).open(); }, "lacks merges.txt");
  expectError([] { TokenizerFolder({}).open(); }, "lacks vocab.json");
}

DAN_TEST(a_tokenizer_that_is_not_clips_is_refused_by_what_differs) {
  const TokenizerFolder folder({});
  const auto expectRefused = [&](const char* pointer, const Json& value, const char* text) {
    Json json = tokenizerJson(false);
    json[Json::json_pointer(pointer)] = value;
    folder.write("tokenizer.json", json);
    expectError([&] { folder.open(); }, text);
  };
  expectRefused("/model/type", "WordPiece", "expected BPE");
  expectRefused("/model/end_of_word_suffix", "", "end_of_word_suffix");
  expectRefused("/model/dropout", 0.1, "dropout");
  expectRefused("/model/byte_fallback", true, "byte_fallback");
  expectRefused("/model/invented", true, "invented");
  expectRefused("/model/merges/2", "a b c", "merge 2 of model.merges");
  expectRefused("/model/merges/2", Json::array({"a"}), "merge 2 of model.merges");
  expectRefused("/model/merges", 3, "model.merges");
  expectRefused("/model/vocab", 3, "token to id");
  expectRefused("/model", 3, "expected a JSON object");
  expectRefused("/normalizer", {{"type", "NFKC"}}, "normalizer");
  expectRefused("/normalizer", {{"type", "NFC"}}, "in lower case");
  expectRefused("/pre_tokenizer", {{"type", "Whitespace"}}, "pre_tokenizer");
  expectRefused("/pre_tokenizer", "x", "pre_tokenizer");
  expectRefused("/post_processor/sep/1", 5, "post_processor");
  expectRefused("/post_processor", "x", "post_processor");
  expectRefused("/added_tokens/0/id", 7, "the vocabulary 49406");
  expectRefused("/added_tokens/0/id", -7, "is not an integer");
  expectRefused("/added_tokens/0/invented", 7, "invented");
  expectRefused("/added_tokens", 7, "added_tokens");
  expectRefused("/invented", 7, "invented");

  const TokenizerFolder config({"vocab.json", "merges.txt"});
  const Json ok = Json::parse(R"({"add_prefix_space": false, "bos_token": {"__type": "AddedToken", "content":
    "<|startoftext|>", "lstrip": false, "normalized": true, "rstrip": false, "single_word": false}, "do_lower_case":
    true, "eos_token": "<|endoftext|>", "errors": "replace", "model_max_length": 77, "name_or_path": "x", "pad_token":
    "<|endoftext|>", "special_tokens_map_file": "x", "tokenizer_class": "CLIPTokenizer", "unk_token": "<|endoftext|>",
    "clean_up_tokenization_spaces": true, "extra_special_tokens": {}, "use_fast": false, "from_slow": true,
    "trust_remote_code": false, "cache_dir": null})");
  config.write("tokenizer_config.json", ok);
  EXPECT(config.words("rust").size() == 1);
  const Json changes = Json::parse(R"({"tokenizer_class": "BertTokenizer", "do_lower_case": false, "add_prefix_space":
    true, "padding_side": "left", "bos_token": "<s>", "unk_token": {"content": "?"}, "model_max_length": 64,
    "additional_special_tokens": ["<nobody>"], "auto_map": {"AutoTokenizer": "x"}, "split_special_tokens": true})");
  for (const auto& [key, value] : changes.items()) {
    Json json = ok;
    json[key] = value;
    config.write("tokenizer_config.json", json);
    expectError([&] { config.open(); }, key);
  }
  config.remove("tokenizer_config.json");
  config.write("special_tokens_map.json", {{"cls_token", "x"}});
  expectError([&] { config.open(); }, "cls_token");
}

DAN_TEST(an_added_token_stands_for_its_id) {
  const std::vector<int64_t> mine = {49408};
  const auto expectMine = [&](const TokenizerFolder& folder) {
    EXPECT(folder.words("<my-crack>") == mine);
    auto words = folder.words("a <my-crack>, rusty");
    EXPECT(words.size() >= 4 && words[1] == 49408 && words[0] == folder.words("a")[0]);
    EXPECT(folder.open().largestId() == 49408);
  };
  const TokenizerFolder plain({"vocab.json", "merges.txt"});
  EXPECT(plain.words("<my-crack>").size() > 1 && plain.open().largestId() == 49407);

  const TokenizerFolder added({"vocab.json", "merges.txt"});
  added.write("added_tokens.json", {{"<my-crack>", 49408}});
  expectMine(added);
  EXPECT(added.words("<My-Crack>") == mine);

  const TokenizerFolder decoder({"vocab.json", "merges.txt"});
  decoder.write("tokenizer_config.json", Json::parse(R"({"added_tokens_decoder": {"49407": {"content": "<|endoftext|>",
    "lstrip": false, "normalized": true, "rstrip": false, "single_word": false, "special": true}, "49408": {"content":
    "<my-crack>", "lstrip": false, "normalized": false, "rstrip": false, "single_word": false, "special": false}}})"));
  expectMine(decoder);
  // The token is not normalized, so its case matters.
  EXPECT(decoder.words("<My-Crack>").size() > 1);

  const TokenizerFolder whole({});
  Json json = tokenizerJson(true);
  json["added_tokens"].push_back({{"id", 49408}, {"content", "<my-crack>"}, {"normalized", false}});
  whole.write("tokenizer.json", json);
  expectMine(whole);

  // The same token may appear twice with one id, but not with two.
  decoder.write("added_tokens.json", {{"<my-crack>", 49408}});
  expectMine(decoder);
  decoder.write("added_tokens.json", {{"<my-crack>", 49409}});
  expectError([&] { decoder.open(); }, "gives the token <my-crack> the id 49408");
  added.write("added_tokens.json", {{"<my-crack>", "x"}});
  expectError([&] { added.open(); }, "added_tokens.json: the id of <my-crack>");
  added.write("added_tokens.json", Json::array({"<my-crack>"}));
  expectError([&] { added.open(); }, "added_tokens.json");
}

DAN_TEST(added_tokens_are_found_longest_first_whole_words_only_and_with_all_their_vectors) {
  const TokenizerFolder folder({"vocab.json", "merges.txt"});
  folder.write("added_tokens.json", {{"<dent>", 49408}, {"<dent>_1", 49409}, {"<dent>_2", 49410}, {"<dent>er", 49411}});
  EXPECT(folder.words("<dent>") == std::vector<int64_t>({49408, 49409, 49410}));
  EXPECT(folder.words("<dent>_2") == std::vector<int64_t>({49410}));
  EXPECT(folder.words("<dent>er") == std::vector<int64_t>({49411}));

  const TokenizerFolder word({"vocab.json", "merges.txt"});
  word.write("tokenizer_config.json",
             Json::parse(R"({"added_tokens_decoder": {"49408": {"content": "rustblob", "single_word": true}}})"));
  EXPECT(word.words("rustblob, rustblob") == std::vector<int64_t>({49408, word.words(",")[0], 49408}));
  EXPECT(word.words("rustblobs") == TokenizerFolder({"vocab.json", "merges.txt"}).words("rustblobs"));
}

}  // namespace dan::tests
