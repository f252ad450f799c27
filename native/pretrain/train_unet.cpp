// We train the base and its initial adapter together. Some steps show single pictures to the bare UNet, the others show
// pairs to the dual UNet. An adapter for a real defect then starts from one that already models pairs.
#include <ATen/core/grad_mode.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/random.h"
#include "diffusion/noise_schedule.h"
#include "dual/adapter_file.h"
#include "dual/dual_unet.h"
#include "model/clip_tokenizer.h"
#include "pretrain/recipe.h"
#include "train/adamw.h"

namespace dan::pretrain {

namespace {

constexpr int64_t kRank = 8;           // This rank of the initial adapter suffices to separate the branches.
constexpr int64_t kPlainEvery = 4;     // The bare UNet gets one step in four.
constexpr double kEmptyCaption = 0.1;  // We drop this share of the captions for classifier-free guidance.
constexpr double kEmaDecay = 0.998;
// The pair of a good picture has this caption in both branches, so that guidance leads towards defects.
constexpr const char* kNothing = "nothing";

// Returns all pictures and their parts at one size: (N, 2, 4, h, w), scaled.
at::Tensor encodePairs(const model::Vae& vae, const TrainingData& data, int64_t size) {
  const at::NoGradGuard noGrad;
  std::vector<at::Tensor> latents;
  for (const at::Tensor& index : at::arange(data.size()).split(16)) {
    at::Tensor pixels = dual::packBranches(data.pixelValues(index), data.partValues(index));
    if (pixels.size(2) != size) pixels = at::adaptive_avg_pool2d(pixels, {size, size});
    latents.push_back(dual::unpackBranches(vae.encode(pixels).mean * vae.config().scalingFactor));
  }
  return at::cat(latents);
}

// We save the exponential moving average of the parameters.
class Ema {
 public:
  explicit Ema(const TensorMap& parameters) : parameters_(parameters) {
    for (const auto& [name, tensor] : parameters) average_[name] = tensor.detach().clone();
  }
  void update(int64_t step) {
    const at::NoGradGuard noGrad;
    const double decay = std::min(kEmaDecay, (1.0 + static_cast<double>(step)) / (10.0 + static_cast<double>(step)));
    for (auto& [name, tensor] : average_) tensor.lerp_(parameters_.at(name), 1 - decay);
  }
  // Returns the tensors whose names begin with `prefix`, and removes it from their names.
  TensorMap part(const std::string& prefix) const {
    TensorMap tensors;
    for (const auto& [name, tensor] : average_) {
      if (name.rfind(prefix, 0) == 0) tensors[name.substr(prefix.size())] = tensor;
    }
    return tensors;
  }

 private:
  TensorMap parameters_, average_;
};

model::UnetConfig unetConfig(const model::TextConfig& text) {
  model::UnetConfig config;
  config.blockOutChannels = {48, 96, 128};
  config.layersPerBlock = 1;
  config.crossAttentionDim = text.hiddenSize;
  config.groups = 16;
  // Levels with many tokens have few heads, because on a CPU the softmax costs more than the products.
  config.heads = {1, 2, 4};
  config.depths = {1, 1, 1};
  config.downHasAttention = {true, true, false};
  config.upHasAttention = {false, true, true};
  return config;
}

model::TextConfig textConfig() {
  model::TextConfig config;
  config.hiddenSize = 16;  // The embedding of the vocabulary holds most of the parameters, so we keep it narrow.
  config.intermediateSize = 64;
  config.numLayers = 2;
  config.heads = 4;
  return config;
}

diffusion::ScheduleConfig scheduleConfig() {
  diffusion::ScheduleConfig config;
  config.betaStart = 0.00085;
  config.betaEnd = 0.012;
  config.betaSchedule = "scaled_linear";
  return config;
}

// This is a fresh adapter except for SAIM, which adds nothing at first.
std::unique_ptr<dual::Adapter> silentAdapter(const model::Unet& unet, const model::TextConfig& text, uint64_t seed) {
  const dual::AdapterSettings settings{kRank, dual::BackgroundMode::kOff, 1.0};
  TensorMap tensors = dual::Adapter::initialTensors(settings, unet, text, makeGenerator(seed, 4));
  for (auto& [name, tensor] : tensors) {
    if (name.find(".saim.o.") != std::string::npos) tensor.zero_();
  }
  return std::make_unique<dual::Adapter>(tensors, settings, unet, text, "the initial adapter");
}

// The captions are those of the data, then "nothing", then the empty one.
struct Captions {
  at::Tensor tokens;  // (captions + 2, 77)
  int64_t nothing = 0, empty = 0;
  Captions(const TrainingData& data, const model::ClipTokenizer& tokenizer) {
    std::vector<std::string> texts = data.captions;
    nothing = static_cast<int64_t>(texts.size());
    empty = nothing + 1;
    texts.insert(texts.end(), {kNothing, ""});
    std::vector<at::Tensor> ids;
    for (const std::string& text : texts) ids.push_back(at::tensor(tokenizer.encode(text), at::kLong));
    tokens = at::stack(ids);
  }
  // Returns (B * 2) caption numbers for the pairs `index`. A caption is dropped for both branches at once.
  at::Tensor ofPairs(const TrainingData& data, const at::Tensor& index, at::Generator generator) const {
    const at::Tensor part = data.partIds.index({index});
    const at::Tensor ids = at::stack({data.captionIds.index({index}), at::where(part < 0, nothing, part)}, 1);
    const at::Tensor dropped = at::rand({index.size(0), 1}, generator, at::TensorOptions()) < kEmptyCaption;
    return at::where(dropped, empty, ids).flatten();
  }
};

}  // namespace

void trainUnet(const RecipeOptions& options) {
  const TrainingData data = readTrainingData(options.data);
  const model::Vae vae = readVae(options.base + "/vae");
  const model::TextConfig text = textConfig();
  const model::UnetConfig config = unetConfig(text);
  const std::string unetFile = options.base + "/unet/diffusion_pytorch_model.safetensors";
  const std::string textFile = options.base + "/text_encoder/model.safetensors";
  const nn::Weights textWeights = startWeights(options, textFile, makeGenerator(options.seed, 1));
  const nn::Weights unetWeights = startWeights(options, unetFile, makeGenerator(options.seed, 2));
  const model::TextEncoder textEncoder(textWeights, text);
  const model::Unet unet(unetWeights, config);
  const auto adapter = silentAdapter(unet, text, options.seed);
  TensorMap parameters;
  for (const auto& [name, tensor] : textWeights.taken()) parameters["text_encoder/" + name] = tensor;
  for (const auto& [name, tensor] : unetWeights.taken()) parameters["unet/" + name] = tensor;
  for (const auto& [name, tensor] : adapter->parameters()) parameters["adapter/" + name] = tensor;
  train::AdamW optimizer(trainable(parameters), {0.9, 0.99, 1e-4, 1e-8, 1.0});
  Ema ema(parameters);

  // Both sizes of the package are in the training range: full size and half size.
  std::vector<at::Tensor> sizes;
  for (const int64_t size : {data.images.size(1), data.images.size(1) / 2}) {
    std::printf("unet: encoding at %ld\n", static_cast<long>(size));
    std::fflush(stdout);
    sizes.push_back(encodePairs(vae, data, size));
  }

  const auto save = [&] {
    for (const char* folder : {"/text_encoder", "/unet"}) std::filesystem::create_directories(options.base + folder);
    saveHalf(textFile, ema.part("text_encoder/"));
    saveHalf(unetFile, ema.part("unet/"));
    std::ofstream(options.base + "/text_encoder/config.json") << toJson(text).dump(2) << "\n";
    std::ofstream(options.base + "/unet/config.json") << toJson(config).dump(2) << "\n";
    saveHalf(options.base + "/initial_adapter.safetensors", ema.part("adapter/"),
             dual::adapterMetadata(adapter->settings(), {}));
  };

  const Captions captions(data, model::ClipTokenizer(options.base + "/tokenizer", text.maxLength));
  const diffusion::ScheduleConfig schedule = scheduleConfig();
  const diffusion::NoiseSchedule noiseSchedule(schedule);
  const dual::DualUnet dualUnet(unet, *adapter);
  at::Generator generator = makeGenerator(options.seed, 3);
  StepLog log("unet", options.steps);
  for (int64_t step = 0; step < options.steps; ++step) {
    const at::Tensor& latents = sizes[step % 2];
    // The number of pixels is the same at both sizes.
    const int64_t pairs = step % 2 == 0 ? options.batchSize / 2 : 2 * options.batchSize;
    const at::Tensor index = drawIndices(data.size(), pairs, generator);
    const at::Tensor clean = latents.index({index}).flatten(0, 1);
    const at::Tensor noise = randn(clean.sizes(), generator);
    const at::Tensor timesteps =
        drawIndices(schedule.numTrainTimesteps, pairs, generator).repeat_interleave(dual::kNumBranches);
    // We encode only the captions of this batch.
    const auto [used, position] = at::_unique(captions.ofPairs(data, index, generator), true, true);
    const at::Tensor context = textEncoder.forward(captions.tokens.index({used})).index({position});
    const at::Tensor noisy = noiseSchedule.addNoise(clean, noise, timesteps);
    const bool plain = (step / 2) % kPlainEvery == 0;
    const at::Tensor prediction =
        plain ? unet.forward(noisy, timesteps, context) : dualUnet.forward(noisy, timesteps, context);
    const at::Tensor loss = at::mse_loss(prediction, noise);
    loss.backward();
    optimizer.step(learningRateAt(step, options.steps, options.learningRate));
    ema.update(step);
    log(step + 1, loss.item<double>());
    if ((step + 1) % kSaveEvery == 0 || step + 1 == options.steps) save();
  }
}

}  // namespace dan::pretrain
