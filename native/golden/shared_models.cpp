#include "golden/shared_models.h"

namespace dan::golden {

const model::BaseModel& baseOf(const Case& test) {
  static std::map<std::string, std::unique_ptr<model::BaseModel>> loaded;
  const std::string path = test.path(test.params().at("model"));
  auto& base = loaded[path];
  if (!base) base = model::loadBaseModel(path, test.device(), at::kFloat);
  return *base;
}

std::unique_ptr<dual::Adapter> adapterOf(const Case& test) {
  const auto mode = dual::parseBackgroundMode(test.params().value("background_injection", "interpolate"));
  const std::string path = test.path(test.params().at("adapter"));
  const dual::AdapterFile file = dual::readAdapterFile(path, mode);
  const model::BaseModel& base = baseOf(test);
  return std::make_unique<dual::Adapter>(file.tensors, file.settings, *base.unet, base.textEncoder->config(), path);
}

}  // namespace dan::golden
