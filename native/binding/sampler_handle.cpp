#include "binding/convert.h"
#include "binding/handles.h"
#include "binding/option_reader.h"
#include "binding/options.h"

namespace dan::binding {

namespace {

using State = std::shared_ptr<SamplerState>;

// createSampler(model, adapterPath, task): the adapter, checked against the base.
Napi::Value createSampler(const Napi::CallbackInfo& info) {
  const auto base = ModelHandle::from(info[0]);
  const std::string path = info[1].ToString().Utf8Value();
  return runTask<State>(
      info.Env(), TaskHandle::from(info[2]), info.Env().Undefined(),
      [base, path](const Task&, const ReportProgress&) {
        const dual::AdapterFile file = dual::readAdapterFile(path);
        const auto trainedOn = file.metadata.find("base_fingerprint");
        if (trainedOn != file.metadata.end() && trainedOn->second != base->fingerprint) {
          fail(kAdapterMismatch, path, " was trained on another base model (fingerprint ", trainedOn->second,
               "; this base has ", base->fingerprint, "): use the base that it was trained on, ",
               file.metadata.count("base") ? file.metadata.at("base") : "which the file does not name");
        }
        if (file.settings.background != dual::BackgroundMode::kOff) {
          fail(kAdapterMismatch, path, " needs background images (background compensation), which sampling does not ",
               "take yet");
        }
        auto adapter = std::make_unique<dual::Adapter>(file.tensors, file.settings, *base->unet,
                                                       base->textEncoder->config(), path);
        return std::make_shared<SamplerState>(SamplerState{base, file.metadata, std::move(adapter)});
      },
      [](Napi::Env env, State& state) -> Napi::Value {
        return SamplerHandle::wrap(env, state, EnvData::of(env).sampler);
      });
}

}  // namespace

// sample(options, indices, task, progress): one batch of pairs
Napi::Value SamplerHandle::sample(const Napi::CallbackInfo& info) {
  auto options = parseOptions<sample::SampleOptions>(info[0]);
  options.levels = levelsFromText(value()->metadata);
  return runTask<std::vector<sample::SampledPair>>(
      info.Env(), TaskHandle::from(info[2]), info[3],
      [options, indices = toIntegers(info[1]), state = value()](const Task& task, const ReportProgress& report) {
        return sample::PairSampler(*state->base, *state->adapter, options).sample(indices, task, report);
      },
      toPairs);
}

// metadata(): what the adapter's file says of itself
Napi::Value SamplerHandle::metadata(const Napi::CallbackInfo& info) { return toObject(info.Env(), value()->metadata); }

Napi::Function SamplerHandle::define(Napi::Env env) {
  return DefineClass(
      env, "SamplerHandle",
      {InstanceMethod("sample", &SamplerHandle::sample), InstanceMethod("metadata", &SamplerHandle::metadata),
       InstanceMethod("dispose", &SamplerHandle::dispose)});
}

void defineSampler(Napi::Env env, Napi::Object exports) {
  EnvData::of(env).sampler = Napi::Persistent(SamplerHandle::define(env));
  exports.Set("createSampler", Napi::Function::New(env, createSampler));
}

}  // namespace dan::binding
