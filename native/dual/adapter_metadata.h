// The engine reads these settings from the metadata of an adapter file.
#pragma once

#include <string>

#include "core/pixel_values.h"
#include "dual/adapter_file.h"

namespace dan::dual {

// Reads the settings of a file in our own format. `rank` and `hasBackground` come from its tensors. Throws
// ERR_WEIGHTS_INVALID with the file, the key and its value if a setting is missing, damaged, out of range or
// contradicts the tensors, and ERR_ADAPTER_MISMATCH for a newer version of the format. The package's TypeScript code
// checks unknown names, and the settings that only it reads, such as prompts and type.
AdapterSettings settingsOf(const io::Metadata& metadata, int64_t rank, bool hasBackground, const std::string& path);

// Returns true if the file is in our own format. Published files have no metadata. Throws ERR_WEIGHTS_INVALID for other
// metadata.
bool isOwnFormat(const io::Metadata& metadata, const std::string& path);

// Reads the latent means of the training images, which files call `latent_levels`. For each branch and channel we take
// the mean over positions; these are the mean and the standard deviation of it over the images, (2, branches,
// channels). The result is undefined if the metadata lack them. Throws ERR_WEIGHTS_INVALID if their number does not fit
// `channels`.
at::Tensor latentMeansOf(const io::Metadata& metadata, int64_t channels, const std::string& path);
void setLatentMeans(io::Metadata& metadata, const at::Tensor& latentMeans);

// Returns true if only the whole image was trained (an ablation). Such an adapter draws no parts.
bool isOfOneBranch(const io::Metadata& metadata);
// Returns the blank ground of the parts. Published files, which do not store it, were trained with grey.
PartFill partFillOf(const io::Metadata& metadata);
// Returns true if the backgrounds were scaled by the autoencoder's factor in training. Published files were trained
// without it.
bool hasScaledBackgrounds(const io::Metadata& metadata);

}  // namespace dan::dual
