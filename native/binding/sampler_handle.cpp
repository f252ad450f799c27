#include <ATen/record_function.h>

#include "binding/convert.h"
#include "binding/handles.h"
#include "binding/option_reader.h"
#include "binding/options.h"

namespace dan::binding {

namespace {

using Sampler = Made<sample::PairSampler>;

// createSampler(model, adapter, takesTensors, task) checks the adapter against the base. If it takes the tensors, the
// adapter can only be disposed of afterwards.
Napi::Value createSampler(const Napi::CallbackInfo& info) {
  const bool takesTensors = info[2].ToBoolean().Value();
  return runTask<Sampler>(
      info.Env(), TaskHandle::from(info[3]), info.Env().Undefined(),
      [base = ModelHandle::from(info[0]), adapter = AdapterHandle::from(info[1]), takesTensors,
       freed = takesTensors ? AdapterHandle::reportedBytes(info[1]) : 0](const Task&, const ReportProgress&) {
        RECORD_USER_SCOPE("fold the adapter");
        return measured(
            [&] { return std::make_shared<sample::PairSampler>(base, takesTensors ? std::move(*adapter) : *adapter); },
            freed);
      },
      [](Napi::Env env, Sampler& sampler) -> Napi::Value {
        return SamplerHandle::wrap(env, std::move(sampler), EnvData::of(env).sampler);
      });
}

// encodeBackgrounds(model, options, images, foregrounds, task) takes RGB images, and foregrounds with one byte for each
// pixel.
Napi::Value encodeBackgrounds(const Napi::CallbackInfo& info) {
  const auto base = ModelHandle::from(info[0]);
  const auto options = parseOptions<BackgroundOptions>(info[1]);
  const sample::BackgroundPixels pixels{toTensor(info[2], {options.count, options.height, options.width, 3}),
                                        toTensor(info[3], {options.count, options.height, options.width})};
  return runTask<Made<sample::Backgrounds>>(
      info.Env(), TaskHandle::from(info[4]), info.Env().Undefined(),
      [=](const Task& task, const ReportProgress&) {
        sample::checkResolution(*base, options.width, options.height);
        return measured([&] { return std::make_shared<sample::Backgrounds>(*base, pixels, options.chosen, task); });
      },
      [](Napi::Env env, Made<sample::Backgrounds>& backgrounds) -> Napi::Value {
        return BackgroundsHandle::wrap(env, std::move(backgrounds), EnvData::of(env).backgrounds);
      });
}

std::shared_ptr<sample::Backgrounds> optionalBackgrounds(const Napi::Value& value) {
  return value.IsUndefined() ? nullptr : BackgroundsHandle::from(value);
}

Napi::Value sampledTensor(Napi::Env env, at::Tensor& tensor) { return toJsTensor(env, tensor); }

}  // namespace

// draw(options, indices, backgrounds or undefined, task, progress) returns a batch of pairs. On CUDA they may still be
// computed.
Napi::Value SamplerHandle::draw(const Napi::CallbackInfo& info) {
  return runTask<Made<sample::DrawnPairs>>(
      info.Env(), TaskHandle::from(info[3]), info[4],
      [options = parseOptions<sample::SampleOptions>(info[0]), indices = toIntegers(info[1]),
       backgrounds = optionalBackgrounds(info[2]), sampler = value()](const Task& task, const ReportProgress& report) {
        return measured([&] {
          return std::make_shared<sample::DrawnPairs>(
              sample::drawPairs(sampler->source(backgrounds.get()), options, indices, task, report));
        });
      },
      [](Napi::Env env, Made<sample::DrawnPairs>& drawn) -> Napi::Value {
        return DrawnHandle::wrap(env, std::move(drawn), EnvData::of(env).drawn);
      });
}

// take(task) waits for the pairs and returns them.
Napi::Value DrawnHandle::take(const Napi::CallbackInfo& info) {
  return runTask<std::vector<sample::SampledPair>>(
      info.Env(), TaskHandle::from(info[0]), info.Env().Undefined(),
      [state = value()](const Task&, const ReportProgress&) { return state->take(); }, sampledToJs);
}

Napi::Function DrawnHandle::define(Napi::Env env) {
  return DefineClass(env, "DrawnHandle", {method<&DrawnHandle::take>("take"), disposeMethod()});
}

// begin(options, indices, backgrounds or undefined, task) returns { handle, timesteps, latents }.
Napi::Value SamplerHandle::begin(const Napi::CallbackInfo& info) {
  struct Begun {
    Made<BatchState> made;
    at::Tensor latents;  // on the CPU
  };
  return runTask<Begun>(
      info.Env(), TaskHandle::from(info[3]), info.Env().Undefined(),
      [options = parseOptions<sample::SampleOptions>(info[0]), indices = toIntegers(info[1]),
       backgrounds = optionalBackgrounds(info[2]), sampler = value()](const Task&, const ReportProgress&) {
        const auto made = measured([&] {
          auto batch = std::make_unique<sample::PairBatch>(sampler->source(backgrounds.get()), options, indices);
          return std::make_shared<BatchState>(BatchState{sampler, backgrounds, std::move(batch)});
        });
        const at::Tensor latents = made.object->batch->latents().cpu();
        made.object->batch->expectFinite();
        return Begun{made, latents};
      },
      [](Napi::Env env, Begun& begun) -> Napi::Value {
        Napi::Object result = Napi::Object::New(env);
        Napi::Array timesteps = Napi::Array::New(env);
        const sample::PairBatch& batch = *begun.made.object->batch;
        for (const double t : batch.timesteps()) timesteps.Set(timesteps.Length(), Napi::Number::New(env, t));
        result.Set("timesteps", timesteps);
        result.Set("latents", toJsTensor(env, begun.latents));
        result.Set("handle", BatchHandle::wrap(env, std::move(begun.made), EnvData::of(env).batch));
        return result;
      });
}

// textEncode(prompts, task) returns (N, 77, D). It uses the adapter's part of the text encoder.
Napi::Value SamplerHandle::textEncode(const Napi::CallbackInfo& info) {
  return runTask<at::Tensor>(
      info.Env(), TaskHandle::from(info[1]), info.Env().Undefined(),
      [prompts = toTexts(info[0]), sampler = value()](const Task&, const ReportProgress&) {
        return sampler->textStates(prompts);
      },
      sampledTensor);
}

// predict(latents, timesteps, text states, task) returns the UNet's output for rows of pairs.
Napi::Value SamplerHandle::predict(const Napi::CallbackInfo& info) {
  return runTask<at::Tensor>(
      info.Env(), TaskHandle::from(info[3]), info.Env().Undefined(),
      [latents = fromJsTensor(info[0]), timesteps = fromJsTensor(info[1]), textStates = fromJsTensor(info[2]),
       sampler = value()](const Task&, const ReportProgress&) {
        return sampler->predict(latents, timesteps, textStates);
      },
      sampledTensor);
}

// step(latents or undefined, task) returns the latents after one more call.
Napi::Value BatchHandle::step(const Napi::CallbackInfo& info) {
  const at::Tensor latents = info[0].IsUndefined() ? at::Tensor() : fromJsTensor(info[0]);
  return runTask<at::Tensor>(
      info.Env(), TaskHandle::from(info[1]), info.Env().Undefined(),
      [latents, state = value()](const Task&, const ReportProgress&) {
        if (latents.defined()) state->batch->setLatents(latents);
        state->batch->step();
        const at::Tensor after = state->batch->latents().cpu();
        state->batch->expectFinite();
        return after;
      },
      sampledTensor);
}

// decode(task) returns pairs from the current latents.
Napi::Value BatchHandle::decode(const Napi::CallbackInfo& info) {
  return runTask<std::vector<sample::SampledPair>>(
      info.Env(), TaskHandle::from(info[0]), info.Env().Undefined(),
      [state = value()](const Task& task, const ReportProgress&) { return state->batch->decode(task).take(); },
      sampledToJs);
}

Napi::Function BatchHandle::define(Napi::Env env) {
  return DefineClass(env, "BatchHandle",
                     {method<&BatchHandle::step>("step"), method<&BatchHandle::decode>("decode"), disposeMethod()});
}

Napi::Value SamplerHandle::checkPrompts(const Napi::CallbackInfo& info) {
  return checkPromptsOf(value()->base(), info);
}

Napi::Function SamplerHandle::define(Napi::Env env) {
  return DefineClass(env, "SamplerHandle",
                     {method<&SamplerHandle::draw>("draw"), method<&SamplerHandle::begin>("begin"),
                      method<&SamplerHandle::place>("place"), method<&SamplerHandle::textEncode>("textEncode"),
                      method<&SamplerHandle::predict>("predict"), method<&SamplerHandle::checkPrompts>("checkPrompts"),
                      disposeMethod()});
}

Napi::Function BackgroundsHandle::define(Napi::Env env) {
  return DefineClass(env, "BackgroundsHandle", {disposeMethod()});
}

void defineSampler(Napi::Env env, Napi::Object exports) {
  EnvData::of(env).backgrounds = Napi::Persistent(BackgroundsHandle::define(env));
  exportFunction<encodeBackgrounds>(exports, "encodeBackgrounds");
  EnvData::of(env).drawn = Napi::Persistent(DrawnHandle::define(env));
  EnvData::of(env).batch = Napi::Persistent(BatchHandle::define(env));
  EnvData::of(env).sampler = Napi::Persistent(SamplerHandle::define(env));
  exportFunction<createSampler>(exports, "createSampler");
}

}  // namespace dan::binding
