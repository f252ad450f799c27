// LoRA files made for the base itself (a style, a product), merged into its weights before any network is built.
#pragma once

#include "model/base_parts.h"

namespace dan::model {

struct LoraFile {
  std::string path;
  double scale = 1.0;
};

// Adds scale * alpha / rank * up x down to the weights that the file names, in float32. Names: diffusers with PEFT
// (`unet.….lora_A.weight`), diffusers before it (`….lora.down.weight`, `….processor.to_q_lora.down.weight`) and kohya
// (`lora_unet_….lora_down.weight`). Throws ERR_WEIGHTS_INVALID naming a tensor that is no LoRA or fits nothing.
void mergeLora(BaseParts& parts, const LoraFile& lora);

}  // namespace dan::model
