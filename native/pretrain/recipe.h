// This recipe trains the embedded default models from scratch.
#pragma once

#include <functional>
#include <string>

#include "core/tensor_map.h"
#include "io/safetensors.h"
#include "model/vae.h"
#include "pretrain/training_data.h"

namespace dan::pretrain {

struct RecipeOptions {
  std::string data, base, out;  // training data; base folder (vae -> unet); output file
  // The UNet's run goes on from `checkpoint` if that file exists, else from the base folder `start`.
  std::string checkpoint, start;
  int64_t steps = 1000, batchSize = 8;
  double minutes = 1e9;  // A run ends after so many minutes or at the step `steps`, whichever is first.
  double learningRate = 1e-3;
  uint64_t seed = 0;
  bool resume = false;  // If true, training starts from the existing weights.
};

constexpr int64_t kSaveEvery = 500;  // steps

// trainVae writes the folder vae/ of the base. trainUnet writes the folders text_encoder/ and unet/ and the initial
// adapter; `base` must then contain the tokenizer and vae/.
void trainVae(const RecipeOptions& options);
void trainUnet(const RecipeOptions& options);
// Writes a narrow U2-NetP to `out`.
void trainMaskModel(const RecipeOptions& options);

// Returns the parameters to train, with gradients enabled. Buffers of batch norms are not among them.
TensorMap trainable(const TensorMap& parameters);

// Returns the weights of `file` if the run resumes, else random ones.
nn::Weights startWeights(const RecipeOptions& options, const std::string& file, at::Generator generator);

// Reads the autoencoder that trainVae wrote.
model::Vae readVae(const std::string& folder);

// The rate warms up over 100 steps, then follows a half cosine down to a hundredth of `base`. `done` is the share of
// the run that is over, in [0, 1].
double learningRateAt(int64_t step, double done, double base);

// Logs the step, the average loss and the seconds per step, every twenty steps.
class RunLog {
 public:
  RunLog(const char* what, int64_t step);
  void operator()(double loss);
  double seconds() const;  // since construction

 private:
  std::string what_;
  int64_t step_;
  double start_, last_, average_ = 0;
};

// The package ships the weights in half precision.
void saveHalf(const std::string& path, const TensorMap& tensors, const io::Metadata& metadata = {});

// Returns `count` random row numbers in [0, n).
at::Tensor drawIndices(int64_t n, int64_t count, at::Generator generator);

}  // namespace dan::pretrain
