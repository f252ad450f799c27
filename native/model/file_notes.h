// The metadata of weights files from elsewhere, which anybody may write anything into: what decides something is read,
// and what looks as if it did and is not known is refused.
#pragma once

#include <string>

#include "io/safetensors.h"

namespace dan::model {

// What a checkpoint file says that it predicts, "epsilon" or "v_prediction", in its metadata
// (`modelspec.prediction_type`, `ss_v_parameterization`) or by an empty tensor `v_pred`; empty where it says nothing.
// Throws ERR_MODEL_INVALID for a schedule of zero terminal SNR, for two answers, and for a model of another
// architecture.
std::string predictionTypeOf(const io::SafetensorsFile& file, const std::string& path);

// Throws ERR_WEIGHTS_INVALID where a LoRA's metadata names a base of another kind, or holds a setting that decides how
// it is merged and is not known. The settings of PEFT and of kohya's alpha are not checked here.
void checkLoraMetadata(const io::Metadata& metadata, const std::string& path);

}  // namespace dan::model
