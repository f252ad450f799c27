// A checkpoint file may name its prediction type in several places.
#include "model/file_notes.h"

#include "tests/test.h"

namespace dan::tests {

DAN_TEST(a_checkpoint_says_what_it_predicts_in_any_of_the_usual_ways) {
  const at::Tensor weight = at::ones({1}), marker = at::empty({0});
  const auto says = [&](const io::Metadata& metadata, TensorMap markers = {}) {
    markers["model.diffusion_model.a"] = weight;
    return model::predictionTypeOf({markers, metadata}, "sd.safetensors");
  };
  EXPECT(says({}) == "");
  EXPECT(says({{"format", "pt"}, {"ss_v_parameterization", "False"}, {"modelspec.prediction_type", "None"}}) == "");
  EXPECT(says({{"modelspec.prediction_type", "epsilon"}}) == "epsilon");
  EXPECT(says({{"modelspec.prediction_type", "v"}, {"ss_v_parameterization", "True"}}) == "v_prediction");
  EXPECT(says({{"ss_v_parameterization", "True"}}) == "v_prediction");
  EXPECT(says({{"modelspec.architecture", "stable-diffusion-v2-768-v"}}) == "v_prediction");
  EXPECT(says({}, {{"v_pred", marker}}) == "v_prediction");
  EXPECT(says({{"modelspec.timestep_range", "0,1000"}, {"note", "made on Monday"}, {"_beta", "x"}}) == "");

  expectError([&] { says({}, {{"v_pred", marker}, {"ztsnr", marker}}); }, "ztsnr");
  expectError([&] { says({{"ss_zero_terminal_snr", "True"}}); }, "ss_zero_terminal_snr");
  expectError([&] { says({{"modelspec.prediction_type", "x0"}}); }, "expected epsilon or v");
  expectError([&] { says({{"ss_v_parameterization", "maybe"}}); }, "ss_v_parameterization");
  expectError([&] { says({{"modelspec.prediction_type", "epsilon"}}, {{"v_pred", marker}}); }, "contradicts itself");
  expectError([&] { says({{"modelspec.architecture", "stable-diffusion-xl-v1-base"}}); }, "another model");
  expectError([&] { says({{"modelspec.timestep_range", "0,500"}}); }, "timestep_range");
  expectError([&] { says({{"prediction_type", "v"}}); }, "prediction_type = v");
  expectError([&] { says({}, {{"edm_vpred.sigma_max", weight}}); }, "edm_vpred.sigma_max");
  expectError([&] { says({}, {{"flow", marker}}); }, "flow");
}

}  // namespace dan::tests
