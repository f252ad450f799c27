#include "io/pickle_globals.h"

#include <map>
#include <set>

namespace dan::io {

namespace {

const std::map<std::string_view, at::ScalarType> kStorageTypes = {
    {"torch\nFloatStorage", at::kFloat},   {"torch\nHalfStorage", at::kHalf}, {"torch\nBFloat16Storage", at::kBFloat16},
    {"torch\nDoubleStorage", at::kDouble}, {"torch\nLongStorage", at::kLong}, {"torch\nIntStorage", at::kInt},
    {"torch\nShortStorage", at::kShort},   {"torch\nCharStorage", at::kChar}, {"torch\nByteStorage", at::kByte},
    {"torch\nBoolStorage", at::kBool}};

const std::set<std::string_view> kIgnoredGlobals = {"pytorch_lightning.callbacks.model_checkpoint\nModelCheckpoint",
                                                    "pytorch_lightning.callbacks\nmodel_checkpoint",
                                                    "numpy.core.multiarray\nscalar",
                                                    "numpy._core.multiarray\nscalar",
                                                    "numpy\ndtype",
                                                    "_codecs\nencode",
                                                    "__builtin__\nset",
                                                    "torch\nSize"};

}  // namespace

bool isStorageType(std::string_view global) { return kStorageTypes.count(global) > 0; }

at::ScalarType dtypeOfStorage(std::string_view global) { return kStorageTypes.at(global); }

bool isIgnoredGlobal(std::string_view global) { return kIgnoredGlobals.count(global) > 0; }

bool isAllowedGlobal(std::string_view global) {
  return global == kOrderedDict || global == kRebuildTensor || global == kRebuildParameter || isStorageType(global) ||
         isIgnoredGlobal(global);
}

}  // namespace dan::io
