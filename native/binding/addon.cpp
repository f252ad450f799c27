// This is the engine's entry point: the loader calls dualanodiffInit.
#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <napi.h>
#include <torch/version.h>
#include <unistd.h>

#include <cstdio>

#include "binding/convert.h"
#include "binding/handles.h"
#include "binding/option_reader.h"
#include "binding/options.h"
#include "core/accelerator.h"
#include "core/profile.h"
#include "io/weights_file.h"
#include "ops/cpu/kernels.h"

namespace dan::binding {

Napi::Function TaskHandle::define(Napi::Env env) {
  return DefineClass(env, "Task", {InstanceMethod("cancel", &TaskHandle::cancel)});
}

std::shared_ptr<JsTask> TaskHandle::from(Napi::Value value) { return Unwrap(value.As<Napi::Object>())->task; }

Napi::Value TaskHandle::cancel(const Napi::CallbackInfo& info) {
  task->cancel();
  return info.Env().Undefined();
}

namespace {

Napi::Value nativeInfo(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Object result = Napi::Object::New(env);
  result.Set("builtForTorch", TORCH_VERSION);
  Napi::Array ops = Napi::Array::New(env);
  for (const auto& name : c10::Dispatcher::singleton().getAllOpNames()) {
    if (name.name.rfind("dualanodiff::", 0) == 0) ops.Set(ops.Length(), name.name);
  }
  result.Set("ops", ops);
  Napi::Array kernels = Napi::Array::New(env);
  for (const ops::cpu::KernelSet& set : ops::cpu::kernelSets()) {
    if (set.isUsed) kernels.Set(kernels.Length(), set.name);
  }
  result.Set("kernels", kernels);
  result.Set("isAmxRefused", ops::cpu::isAmxRefused());
  Napi::Object options = Napi::Object::New(env);
  options.Set("load", optionNames<LoadOptions>(env));
  options.Set("train", optionNames<TrainerOptions>(env));
  options.Set("sample", optionNames<sample::SampleOptions>(env));
  options.Set("place", optionNames<place::PlaceOptions>(env));
  options.Set("paste", optionNames<PasteOptions>(env));
  options.Set("move", optionNames<MoveOptions>(env));
  options.Set("augmenter", optionNames<AugmenterOptions>(env));
  options.Set("background", optionNames<BackgroundOptions>(env));
  options.Set("mask", optionNames<MaskOptions>(env));
  options.Set("classifier", optionNames<ClassifierOptions>(env));
  options.Set("detector", optionNames<DetectorOptions>(env));
  options.Set("map", optionNames<MapOptions>(env));
  options.Set("convertBase", optionNames<ConvertBaseOptions>(env));
  options.Set("convertAdapter", optionNames<ConvertAdapterOptions>(env));
  result.Set("options", options);
  EnvData& data = EnvData::of(env);
  Napi::Object held = Napi::Object::New(env);
  held.Set("objects", Napi::Number::New(env, static_cast<double>(data.objects.load())));
  held.Set("bytes", Napi::Number::New(env, static_cast<double>(data.reportedBytes)));
  result.Set("held", held);
  return result;
}

// `doctor` shows this report of the first CUDA device.
struct DeviceReport {
  std::string reason;  // why the device cannot be used
  DeviceDescription description;
  DeviceMemory memory;
};

// deviceInfo(task) runs on the torch thread, because opening libtorch's CUDA part takes seconds.
Napi::Value deviceInfo(const Napi::CallbackInfo& info) {
  return runTask<DeviceReport>(
      info.Env(), TaskHandle::from(info[0]), info.Env().Undefined(),
      [](const Task&, const ReportProgress&) {
        const CudaState& state = cudaState();
        if (state.services == nullptr) return DeviceReport{state.reason, {}, {}};
        const at::Device device(at::kCUDA, 0);
        return DeviceReport{"", state.services->describe(device), state.services->memory(device)};
      },
      [](Napi::Env env, DeviceReport& report) -> Napi::Value {
        Napi::Object result = Napi::Object::New(env);
        result.Set("reason", report.reason);
        result.Set("name", report.description.name);
        result.Set("capability", c10::str(report.description.major, ".", report.description.minor));
        result.Set("totalBytes", static_cast<double>(report.memory.total));
        result.Set("freeBytes", static_cast<double>(report.memory.free));
        return result;
      });
}

// setThreads(count, task) sets libtorch's number of threads for the task's torch thread.
Napi::Value setThreads(const Napi::CallbackInfo& info) {
  const int count = info[0].ToNumber().Int32Value();
  return runTask<bool>(
      info.Env(), TaskHandle::from(info[1]), info.Env().Undefined(),
      [count](const Task&, const ReportProgress&) {
        at::get_num_threads();  // The first call on a thread adopts the number of another thread.
        at::set_num_threads(count);
        return true;
      },
      [](Napi::Env env, bool&) -> Napi::Value { return env.Undefined(); });
}

// getThreads(task) returns libtorch's number of threads for the task's torch thread.
Napi::Value getThreads(const Napi::CallbackInfo& info) {
  return runTask<int>(
      info.Env(), TaskHandle::from(info[0]), info.Env().Undefined(),
      [](const Task&, const ReportProgress&) { return at::get_num_threads(); },
      [](Napi::Env env, int& count) -> Napi::Value { return Napi::Number::New(env, count); });
}

// startProfile(task) starts recording the operations of the task's torch thread.
Napi::Value startProfile(const Napi::CallbackInfo& info) {
  return runTask<bool>(
      info.Env(), TaskHandle::from(info[0]), info.Env().Undefined(),
      [](const Task&, const ReportProgress&) {
        dan::startProfile();
        return true;
      },
      [](Napi::Env env, bool&) -> Napi::Value { return env.Undefined(); });
}

// stopProfile(task) returns [{ name, isStage, calls, seconds, ownSeconds }].
Napi::Value stopProfile(const Napi::CallbackInfo& info) {
  return runTask<std::vector<RecordedTime>>(
      info.Env(), TaskHandle::from(info[0]), info.Env().Undefined(),
      [](const Task&, const ReportProgress&) { return dan::stopProfile(); },
      [](Napi::Env env, std::vector<RecordedTime>& times) -> Napi::Value {
        Napi::Array result = Napi::Array::New(env);
        for (const RecordedTime& time : times) {
          Napi::Object entry = Napi::Object::New(env);
          entry.Set("name", time.name);
          entry.Set("isStage", time.isStage);
          entry.Set("calls", Napi::Number::New(env, static_cast<double>(time.calls)));
          entry.Set("seconds", time.seconds);
          entry.Set("ownSeconds", time.ownSeconds);
          result.Set(result.Length(), entry);
        }
        return result;
      });
}

// readMetadata(path, task) returns the metadata of a safetensors file, and an empty object for a PyTorch file. It reads
// no tensor.
Napi::Value readMetadata(const Napi::CallbackInfo& info) {
  const std::string path = info[0].ToString().Utf8Value();
  return runTask<io::Metadata>(
      info.Env(), TaskHandle::from(info[1]), info.Env().Undefined(),
      [path](const Task&, const ReportProgress&) {
        return io::readWeightsAsNamed(path, [](const std::string&) { return false; }).metadata;
      },
      [](Napi::Env env, io::Metadata& metadata) -> Napi::Value { return toObject(env, metadata); });
}

// shutdown(exitCode) is called when the main thread exits. libtorch's static objects are destroyed after that, and a
// job must not run any longer. If a job does not end soon, the process ends here, before they are destroyed.
Napi::Value shutdown(const Napi::CallbackInfo& info) {
  constexpr std::chrono::milliseconds kGracePeriod(2000);
  if (!EnvData::of(info.Env()).torch.endWithin(kGracePeriod)) {
    std::fflush(nullptr);
    ::_exit(info[0].ToNumber().Int32Value());
  }
  return info.Env().Undefined();
}

void keepEnvData(Napi::Env, EnvData*) {}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  // The data is never deleted, because finalizers use it after the cleanup hook. The hook runs before them, so it joins
  // the threads while the objects of their jobs still exist.
  auto* data = new EnvData;
  env.SetInstanceData<EnvData, keepEnvData>(data);
  keepHostMemory();
  const auto nothing = Napi::Function::New(env, [](const Napi::CallbackInfo&) {});
  data->queue = Napi::ThreadSafeFunction::New(env, nothing, "dualanodiff", 0, 1);
  data->queue.Unref(env);
  env.AddCleanupHook([](EnvData* hooked) { hooked->torch.end(); }, data);
  exportFunction<nativeInfo>(exports, "nativeInfo");
  exportFunction<shutdown>(exports, "shutdown");
  exportFunction<deviceInfo>(exports, "deviceInfo");
  exportFunction<setThreads>(exports, "setThreads");
  exportFunction<getThreads>(exports, "getThreads");
  exportFunction<startProfile>(exports, "startProfile");
  exportFunction<stopProfile>(exports, "stopProfile");
  exportFunction<readMetadata>(exports, "readMetadata");
  exports.Set("Task", TaskHandle::define(env));
  defineModel(env, exports);
  defineTrainer(env, exports);
  defineAdapter(env, exports);
  defineSampler(env, exports);
  definePlace(exports);
  definePool(env, exports);
  defineScorer(env, exports);
  defineAugmenter(env, exports);
  defineMasker(env, exports);
  defineClassifier(env, exports);
  defineDetector(env, exports);
  defineQuality(exports);
  defineConvert(env, exports);
  return exports;
}

}  // namespace

}  // namespace dan::binding

extern "C" __attribute__((visibility("default"))) napi_value dualanodiffInit(napi_env env, napi_value exports) {
  return Napi::RegisterModule(env, exports, dan::binding::init);
}
