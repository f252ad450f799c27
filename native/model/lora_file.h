// A LoRA file may use any of these namings: diffusers with PEFT (`unet.….lora_A.weight`), diffusers before PEFT
// (`….lora.down.weight`, `….processor.to_q_lora.down.weight`), PEFT alone (`base_model.model.….lora_A.weight` with an
// adapter_config.json) and kohya (`lora_unet_….lora_down.weight`).
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <map>
#include <optional>
#include <string>

namespace dan::model {

struct LowRank {
  at::Tensor down, up;          // float32: (rank, in), (out, rank); kernels keep their last two dimensions
  std::optional<double> alpha;  // unset if the file has none
  double scale = 1;             // factor of up x down
};

// Returns `path` if it is a file, or the one LoRA file in the folder `path`. Throws ERR_WEIGHTS_INVALID.
std::string loraFileAt(const std::string& path);

// Returns the path of the adapter_config.json that belongs to a PEFT file `adapter_model.*`, or an empty string for
// other files. Throws ERR_WEIGHTS_INVALID if the config is missing.
std::string peftConfigOf(const std::string& path);

// Returns the modules of a file under the names in the file. `isText` returns true for the modules of the text encoder.
// Throws ERR_WEIGHTS_INVALID naming the file and what is damaged, missing, or not a plain LoRA.
std::map<std::string, LowRank> readLoraFile(const std::string& path,
                                            const std::function<bool(const std::string&)>& isText);

}  // namespace dan::model
