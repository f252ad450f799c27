// JSON files of a base: configs, vocabularies, indices of shards.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "core/settings.h"

namespace dan::model {

// A file as JSON. Throws ERR_FILE_ACCESS or ERR_MODEL_INVALID, the latter also where an object names a key twice.
// Python's Infinity, -Infinity and NaN, which JSON does not have, become text of that name: no number is read from
// them.
nlohmann::json readJsonFile(const std::string& path);
// Of text that `source` names in errors.
nlohmann::json parseJson(const std::string& text, const std::string& source);

// The settings of a file, which must hold an object.
Settings readSettings(const std::string& path);

}  // namespace dan::model
