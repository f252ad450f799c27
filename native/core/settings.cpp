#include "core/settings.h"

#include <algorithm>
#include <cmath>

namespace dan {

namespace {

using Json = nlohmann::json;

constexpr size_t kShown = 80;  // errors show at most this many characters of a value

std::string shown(const Json& value) {
  const std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  return text.size() <= kShown ? text : text.substr(0, kShown) + "…";
}

bool isOff(const Json& value) {
  if (value.is_boolean()) return !value.get<bool>();
  if (value.is_number()) return value == 0;
  return (value.is_array() || value.is_object() || value.is_string()) && (value.empty() || value == "");
}

}  // namespace

Json parseNumber(const std::string& text) {
  const bool isPlain = !text.empty() && text.find_first_not_of("0123456789+-.eE") == std::string::npos;
  const Json value = isPlain ? Json::parse(text, nullptr, /*allow_exceptions=*/false) : Json();
  return value.is_number() && std::isfinite(value.get<double>()) ? value : Json();
}

Settings::Settings(Json json, std::string source, const char* code)
    : json_(std::move(json)), source_(std::move(source)), code_(code) {
  if (!json_.is_object()) fail(code_, source_, ": expected a JSON object");
}

Settings Settings::ofText(const std::map<std::string, std::string>& texts, const std::string& source,
                          const char* code) {
  Settings settings(texts.empty() ? Json::object() : Json(texts), source, code);
  settings.isText_ = true;
  return settings;
}

bool Settings::has(const std::string& key) const {
  const auto found = json_.find(key);
  return found != json_.end() && !found->is_null();
}

const Json& Settings::value(const std::string& key) {
  static const Json kNothing;
  read_.insert(key);
  const auto found = json_.find(key);
  return found == json_.end() ? kNothing : *found;
}

bool Settings::flag(const std::string& key, bool fallback) {
  const Json& found = value(key);
  if (found.is_null()) return fallback;
  if (isText_ && (found == "true" || found == "false")) return found == "true";
  if (!found.is_boolean()) reject(key, "true or false");
  return found.get<bool>();
}

double Settings::number(const std::string& key, double fallback) {
  const Json& found = value(key);
  if (found.is_null()) return fallback;
  const Json number = isText_ ? parseNumber(found.get<std::string>()) : found;
  if (!number.is_number() || !std::isfinite(number.get<double>())) reject(key, "a number");
  return number.get<double>();
}

int64_t Settings::integer(const std::string& key, int64_t fallback, int64_t low, int64_t high) {
  if (!has(key)) {
    read_.insert(key);
    return fallback;
  }
  const double found = number(key, 0);
  if (std::trunc(found) != found || found < static_cast<double>(low) || found > static_cast<double>(high)) {
    reject(key, c10::str("an integer from ", low, " to ", high));
  }
  return static_cast<int64_t>(found);
}

std::string Settings::text(const std::string& key, const std::string& fallback) {
  const Json& found = value(key);
  if (found.is_null()) return fallback;
  if (!found.is_string()) reject(key, "text");
  return found.get<std::string>();
}

std::vector<std::string> Settings::texts(const std::string& key) {
  const Json& found = value(key);
  if (found.is_null()) return {};
  const bool isList =
      found.is_array() && std::all_of(found.begin(), found.end(), [](const Json& one) { return one.is_string(); });
  if (!isList) reject(key, "a list of texts");
  return found.get<std::vector<std::string>>();
}

void Settings::expect(const std::string& key, std::initializer_list<Json> values) {
  const Json& found = value(key);
  if (found.is_null() || std::find(values.begin(), values.end(), found) != values.end()) return;
  std::string list;
  for (const Json& one : values)
    list += (list.empty() ? "" : " or ") + (one.is_string() ? one.get<std::string>() : one.dump());
  reject(key, list + " (nothing else is implemented)");
}

void Settings::expectOff(std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    const Json& found = value(key);
    if (!found.is_null() && !isOff(found)) reject(key, "no value (this variant is not implemented)");
  }
}

void Settings::require(const std::string& key) const {
  if (!has(key)) fail(code_, source_, " lacks ", key);
}

void Settings::harmless(std::initializer_list<const char*> keys) { read_.insert(keys.begin(), keys.end()); }

void Settings::finish() const {
  std::string unread;
  for (const auto& [key, value] : json_.items()) {
    if (value.is_null() || (!key.empty() && key[0] == '_') || read_.count(key) > 0) continue;
    unread += (unread.empty() ? "" : ", ") + key + " = " + shown(value);
  }
  if (!unread.empty()) {
    fail(code_, source_, " has settings that are not read: ", unread,
         " (remove them if they change nothing; names that begin with _ are ignored)");
  }
}

void Settings::reject(const std::string& key, const std::string& expected) const {
  fail(code_, source_, ": expected ", expected, " for ", key, " but found ",
       json_.contains(key) ? shown(json_[key]) : "nothing");
}

}  // namespace dan
