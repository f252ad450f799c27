#include "tests/place_models.h"

#include <filesystem>
#include <fstream>

#include "core/random.h"
#include "io/safetensors.h"
#include "tests/test.h"

namespace dan::tests {

std::shared_ptr<model::BaseModel> textBase() {
  static const std::shared_ptr<model::BaseModel> base = model::loadBaseModel(fixture("tiny-sd"), at::kCPU, at::kFloat);
  return base;
}

void writeInpaintingBase(const std::string& folder, double extra) {
  namespace fs = std::filesystem;
  fs::copy(fixture("tiny-sd"), folder, fs::copy_options::recursive);
  const std::string weights = folder + "/unet/diffusion_pytorch_model.safetensors";
  const std::string settings = folder + "/unet/config.json";
  TensorMap tensors = io::readSafetensors(weights).tensors;
  at::Tensor& first = tensors.at("conv_in.weight");
  first = at::cat({first, extra * randn({first.size(0), 5, 3, 3}, makeGenerator(1))}, 1).contiguous();
  auto config = fixtureJson("tiny-sd/unet/config.json");
  config["in_channels"] = 9;
  for (const std::string& file : {weights, settings}) fs::remove(file);  // The copied fixtures are read-only.
  io::writeSafetensors(weights, tensors);
  std::ofstream(settings) << config.dump();
}

std::shared_ptr<model::BaseModel> inpaintingBase(double extra, at::Device device) {
  const Scratch scratch;
  writeInpaintingBase(scratch.at("base"), extra);
  return model::loadBaseModel(scratch.at("base"), device, at::kFloat);
}

sample::PairSampler samplerOf(std::shared_ptr<model::BaseModel> base, const char* adapter) {
  return {std::move(base), dual::readAdapterFile(fixture(adapter))};
}

}  // namespace dan::tests
