// These tests check the trainer's state after an abort, an error and an overflow of float16.
#include <ATen/record_function.h>

#include <cmath>
#include <fstream>

#include "core/random.h"
#include "io/safetensors.h"
#include "tests/test.h"
#include "train/pair_trainer.h"

namespace dan::tests {

namespace {

namespace fs = std::filesystem;
using Trainer = std::unique_ptr<train::PairTrainer>;

constexpr int64_t kTrainSide = 32;

train::TrainingRegions wholeImages() {
  const at::Tensor images = at::randint(256, {2, kTrainSide, kTrainSide, 3}, makeGenerator(1), at::kByte);
  const at::Tensor mask = at::zeros({kTrainSide, kTrainSide}, at::kByte);
  mask.slice(0, 4, 20).slice(1, 8, 24).fill_(255);
  train::TrainingRegions data;
  data.resolution = kTrainSide;
  for (const at::Tensor& image : images.unbind()) data.regions.push_back({image, mask, {}});
  return data;
}

// There are two images and three pairs per step, so every step starts a new order of the images partway through.
Trainer makeTrainer(const model::BaseModel& base, int64_t accumulation = 3) {
  train::TrainOptions options;
  options.rank = 2;
  options.batchSize = 1;
  options.gradientAccumulation = accumulation;
  options.learningRate = 1e-3;
  options.weightDecay = 0;
  options.seed = 4;
  return std::make_unique<train::PairTrainer>(base, train::makeLatentSource(base, wholeImages(), Task()), options);
}

const model::BaseModel& tinyBase(at::ScalarType dtype) {
  static std::map<at::ScalarType, std::unique_ptr<model::BaseModel>> bases;
  auto& base = bases[dtype];
  if (!base) base = model::loadBaseModel(fixture("tiny-sd"), at::kCPU, dtype);
  return *base;
}

void steps(train::PairTrainer& trainer, int count) {
  for (int i = 0; i < count; ++i) trainer.step(Task());
}

std::string bytesOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Returns everything in a checkpoint: adapter, optimiser, random state, order and position in it, loss scale.
std::string stateOf(const train::PairTrainer& trainer) {
  const Scratch scratch;
  trainer.saveCheckpoint(scratch.at("state.safetensors"), {});
  return bytesOf(scratch.at("state.safetensors"));
}

void setLossScale(const std::string& checkpoint, std::vector<double> state) {
  io::SafetensorsFile file = io::readSafetensors(checkpoint);
  TensorMap tensors;
  for (const auto& [name, tensor] : file.tensors) tensors[name] = tensor.clone();
  tensors["loss_scale"] = at::tensor(state, at::kDouble);
  io::writeSafetensors(checkpoint, tensors, file.metadata);
}

thread_local std::function<void(const std::string&)> onScope;

// Calls `action` when the scope `name` begins for the `count`-th time on this thread.
class AtScope {
 public:
  AtScope(const std::string& name, int count, const std::function<void()>& action) {
    onScope = [name, count, action, seen = 0](const std::string& begun) mutable {
      if (begun == name && ++seen == count) action();
    };
    const auto call = [](const at::RecordFunction& function) -> std::unique_ptr<at::ObserverContext> {
      onScope(function.name());
      return nullptr;
    };
    handle_ = at::addThreadLocalCallback(at::RecordFunctionCallback(call).scopes({at::RecordScope::USER_SCOPE}));
  }
  ~AtScope() { at::removeCallback(handle_); }
  AtScope(const AtScope&) = delete;
  AtScope& operator=(const AtScope&) = delete;

 private:
  at::CallbackHandle handle_;
};

// Aborts a step in its last pair but one, when it has gradients.
void abortedStep(train::PairTrainer& trainer, const char* scope) {
  Task task;
  const auto count = static_cast<int>(trainer.options().gradientAccumulation) - 1;
  const AtScope late(scope, count, [&] { task.cancel(); });
  expectError([&] { trainer.step(task); }, "aborted");
}

// Runs a step whose third pair meets a number that is not finite.
void nonFiniteStep(train::PairTrainer& trainer) {
  at::Tensor broken = trainer.adapter().parameters().begin()->second.detach();  // It shares the parameter's memory.
  const at::Tensor before = broken.clone();
  const AtScope third("train step: forward", 3, [&] { broken.fill_(std::nan("")); });
  expectError([&] { trainer.step(Task()); }, trainer.adapter().parameters().begin()->first + " holds numbers");
  broken.copy_(before);
}

}  // namespace

DAN_TEST(a_step_that_does_not_end_leaves_the_trainer_as_it_was) {
  const model::BaseModel& base = tinyBase(at::kFloat);
  const Trainer whole = makeTrainer(base);
  steps(*whole, 2);
  const std::string expected = stateOf(*whole);
  const std::function<void(train::PairTrainer&)> interruptions[] = {
      [](auto& trainer) { abortedStep(trainer, "train step: forward"); },
      [](auto& trainer) { abortedStep(trainer, "train step: backward"); }, nonFiniteStep};
  for (const auto& interrupt : interruptions) {
    const Scratch scratch;
    const std::string path = scratch.at("checkpoint.safetensors");
    const Trainer torn = makeTrainer(base), resumed = makeTrainer(base);
    interrupt(*torn);  // This interrupts even the first step.
    steps(*torn, 1);
    const std::string before = stateOf(*torn);
    interrupt(*torn);
    EXPECT(torn->position() == 1 && stateOf(*torn) == before);
    torn->saveCheckpoint(path, {});
    steps(*torn, 1);
    EXPECT(stateOf(*torn) == expected);
    resumed->loadCheckpoint(path);
    steps(*resumed, 1);
    EXPECT(stateOf(*resumed) == expected);
  }
}

// The expected values come from torch.amp.GradScaler of PyTorch 2.11.
DAN_TEST(the_loss_scale_follows_overflows_as_gradscaler_does) {
  train::LossScaler scaler(true);
  EXPECT(scaler.scale() == 65536);
  EXPECT(scaler.update(true) && scaler.scale() == 32768 && scaler.skipped() == 1);
  for (int i = 0; i < 1999; ++i) scaler.update(false);
  EXPECT(scaler.scale() == 32768);
  scaler.update(false);
  EXPECT(scaler.scale() == 65536);
  for (int i = 0; i < 1999; ++i) scaler.update(false);
  scaler.update(true);  // The overflow resets the count.
  for (int i = 0; i < 1999; ++i) scaler.update(false);
  EXPECT(scaler.scale() == 32768 && scaler.skipped() == 2);
  train::LossScaler resumed(true);
  resumed.loadState(scaler.state(), "a test");
  EXPECT(resumed.scale() == 32768 && resumed.skipped() == 2);
  resumed.update(false);
  EXPECT(resumed.scale() == 65536);
  int halvings = 0;
  while (resumed.update(true)) ++halvings;  // The loop ends, unlike with GradScaler.
  EXPECT(halvings == 16 && resumed.scale() == 1);
  expectError([&] { resumed.loadState(at::zeros({3}, at::kDouble), "file"); }, "file: loss_scale is damaged");
  const train::LossScaler off(false);
  EXPECT(off.scale() == 1);
}

DAN_TEST(training_in_float16_moves_as_many_numbers_as_in_float32) {
  const auto stillShare = [](at::ScalarType dtype) {
    const Trainer trainer = makeTrainer(tinyBase(dtype), 1);
    // A fresh LoRA is zero and gives most parameters no gradient, so we use other numbers.
    at::Generator generator = makeGenerator(3);
    TensorMap before;
    for (const auto& [name, tensor] : trainer->adapter().parameters()) {
      tensor.detach().add_(0.05 * randn(tensor.sizes(), generator));
      before[name] = tensor.detach().clone();
    }
    trainer->step(Task());
    int64_t still = 0, all = 0;
    for (const auto& [name, tensor] : trainer->adapter().parameters()) {
      still += (tensor.detach() == before.at(name)).sum().item<int64_t>();
      all += tensor.numel();
    }
    return static_cast<double>(still) / static_cast<double>(all);
  };
  const double full = stillShare(at::kFloat), half = stillShare(at::kHalf);
  if (half > full + 0.005) failTest(c10::str("in float32 ", full, " of the numbers stayed, in float16 ", half));
}

DAN_TEST(a_step_that_overflows_float16_is_skipped_and_counted) {
  const model::BaseModel& base = tinyBase(at::kHalf);
  const Scratch scratch;
  const std::string path = scratch.at("checkpoint.safetensors"), later = scratch.at("later.safetensors");
  const Trainer trainer = makeTrainer(base, 2);
  EXPECT(trainer->scalesLoss() && !makeTrainer(tinyBase(at::kFloat))->scalesLoss());
  steps(*trainer, 1);
  trainer->saveCheckpoint(path, {});
  setLossScale(path, {std::exp2(20), 1999, 0});
  trainer->loadCheckpoint(path);
  TensorMap before;
  for (const auto& [name, tensor] : trainer->adapter().parameters()) before[name] = tensor.detach().clone();
  const auto first = trainer->step(Task());
  EXPECT(first.step == 2 && first.skippedSteps == 1 && first.lossScale == std::exp2(20));
  EXPECT(std::isfinite(first.loss) && !std::isfinite(first.gradNorm));
  for (const auto& [name, tensor] : trainer->adapter().parameters()) EXPECT(tensor.equal(before.at(name)));
  EXPECT(trainer->step(Task()).lossScale == std::exp2(19));
  // A run that is interrupted between overflows must end in the same state.
  const std::string torn = stateOf(*trainer);
  abortedStep(*trainer, "train step: backward");
  EXPECT(stateOf(*trainer) == torn);
  trainer->saveCheckpoint(later, {});
  const Trainer resumed = makeTrainer(base, 2);
  resumed->loadCheckpoint(later);
  train::StepResult last;
  int count = 0;
  do {
    last = trainer->step(Task());
    resumed->step(Task());
  } while (!std::isfinite(last.gradNorm) && ++count < 30);
  EXPECT(std::isfinite(last.gradNorm) && last.skippedSteps == count + 2);
  EXPECT(!trainer->adapter().parameters().begin()->second.equal(before.begin()->second));
  EXPECT(stateOf(*resumed) == stateOf(*trainer));
  setLossScale(path, {0, 0, 0});
  expectError([&] { resumed->loadCheckpoint(path); }, "loss_scale is damaged");
}

DAN_TEST(training_that_overflows_float16_at_every_loss_scale_ends) {
  const Scratch scratch;
  const std::string folder = scratch.at("base"), weights = folder + "/unet/diffusion_pytorch_model.safetensors";
  fs::copy(fixture("tiny-sd"), folder, fs::copy_options::recursive);
  TensorMap unet;
  for (const auto& [name, tensor] : io::readSafetensors(weights).tensors) unet[name] = tensor.clone();
  // The loss stays finite, but its gradients overflow.
  unet.at("conv_out.weight").mul_(3000);
  fs::remove(weights);
  io::writeSafetensors(weights, unet, {});
  const auto base = model::loadBaseModel(folder, at::kCPU, at::kHalf);
  const Trainer trainer = makeTrainer(*base, 1);
  std::string before;
  expectError(
      [&] {
        for (int i = 0; i < 30; ++i) {
          before = stateOf(*trainer);
          trainer->step(Task());
        }
      },
      "loss scale 1)");
  EXPECT(trainer->position() == 16 && stateOf(*trainer) == before);
}

}  // namespace dan::tests
