// A LoRA file in any of its namings: diffusers with PEFT (`unet.….lora_A.weight`) and before it (`….lora.down.weight`,
// `….processor.to_q_lora.down.weight`), PEFT alone (`base_model.model.….lora_A.weight` with an adapter_config.json) and
// kohya (`lora_unet_….lora_down.weight`).
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <map>
#include <optional>
#include <string>

namespace dan::model {

struct LowRank {
  at::Tensor down, up;          // float32: (rank, in), (out, rank); kernels keep their last two dimensions
  std::optional<double> alpha;  // as the file has it
  double scale = 1;             // of up x down
};

// The file that `path` means: itself, or the one LoRA in the folder that it is. Throws ERR_WEIGHTS_INVALID.
std::string loraFileAt(const std::string& path);

// The adapter_config.json that belongs to a file of PEFT, `adapter_model.*`; empty for others. Throws
// ERR_WEIGHTS_INVALID where it is not there.
std::string peftConfigOf(const std::string& path);

// The modules of a file by the name that it gives them; `isText` tells those of the text encoder. Throws
// ERR_WEIGHTS_INVALID naming the file and what is damaged, missing, or no plain LoRA.
std::map<std::string, LowRank> readLoraFile(const std::string& path,
                                            const std::function<bool(const std::string&)>& isText);

}  // namespace dan::model
