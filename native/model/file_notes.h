// Weights files from other programs may carry any metadata. We read the keys that matter, and reject unknown keys that
// look as if they mattered.
#pragma once

#include <string>

#include "io/safetensors.h"

namespace dan::model {

// Returns the prediction type of a checkpoint file, "epsilon" or "v_prediction". It is read from the metadata
// (`modelspec.prediction_type`, `ss_v_parameterization`) or from an empty tensor `v_pred`. Returns an empty string if
// the file does not name one. Throws ERR_MODEL_INVALID for a schedule of zero terminal SNR, for contradicting types,
// and for a model of another architecture.
std::string predictionTypeOf(const io::SafetensorsFile& file, const std::string& path);

// Throws ERR_WEIGHTS_INVALID if the metadata of a LoRA names a base of another kind or holds an unknown setting that
// affects merging. The settings of PEFT and of kohya's alpha are not checked here.
void checkLoraMetadata(const io::Metadata& metadata, const std::string& path);

}  // namespace dan::model
