// What an adapter's file says of itself, as far as the engine needs it.
#pragma once

#include <string>

#include "dual/adapter_file.h"

namespace dan::dual {

// The settings of a file in the own format; `rank` and `hasBackground` are what its tensors say. Throws
// ERR_WEIGHTS_INVALID naming the file, the key and its value where one is missing, damaged, out of range or contradicts
// the tensors, ERR_ADAPTER_MISMATCH for a newer version of the format. What only the package's TypeScript reads (the
// prompts, the type) is checked there, and so are names that nobody knows.
AdapterSettings settingsOf(const io::Metadata& metadata, int64_t rank, bool hasBackground, const std::string& path);

// Whether the file is in the own format. Throws ERR_WEIGHTS_INVALID where its metadata are neither that format's nor
// those of a published file, which says nothing.
bool isOwnFormat(const io::Metadata& metadata, const std::string& path);

// Throws ERR_WEIGHTS_INVALID where the file's latent levels are not those of so many channels.
void expectLevels(const io::Metadata& metadata, int64_t channels, const std::string& path);

}  // namespace dan::dual
