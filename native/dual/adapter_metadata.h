// The engine reads these settings from the metadata of an adapter file.
#pragma once

#include <string>

#include "dual/adapter_file.h"

namespace dan::dual {

// Reads the settings of a file in the own format; `rank` and `hasBackground` are what its tensors say. Throws
// ERR_WEIGHTS_INVALID naming the file, the key and its value where one is missing, damaged, out of range or contradicts
// the tensors, ERR_ADAPTER_MISMATCH for a newer version of the format. What only the package's TypeScript reads (the
// prompts, the type) is checked there, and so are names that nobody knows.
AdapterSettings settingsOf(const io::Metadata& metadata, int64_t rank, bool hasBackground, const std::string& path);

// Returns whether the file is in the own format. Throws ERR_WEIGHTS_INVALID where its metadata are neither that
// format's nor those of a published file, which says nothing.
bool isOwnFormat(const io::Metadata& metadata, const std::string& path);

// Reads what latents of the training images are like: for each branch and channel the mean over positions, as its mean
// and its standard deviation over the images, (2, branches, channels). Files call them `latent_levels`. The result is
// undefined where the metadata say nothing of them. Throws ERR_WEIGHTS_INVALID where they are not those of so many
// channels.
at::Tensor latentMeansOf(const io::Metadata& metadata, int64_t channels, const std::string& path);
void setLatentMeans(io::Metadata& metadata, const at::Tensor& latentMeans);

// Returns whether the whole image alone was learned (an ablation), so that the adapter draws no parts.
bool isOfOneBranch(const io::Metadata& metadata);
// Returns whether the backgrounds that were learned were scaled by the autoencoder's factor. Those of published files
// were not.
bool hasScaledBackgrounds(const io::Metadata& metadata);

}  // namespace dan::dual
