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
        dual::expectBase(file, path, base->fingerprint);
        auto adapter = std::make_unique<dual::Adapter>(file.tensors, file.settings, *base->unet,
                                                       base->textEncoder->config(), path);
        io::Metadata metadata = file.metadata;
        metadata["background"] = dual::backgroundModeName(file.settings.background);
        auto folded = std::make_unique<dual::FoldedAdapter>(*base->unet, *adapter);
        adapter->releaseLayers();
        return std::make_shared<SamplerState>(
            SamplerState{base, std::move(metadata), std::move(adapter), std::move(folded)});
      },
      [](Napi::Env env, State& state) -> Napi::Value {
        return SamplerHandle::wrap(env, state, EnvData::of(env).sampler);
      });
}

// encodeBackgrounds(model, options, images, foregrounds, task): images RGB, foregrounds one byte a pixel
Napi::Value encodeBackgrounds(const Napi::CallbackInfo& info) {
  const auto base = ModelHandle::from(info[0]);
  const auto options = parseOptions<BackgroundOptions>(info[1]);
  const at::Tensor images = toTensor(info[2], {options.count, options.height, options.width, 3});
  const at::Tensor foregrounds = toTensor(info[3], {options.count, options.height, options.width});
  return runTask<std::shared_ptr<sample::Backgrounds>>(
      info.Env(), TaskHandle::from(info[4]), info.Env().Undefined(),
      [=](const Task& task, const ReportProgress&) {
        sample::checkResolution(*base, options.width, options.height);
        return std::make_shared<sample::Backgrounds>(*base, images, foregrounds, options.chosen, task);
      },
      [](Napi::Env env, std::shared_ptr<sample::Backgrounds>& backgrounds) -> Napi::Value {
        return BackgroundsHandle::wrap(env, backgrounds, EnvData::of(env).backgrounds);
      });
}

}  // namespace

// sample(options, indices, backgrounds or undefined, task, progress): one batch of pairs
Napi::Value SamplerHandle::sample(const Napi::CallbackInfo& info) {
  auto options = parseOptions<sample::SampleOptions>(info[0]);
  options.levels = levelsFromText(value()->metadata);
  const auto backgrounds = info[2].IsUndefined() ? nullptr : BackgroundsHandle::from(info[2]);
  return runTask<std::vector<sample::SampledPair>>(
      info.Env(), TaskHandle::from(info[3]), info[4],
      [options, backgrounds, indices = toIntegers(info[1]), state = value()](const Task& task,
                                                                             const ReportProgress& report) {
        return sample::PairSampler(*state->base, *state->adapter, options, state->folded.get())
            .sample(indices, task, report, backgrounds.get());
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

Napi::Function BackgroundsHandle::define(Napi::Env env) {
  return DefineClass(env, "BackgroundsHandle", {InstanceMethod("dispose", &BackgroundsHandle::dispose)});
}

void defineSampler(Napi::Env env, Napi::Object exports) {
  EnvData::of(env).backgrounds = Napi::Persistent(BackgroundsHandle::define(env));
  exports.Set("encodeBackgrounds", Napi::Function::New(env, encodeBackgrounds));
  EnvData::of(env).sampler = Napi::Persistent(SamplerHandle::define(env));
  exports.Set("createSampler", Napi::Function::New(env, createSampler));
}

}  // namespace dan::binding
