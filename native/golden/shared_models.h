// Many cases share these models, so each is loaded once.
#pragma once

#include "dual/adapter_file.h"
#include "golden/case.h"
#include "model/base_model.h"

namespace dan::golden {

// Returns the base that `params.model` names, in float32 on the case's device.
const model::BaseModel& baseOf(const Case& test);

// Returns a new instance of the adapter that `params.adapter` names, with `params.background_injection`.
std::unique_ptr<dual::Adapter> adapterOf(const Case& test);

}  // namespace dan::golden
