// These are the JSON files of a base: configs, vocabularies, indices of shards.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "core/settings.h"

namespace dan::model {

// Throws ERR_FILE_ACCESS or ERR_MODEL_INVALID, the latter also if an object names a key twice. Python's Infinity,
// -Infinity and NaN, which JSON does not have, become text with that name, because no number is read from them.
nlohmann::json readJsonFile(const std::string& path);
// Errors name `source` as the place of `text`.
nlohmann::json parseJson(const std::string& text, const std::string& source);

// Reads the settings of a file, which must hold an object.
Settings readSettings(const std::string& path);

}  // namespace dan::model
