// The base that we train: text encoder, UNet and initial adapter.
#pragma once

#include <memory>
#include <string>

#include "diffusion/noise_schedule.h"
#include "dual/adapter.h"
#include "model/text_encoder.h"
#include "model/unet.h"

namespace dan::pretrain {

diffusion::ScheduleConfig scheduleConfig();

class TrainedBase {
 public:
  // Each part starts from the weights in the base folder `start` if its configuration there is the same as ours, else
  // from random ones, as if `start` is empty. The adapter starts from that of the folder if the UNet does.
  TrainedBase(const std::string& start, uint64_t seed);

  const model::TextEncoder& textEncoder() const { return *textEncoder_; }
  const model::Unet& unet() const { return *unet_; }
  const dual::Adapter& adapter() const { return *adapter_; }
  const model::TextConfig& textConfig() const { return textConfig_; }
  // All parameters, named "text_encoder/...", "unet/..." and "adapter/...", with gradients enabled.
  const TensorMap& parameters() const { return parameters_; }

  // Writes `values`, which are named as the parameters, in half precision into the base folder.
  void save(const std::string& folder, const TensorMap& values) const;

 private:
  model::TextConfig textConfig_;
  model::UnetConfig unetConfig_;
  std::unique_ptr<model::TextEncoder> textEncoder_;
  std::unique_ptr<model::Unet> unet_;
  std::unique_ptr<dual::Adapter> adapter_;
  TensorMap parameters_;
};

}  // namespace dan::pretrain
