// Models that many cases share, loaded once.
#pragma once

#include "dual/adapter_file.h"
#include "golden/case.h"
#include "model/base_model.h"

namespace dan::golden {

// The base that `params.model` names, in float32 on the CPU.
const model::BaseModel& baseOf(const Case& test);

// The adapter that `params.adapter` names, with `params.background_injection`; a new one at each call.
std::unique_ptr<dual::Adapter> adapterOf(const Case& test);

}  // namespace dan::golden
