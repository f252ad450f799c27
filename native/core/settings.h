// Settings that a file holds: each one that is there is read, is known to change nothing, or is refused by name.
#pragma once

#include <initializer_list>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "core/error.h"

namespace dan {

// An object of settings, with a record of those that were read. Names that begin with "_" are notes of the tools that
// wrote the file, and null is a setting that is not set; neither has to be read.
class Settings {
 public:
  // `source` names the file in errors, which have the code `code`. Throws where `json` is no object.
  Settings(nlohmann::json json, std::string source, const char* code = kModelInvalid);
  // Settings that are stored as text, as in the metadata of safetensors: numbers and flags are parsed whole.
  static Settings ofText(const std::map<std::string, std::string>& texts, const std::string& source, const char* code);

  // Whether the setting is there, be it null.
  bool contains(const std::string& key) const { return json_.contains(key); }
  // Whether the setting is there and is not null.
  bool has(const std::string& key) const;
  // The value, which counts as read; null where the setting is not there.
  const nlohmann::json& value(const std::string& key);

  // Each gives `fallback` where the setting is not there, and throws where it has another type. A number is finite, an
  // integer lies in [low, high].
  bool flag(const std::string& key, bool fallback);
  double number(const std::string& key, double fallback);
  int64_t integer(const std::string& key, int64_t fallback, int64_t low, int64_t high);
  std::string text(const std::string& key, const std::string& fallback);
  std::vector<std::string> texts(const std::string& key);

  // Throws unless the setting is absent or is one of `values`: nothing else is implemented.
  void expect(const std::string& key, std::initializer_list<nlohmann::json> values);
  // Throws unless the setting is absent, false, 0, or empty: what it would turn on is not implemented.
  void expectOff(std::initializer_list<const char*> keys);
  // Throws where the setting is not there.
  void require(const std::string& key) const;
  // Known to change nothing here, whatever the value.
  void harmless(std::initializer_list<const char*> keys);

  // To be called last: throws naming every setting that was neither read nor is known to change nothing.
  void finish() const;

  [[noreturn]] void reject(const std::string& key, const std::string& expected) const;
  const std::string& source() const { return source_; }
  // Of all of them, whether read or not.
  const nlohmann::json& json() const { return json_; }

 private:
  nlohmann::json json_;
  std::string source_;
  const char* code_;
  bool isText_ = false;
  std::set<std::string> read_;
};

// The number that `text` is, whole; null for anything else (spaces, signs in front, "nan", what no double holds).
nlohmann::json parseNumber(const std::string& text);

}  // namespace dan
