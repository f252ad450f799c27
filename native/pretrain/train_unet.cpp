#include <ATen/core/grad_mode.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/random.h"
#include "diffusion/noise_schedule.h"
#include "model/clip_tokenizer.h"
#include "model/text_encoder.h"
#include "model/unet.h"
#include "model/vae.h"
#include "pretrain/recipe.h"
#include "train/adamw.h"

namespace dan::pretrain {

namespace {

constexpr double kPartShare = 0.3;     // of the batch shows anomaly parts on blank ground
constexpr double kEmptyCaption = 0.1;  // of the captions is dropped, for classifier-free guidance
constexpr double kEmaDecay = 0.999;
constexpr int64_t kSaveEvery = 500;

struct Latents {
  at::Tensor whole, parts;  // (N, 4, h, w), scaled; parts are those of the rows in partRows
};

at::Tensor encodeAll(const model::Vae& vae, const std::function<at::Tensor(const at::Tensor&)>& pixels,
                     const at::Tensor& rows, int64_t size) {
  const at::NoGradGuard noGrad;
  std::vector<at::Tensor> latents;
  for (const at::Tensor& index : rows.split(32)) {
    at::Tensor batch = pixels(index);
    if (batch.size(2) != size) batch = at::adaptive_avg_pool2d(batch, {size, size});
    latents.push_back(vae.encode(batch).mean * vae.config().scalingFactor);
  }
  return at::cat(latents);
}

// Exponential moving average of the parameters: what is saved.
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
  const TensorMap& average() const { return average_; }

 private:
  TensorMap parameters_, average_;
};

model::UnetConfig unetConfig(const model::TextConfig& text) {
  model::UnetConfig config;
  config.blockOutChannels = {48, 96, 128};
  config.layersPerBlock = 1;
  config.crossAttentionDim = text.hiddenSize;
  config.groups = 16;
  config.heads = {1, 2, 4};  // few where there are many tokens: on a CPU the softmax costs more than the products
  config.depths = {1, 1, 1};
  config.downHasAttention = {true, true, false};
  config.upHasAttention = {false, true, true};
  return config;
}

model::TextConfig textConfig() {
  model::TextConfig config;
  config.hiddenSize = 32;
  config.intermediateSize = 64;
  config.numLayers = 2;
  config.heads = 4;
  return config;
}

}  // namespace

void trainUnet(const RecipeOptions& options) {
  const TrainingData data = readTrainingData(options.data);
  const std::string vaeFolder = options.base + "/vae/";
  const model::VaeConfig vaeConfig = model::readVaeConfig(vaeFolder + "config.json");
  const std::string vaeFile = vaeFolder + "diffusion_pytorch_model.safetensors";
  const model::Vae vae(nn::Weights::fromTensors(io::readSafetensors(vaeFile).tensors, vaeFile, at::kFloat), vaeConfig);

  const model::TextConfig text = textConfig();
  const model::UnetConfig config = unetConfig(text);
  const nn::Weights textWeights = nn::Weights::random(makeGenerator(options.seed, 1));
  const nn::Weights unetWeights = nn::Weights::random(makeGenerator(options.seed, 2));
  const model::TextEncoder textEncoder(textWeights, text);
  const model::Unet unet(unetWeights, config);
  TensorMap parameters;
  for (const auto& [name, tensor] : textWeights.taken()) parameters["text_encoder/" + name] = tensor;
  for (const auto& [name, tensor] : unetWeights.taken()) parameters["unet/" + name] = tensor;
  train::AdamW optimizer(trainable(parameters), {0.9, 0.99, 1e-4, 1e-8, 1.0});
  Ema ema(parameters);

  const model::ClipTokenizer tokenizer(options.base + "/tokenizer", text.maxLength);
  std::vector<at::Tensor> ids;
  for (const std::string& caption : data.captions) ids.push_back(at::tensor(tokenizer.encode(caption), at::kLong));
  ids.push_back(at::tensor(tokenizer.encode(""), at::kLong));
  const at::Tensor captionTokens = at::stack(ids);  // (captions + 1, 77), the last one empty
  const auto emptyId = static_cast<int64_t>(data.captions.size());

  // Full size and half size, so that both of the package's resolutions are in its range.
  const int64_t fullSize = data.images.size(1);
  const at::Tensor rows = at::arange(data.size());
  const at::Tensor partRows = (data.partIds >= 0).nonzero().flatten();
  std::vector<Latents> sizes;
  for (const int64_t size : {fullSize, fullSize / 2}) {
    std::printf("unet: encoding at %ld\n", static_cast<long>(size));
    std::fflush(stdout);
    sizes.push_back({encodeAll(
                         vae, [&](const at::Tensor& i) { return data.pixelValues(i); }, rows, size),
                     encodeAll(
                         vae, [&](const at::Tensor& i) { return data.partValues(i); }, partRows, size)});
  }

  diffusion::ScheduleConfig scheduleConfig;
  scheduleConfig.betaStart = 0.00085;
  scheduleConfig.betaEnd = 0.012;
  scheduleConfig.betaSchedule = "scaled_linear";
  const diffusion::NoiseSchedule schedule(scheduleConfig);

  const auto save = [&] {
    const auto part = [&](const std::string& prefix) {
      TensorMap tensors;
      for (const auto& [name, tensor] : ema.average()) {
        if (name.rfind(prefix, 0) == 0) tensors[name.substr(prefix.size())] = tensor;
      }
      return tensors;
    };
    for (const char* folder : {"/text_encoder", "/unet"}) std::filesystem::create_directories(options.base + folder);
    saveHalf(options.base + "/text_encoder/model.safetensors", part("text_encoder/"));
    saveHalf(options.base + "/unet/diffusion_pytorch_model.safetensors", part("unet/"));
    std::ofstream(options.base + "/text_encoder/config.json") << toJson(text).dump(2) << "\n";
    std::ofstream(options.base + "/unet/config.json") << toJson(config).dump(2) << "\n";
  };

  at::Generator generator = makeGenerator(options.seed, 3);
  StepLog log("unet", options.steps);
  for (int64_t step = 0; step < options.steps; ++step) {
    const Latents& latents = sizes[step % 2];
    const int64_t count = step % 2 == 0 ? options.batchSize : 4 * options.batchSize;  // the same number of pixels
    const auto parts = static_cast<int64_t>(static_cast<double>(count) * kPartShare);
    const at::Tensor partIndex = drawIndices(partRows.size(0), parts, generator);
    const at::Tensor wholeIndex = drawIndices(data.size(), count - parts, generator);
    const at::Tensor clean = at::cat({latents.parts.index({partIndex}), latents.whole.index({wholeIndex})});
    at::Tensor captions =
        at::cat({data.partIds.index({partRows.index({partIndex})}), data.captionIds.index({wholeIndex})});
    captions = at::where(at::rand({count}, generator, at::TensorOptions()) < kEmptyCaption,
                         at::full_like(captions, emptyId), captions);

    const at::Tensor noise = randn(clean.sizes(), generator);
    const at::Tensor timesteps = drawIndices(scheduleConfig.numTrainTimesteps, count, generator);
    // Only the captions of this batch are encoded.
    const auto [used, position] = at::_unique(captions, true, true);
    const at::Tensor context = textEncoder.forward(captionTokens.index({used})).index({position});
    const at::Tensor prediction = unet.forward(schedule.addNoise(clean, noise, timesteps), timesteps, context);
    const at::Tensor loss = at::mse_loss(prediction, noise);
    loss.backward();
    optimizer.step(learningRateAt(step, options.steps, options.learningRate));
    ema.update(step);
    log(step + 1, loss.item<double>());
    if ((step + 1) % kSaveEvery == 0) save();
  }
  save();
}

}  // namespace dan::pretrain
