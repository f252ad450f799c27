// What lies where weights are expected: pointers, pages, archives and other frameworks' formats, told by their content.
#pragma once

#include <string>
#include <string_view>

#include "io/input_file.h"

namespace dan::io {

inline constexpr const char* kLfsPointer =
    "a Git LFS pointer, not the file itself: run `git lfs pull` in its repository, or download the file";

bool isLfsPointer(std::string_view text);

// What the file is, with what to do, where it is none that holds weights that we read; else empty: safetensors, a
// torch.save file, or bytes that nothing is known of.
std::string foreignKind(const InputFile& file);

// Whether the file begins as safetensors do: a length that fits into a header, then the header's brace.
bool beginsAsSafetensors(const InputFile& file);

}  // namespace dan::io
