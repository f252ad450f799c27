#include "tests/inpainting_base.h"

#include <fstream>

#include "core/random.h"
#include "io/safetensors.h"
#include "tests/test.h"

namespace dan::tests {

namespace fs = std::filesystem;

std::unique_ptr<model::BaseModel> inpaintingBase(at::Device device, at::ScalarType dtype) {
  const Scratch scratch;
  const std::string folder = scratch.at("base");
  fs::copy(fixture("tiny-sd"), folder, fs::copy_options::recursive);
  const std::string weights = folder + "/unet/diffusion_pytorch_model.safetensors",
                    settings = folder + "/unet/config.json";
  TensorMap unet = io::readSafetensors(weights).tensors;
  at::Tensor& first = unet.at("conv_in.weight");
  const at::Tensor more = 0.05 * randn({first.size(0), 5, 3, 3}, makeGenerator(9));
  first = at::cat({first.to(at::kFloat), more}, 1);
  fs::remove(weights);  // The fixture may be read-only.
  io::writeSafetensors(weights, unet, {});
  nlohmann::json config = nlohmann::json::parse(std::ifstream(settings));
  config["in_channels"] = 9;
  fs::remove(settings);
  std::ofstream(settings) << config.dump();
  return model::loadBaseModel(folder, device, dtype);
}

}  // namespace dan::tests
