// LoRA files made for the base itself (a style, a product), merged into its weights before any network is built.
#pragma once

#include "model/base_parts.h"

namespace dan::model {

struct LoraFile {
  std::string path;  // of a file, or of a folder that holds one
  double scale = 1.0;
};

// Adds scale times the file's own scale (alpha / rank, or what PEFT's settings say) times up x down to the weights that
// it names, in float32. Throws ERR_WEIGHTS_INVALID naming what is damaged, fits nothing or is no plain LoRA, and where
// nothing changes.
void mergeLora(BaseParts& parts, const LoraFile& lora);

}  // namespace dan::model
