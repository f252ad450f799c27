// People often give a pointer, a web page, an archive or another framework's file in place of weights. These functions
// recognise such files by content, so that the error can say what to do.
#pragma once

#include <string>
#include <string_view>

#include "io/input_file.h"

namespace dan::io {

inline constexpr const char* kLfsPointer =
    "a Git LFS pointer, not the file itself: run `git lfs pull` in its repository, or download the file";

bool isLfsPointer(std::string_view text);

// Returns what the file is and what to do about it if it holds no weights that we read. Returns an empty text for
// safetensors, torch.save files and unknown bytes.
std::string foreignKind(const InputFile& file);

// Returns true if the file begins like safetensors: a length that fits a header, then the header's brace.
bool beginsAsSafetensors(const InputFile& file);

}  // namespace dan::io
