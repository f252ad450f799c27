// These are settings from a file. Each setting must be read, be known to change nothing, or be rejected by name.
#pragma once

#include <initializer_list>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "core/error.h"

namespace dan {

// A Settings object records which settings were read. Names that begin with "_" are notes of the tools that wrote the
// file, and null means a setting that is not set. Neither has to be read.
class Settings {
 public:
  // `source` names the file in errors, which have the code `code`. Throws if `json` is not an object.
  Settings(nlohmann::json json, std::string source, const char* code = kModelInvalid);
  // Reads settings that are stored as text, such as safetensors metadata. A number or flag must fill the whole text.
  static Settings ofText(const std::map<std::string, std::string>& texts, const std::string& source, const char* code);

  // Returns true if the setting is present, even if it is null.
  bool contains(const std::string& key) const { return json_.contains(key); }
  // Returns true if the setting is present and not null.
  bool has(const std::string& key) const;
  // Returns the value and counts it as read. It is null if the setting is absent.
  const nlohmann::json& value(const std::string& key);

  // Each returns `fallback` if the setting is absent, and throws if it has another type. A number must be finite, and
  // an integer must lie in [low, high].
  bool flag(const std::string& key, bool fallback);
  double number(const std::string& key, double fallback);
  int64_t integer(const std::string& key, int64_t fallback, int64_t low, int64_t high);
  std::string text(const std::string& key, const std::string& fallback);
  std::vector<std::string> texts(const std::string& key);

  // Throws unless the setting is absent or one of `values`, since nothing else is implemented.
  void expect(const std::string& key, std::initializer_list<nlohmann::json> values);
  // Throws unless the setting is absent, false, 0 or empty, since what it turns on is not implemented.
  void expectOff(std::initializer_list<const char*> keys);
  // Throws if the setting is absent.
  void require(const std::string& key) const;
  // These settings change nothing here, whatever their value.
  void harmless(std::initializer_list<const char*> keys);

  // This must be called last. It throws naming every setting that was neither read nor is known to change nothing.
  void finish() const;

  [[noreturn]] void reject(const std::string& key, const std::string& expected) const;
  const std::string& source() const { return source_; }
  // These are all settings, read or not.
  const nlohmann::json& json() const { return json_; }

 private:
  nlohmann::json json_;
  std::string source_;
  const char* code_;
  bool isText_ = false;
  std::set<std::string> read_;
};

// Returns the number that fills the whole `text`. Returns null for anything else (spaces, a leading plus sign, "nan",
// numbers beyond a double).
nlohmann::json parseNumber(const std::string& text);

}  // namespace dan
