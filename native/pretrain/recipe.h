// How the embedded default models are trained from scratch.
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
  int64_t steps = 1000, batchSize = 8;
  double learningRate = 1e-3;
  uint64_t seed = 0;
  bool resume = false;  // go on from the weights that are there
};

constexpr int64_t kSaveEvery = 500;  // steps

// Base folder layout: trainVae writes vae/, trainUnet text_encoder/ and unet/ beside it. `base` holds the tokenizer.
void trainVae(const RecipeOptions& options);
void trainUnet(const RecipeOptions& options);
// Writes a U2-NetP of small width to `out`.
void trainMaskModel(const RecipeOptions& options);

// Parameters that are trained (buffers of batch norms are not), ready for gradients.
TensorMap trainable(const TensorMap& parameters);

// Those of `file` where the run goes on from them, else random ones.
nn::Weights startWeights(const RecipeOptions& options, const std::string& file, at::Generator generator);

// The autoencoder that trainVae wrote.
model::Vae readVae(const std::string& folder);

// Warm-up over 100 steps, then a half cosine to a hundredth of `base`.
double learningRateAt(int64_t step, int64_t steps, double base);

// Logs `step/steps loss time-left` about every hundredth part.
class StepLog {
 public:
  StepLog(const char* what, int64_t steps);
  void operator()(int64_t step, double loss);

 private:
  std::string what_;
  int64_t steps_;
  double start_, average_ = 0;
};

// Weights in half precision: what the package ships.
void saveHalf(const std::string& path, const TensorMap& tensors, const io::Metadata& metadata = {});

// B row numbers of [0, n).
at::Tensor drawIndices(int64_t n, int64_t count, at::Generator generator);

}  // namespace dan::pretrain
