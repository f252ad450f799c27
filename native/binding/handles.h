// These are the JavaScript classes. Each is a handle that shares ownership of an engine object and releases it on the
// first torch thread.
#pragma once

#include <napi.h>

#include "augment/augmenter.h"
#include "binding/run_task.h"
#include "core/host_memory.h"
#include "core/memory_meter.h"
#include "detect/classifier.h"
#include "detect/detection_scores.h"
#include "detect/detector.h"
#include "dual/adapter_file.h"
#include "mask/part_masker.h"
#include "model/base_model.h"
#include "sample/pair_sampler.h"
#include "train/pair_trainer.h"

namespace dan::binding {

// `new Task(number of the torch thread)` makes a task for one call. Its `cancel()` ends the call.
class TaskHandle : public Napi::ObjectWrap<TaskHandle> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit TaskHandle(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<TaskHandle>(info),
        task(guarded(info.Env(), [&] { return std::make_shared<JsTask>(info[0].ToNumber().Uint32Value()); })) {}
  static std::shared_ptr<JsTask> from(Napi::Value value);
  const std::shared_ptr<JsTask> task;

 private:
  Napi::Value cancel(const Napi::CallbackInfo& info);
};

// It carries an engine object to its handle, with the size of its memory.
template <class T>
struct Made {
  std::shared_ptr<T> object;
  int64_t bytes = 0;
};

// Calls `make` and returns its object with the memory that the call has kept. It must be called on the torch thread. If
// the call frees memory that was there before, `freed` is its size.
template <class Make>
auto measured(Make make, int64_t freed = 0) -> Made<typename decltype(make())::element_type> {
  const MemoryMeter meter;
  auto object = make();
  return {std::move(object), meter.grown(freed)};
}

// A handle keeps an engine object until dispose() is called or the handle is collected. V8 learns the size of the
// object, because its garbage collector only runs early enough if it knows of the memory.
template <class Derived, class T>
class Handle : public Napi::ObjectWrap<Derived> {
 public:
  explicit Handle(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<Derived>(info), data_(EnvData::of(info.Env())), napiEnv_(info.Env()) {}
  ~Handle() override { release(); }

  static Napi::Value wrap(Napi::Env env, Made<T> made, const Napi::FunctionReference& constructor) {
    Napi::Object object = constructor.New({});
    Derived* handle = Derived::Unwrap(object);
    handle->value_ = std::move(made.object);
    ++handle->data_.objects;
    handle->grow(made.bytes);
    return object;
  }
  static std::shared_ptr<T> from(Napi::Value value) {
    auto shared = Derived::Unwrap(value.As<Napi::Object>())->value_;
    if (!shared) throw Napi::Error::New(value.Env(), "the native object is disposed");
    return shared;
  }
  // Returns the bytes that V8 knows of.
  static int64_t reportedBytes(Napi::Value value) { return Derived::Unwrap(value.As<Napi::Object>())->bytes_; }
  Napi::Value dispose(const Napi::CallbackInfo& info) {
    release();
    return info.Env().Undefined();
  }

 protected:
  using Method = Napi::Value (Derived::*)(const Napi::CallbackInfo&);

  // Makes a method of the JavaScript class. All methods but dispose() must be made by it, because it converts
  // exceptions.
  template <Method body>
  static Napi::ClassPropertyDescriptor<Derived> method(const char* name) {
    return Derived::InstanceMethod(name, static_cast<Method>(&Handle::template guardedMethod<body>));
  }
  static Napi::ClassPropertyDescriptor<Derived> disposeMethod() {
    return Derived::InstanceMethod("dispose", static_cast<Method>(&Handle::dispose));
  }

  std::shared_ptr<T> value() const {
    if (!value_) throw Napi::Error::New(Napi::ObjectWrap<Derived>::Env(), "the native object is disposed");
    return value_;
  }

  // Reports that the object's memory has grown by `bytes`.
  void grow(int64_t bytes) {
    data_.reportMemory(napiEnv_, bytes);
    bytes_ += bytes;
  }

 private:
  template <Method body>
  Napi::Value guardedMethod(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] { return (static_cast<Derived*>(this)->*body)(info); });
  }

  void release() noexcept {
    if (!value_) return;
    EnvData& data = data_;
    try {
      grow(-bytes_);
      auto doomed = std::make_shared<std::shared_ptr<T>>(std::move(value_));
      data.torch.post(0, std::make_shared<Task>(), [doomed, &data] {
        doomed->reset();
        --data.objects;
        releaseHostMemory();
      });
    } catch (...) {  // There is no memory to post the job, so the object is freed on this thread.
      value_.reset();
      --data.objects;
    }
  }

  EnvData& data_;
  napi_env napiEnv_;
  std::shared_ptr<T> value_;
  int64_t bytes_ = 0;
};

// It holds a trainer and the objects that the trainer uses.
struct TrainerState {
  std::shared_ptr<model::BaseModel> base;
  std::unique_ptr<train::PairTrainer> trainer;
};

// It holds a batch of pairs that is denoised step by step, and the objects that the batch uses.
struct BatchState {
  std::shared_ptr<sample::PairSampler> sampler;
  std::shared_ptr<sample::Backgrounds> backgrounds;
  std::unique_ptr<sample::PairBatch> batch;
};

// checkPrompts(prompts, task) of models and samplers returns { maxTokens, leftOut }. `leftOut` has for each prompt the
// words beyond the limit, or ''.
Napi::Value checkPromptsOf(std::shared_ptr<model::BaseModel> base, const Napi::CallbackInfo& info);

struct ModelHandle : Handle<ModelHandle, model::BaseModel> {
  using Handle::Handle;
  static Napi::Function define(Napi::Env env);
  Napi::Value encode(const Napi::CallbackInfo& info);
  Napi::Value decode(const Napi::CallbackInfo& info);
  Napi::Value textEncode(const Napi::CallbackInfo& info);
  Napi::Value checkPrompts(const Napi::CallbackInfo& info);
};
// It holds the regions that a trainer is created from.
struct RegionsHandle : Handle<RegionsHandle, std::vector<train::TrainingRegion>> {
  using Handle::Handle;
  static Napi::Function define(Napi::Env env);
  Napi::Value append(const Napi::CallbackInfo& info);
};
struct TrainerHandle : Handle<TrainerHandle, TrainerState> {
  using Handle::Handle;
  static Napi::Function define(Napi::Env env);
  Napi::Value step(const Napi::CallbackInfo& info);
  Napi::Value saveCheckpoint(const Napi::CallbackInfo& info);
  Napi::Value loadCheckpoint(const Napi::CallbackInfo& info);
  Napi::Value loadFinished(const Napi::CallbackInfo& info);
  Napi::Value adapter(const Napi::CallbackInfo& info);
  Napi::Value preview(const Napi::CallbackInfo& info);
};
// It holds an adapter in memory, which may come from a file or from training.
struct AdapterHandle : Handle<AdapterHandle, dual::AdapterFile> {
  using Handle::Handle;
  static Napi::Function define(Napi::Env env);
  Napi::Value metadata(const Napi::CallbackInfo& info);
  Napi::Value examples(const Napi::CallbackInfo& info);
  Napi::Value save(const Napi::CallbackInfo& info);
};
struct SamplerHandle : Handle<SamplerHandle, sample::PairSampler> {
  using Handle::Handle;
  static Napi::Function define(Napi::Env env);
  Napi::Value draw(const Napi::CallbackInfo& info);
  Napi::Value begin(const Napi::CallbackInfo& info);
  Napi::Value place(const Napi::CallbackInfo& info);
  Napi::Value textEncode(const Napi::CallbackInfo& info);
  Napi::Value predict(const Napi::CallbackInfo& info);
  Napi::Value checkPrompts(const Napi::CallbackInfo& info);
};
struct DrawnHandle : Handle<DrawnHandle, sample::DrawnPairs> {
  using Handle::Handle;
  static Napi::Function define(Napi::Env env);
  Napi::Value take(const Napi::CallbackInfo& info);
};
struct BatchHandle : Handle<BatchHandle, BatchState> {
  using Handle::Handle;
  static Napi::Function define(Napi::Env env);
  Napi::Value step(const Napi::CallbackInfo& info);
  Napi::Value decode(const Napi::CallbackInfo& info);
};
struct BackgroundsHandle : Handle<BackgroundsHandle, sample::Backgrounds> {
  using Handle::Handle;
  static Napi::Function define(Napi::Env env);
};
struct AugmenterHandle : Handle<AugmenterHandle, augment::Augmenter> {
  using Handle::Handle;
  static Napi::Function define(Napi::Env env);
  Napi::Value draw(const Napi::CallbackInfo& info);
};
struct MaskerHandle : Handle<MaskerHandle, mask::U2netMasker> {
  using Handle::Handle;
  static Napi::Function define(Napi::Env env);
  Napi::Value mask(const Napi::CallbackInfo& info);
};

// It holds pictures that the evaluation's networks learn from, and that the augmenter draws from.
struct PoolHandle : Handle<PoolHandle, augment::PixelPool> {
  using Handle::Handle;
  static Napi::Function define(Napi::Env env);
  Napi::Value append(const Napi::CallbackInfo& info);
};
struct ClassifierHandle : Handle<ClassifierHandle, detect::Classifier> {
  using Handle::Handle;
  static Napi::Function define(Napi::Env env);
  Napi::Value step(const Napi::CallbackInfo& info);
  Napi::Value predict(const Napi::CallbackInfo& info);
  Napi::Value saveCheckpoint(const Napi::CallbackInfo& info);
  Napi::Value loadCheckpoint(const Napi::CallbackInfo& info);
};
struct DetectorHandle : Handle<DetectorHandle, detect::Detector> {
  using Handle::Handle;
  static Napi::Function define(Napi::Env env);
  Napi::Value step(const Napi::CallbackInfo& info);
  Napi::Value steps(const Napi::CallbackInfo& info);
  Napi::Value bytes(const Napi::CallbackInfo& info);
  Napi::Value score(const Napi::CallbackInfo& info);
  Napi::Value save(const Napi::CallbackInfo& info);
  Napi::Value saveCheckpoint(const Napi::CallbackInfo& info);
  Napi::Value loadCheckpoint(const Napi::CallbackInfo& info);
};

// It collects the maps of tested images and measures them.
struct ScorerHandle : Handle<ScorerHandle, detect::MapScorer> {
  using Handle::Handle;
  static Napi::Function define(Napi::Env env);
  Napi::Value add(const Napi::CallbackInfo& info);
  Napi::Value score(const Napi::CallbackInfo& info);
  Napi::Value bootstrap(const Napi::CallbackInfo& info);
  Napi::Value bestThresholds(const Napi::CallbackInfo& info);
  Napi::Value quantileThresholds(const Napi::CallbackInfo& info);
  Napi::Value decide(const Napi::CallbackInfo& info);
};

// These export the free functions and the constructors. All functions but createRegions, createPool and createMapScorer
// take a task last, like the methods.
void defineModel(Napi::Env env, Napi::Object exports);
void defineTrainer(Napi::Env env, Napi::Object exports);
void defineAdapter(Napi::Env env, Napi::Object exports);
void defineSampler(Napi::Env env, Napi::Object exports);
void definePlace(Napi::Object exports);
void definePool(Napi::Env env, Napi::Object exports);
void defineAugmenter(Napi::Env env, Napi::Object exports);
void defineMasker(Napi::Env env, Napi::Object exports);
void defineClassifier(Napi::Env env, Napi::Object exports);
void defineDetector(Napi::Env env, Napi::Object exports);
void defineQuality(Napi::Object exports);
void defineScorer(Napi::Env env, Napi::Object exports);
void defineConvert(Napi::Env env, Napi::Object exports);

}  // namespace dan::binding
