// These LoRA files change the base itself (a style, a product). They are merged into its weights before any network is
// built.
#pragma once

#include "model/base_parts.h"

namespace dan::model {

struct LoraFile {
  std::string path;  // a LoRA file or a folder that holds one
  double scale = 1.0;
};

// Adds scale * fileScale * (up x down) to the weights that the file names, computed in float32. The file's own scale is
// alpha / rank, or the value that PEFT's settings give. Throws ERR_WEIGHTS_INVALID naming the damaged tensor, the
// module that fits nothing or is not a plain LoRA, or the file if it changes no weight.
void mergeLora(BaseParts& parts, const LoraFile& lora);

}  // namespace dan::model
