// The engine reads these settings from the metadata of an adapter file.
#pragma once

#include <string>

#include "dual/adapter_file.h"

namespace dan::dual {

// Returns the settings of a file in our own format. `rank` and `hasBackground` follow from its tensors. Throws
// ERR_WEIGHTS_INVALID naming the file, the key and its value if one is missing, damaged, out of range or contradicts
// the tensors. Throws ERR_ADAPTER_MISMATCH for a newer version of the format. The package's TypeScript checks unknown
// names and the keys that only it reads (the prompts, the type).
AdapterSettings settingsOf(const io::Metadata& metadata, int64_t rank, bool hasBackground, const std::string& path);

// Returns true for our own format and false for a published file, whose metadata hold no settings. Throws
// ERR_WEIGHTS_INVALID for any other metadata.
bool isOwnFormat(const io::Metadata& metadata, const std::string& path);

// Throws ERR_WEIGHTS_INVALID if the latent levels of the file do not have this number of channels.
void expectLevels(const io::Metadata& metadata, int64_t channels, const std::string& path);

}  // namespace dan::dual
