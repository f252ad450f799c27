#include <ATen/core/grad_mode.h>
#include <ATen/record_function.h>

#include "binding/convert.h"
#include "binding/handles.h"
#include "binding/option_reader.h"
#include "binding/options.h"
#include "core/finite.h"
#include "dual/adapter_metadata.h"
#include "dual/folded_adapter.h"

namespace dan::binding {

namespace {

using State = Made<SamplerState>;

// createSampler(model, adapterPath, task): the adapter, checked against the base.
Napi::Value createSampler(const Napi::CallbackInfo& info) {
  const auto base = ModelHandle::from(info[0]);
  const std::string path = info[1].ToString().Utf8Value();
  return runTask<State>(
      info.Env(), TaskHandle::from(info[2]), info.Env().Undefined(),
      [base, path](const Task&, const ReportProgress&) {
        RECORD_USER_SCOPE("read and fold the adapter");
        return measured([&] {
          const dual::AdapterFile file = dual::readAdapterFile(path);
          dual::expectBase(file, path, *base);
          dual::expectLevels(file.metadata, base->vae->config().latentChannels, path);
          io::Metadata metadata = file.metadata;
          metadata["background"] = dual::backgroundModeName(file.settings.background);
          auto adapter = std::make_unique<dual::Adapter>(file.tensors, file.settings, *base->unet,
                                                         base->textEncoder->config(), path);
          auto folded = std::make_unique<dual::FoldedAdapter>(*base->unet, *adapter);
          adapter->releaseLayers();
          auto unet = dual::makeSamplingModel(*base->unet, *folded);
          return std::make_shared<SamplerState>(
              SamplerState{base, std::move(metadata), std::move(adapter), std::move(folded), std::move(unet)});
        });
      },
      [](Napi::Env env, State& state) -> Napi::Value {
        return SamplerHandle::wrap(env, std::move(state), EnvData::of(env).sampler);
      });
}

// encodeBackgrounds(model, options, images, foregrounds, task): images RGB, foregrounds one byte a pixel
Napi::Value encodeBackgrounds(const Napi::CallbackInfo& info) {
  const auto base = ModelHandle::from(info[0]);
  const auto options = parseOptions<BackgroundOptions>(info[1]);
  const at::Tensor images = toTensor(info[2], {options.count, options.height, options.width, 3});
  const at::Tensor foregrounds = toTensor(info[3], {options.count, options.height, options.width});
  return runTask<Made<sample::Backgrounds>>(
      info.Env(), TaskHandle::from(info[4]), info.Env().Undefined(),
      [=](const Task& task, const ReportProgress&) {
        sample::checkResolution(*base, options.width, options.height);
        return measured(
            [&] { return std::make_shared<sample::Backgrounds>(*base, images, foregrounds, options.chosen, task); });
      },
      [](Napi::Env env, Made<sample::Backgrounds>& backgrounds) -> Napi::Value {
        return BackgroundsHandle::wrap(env, std::move(backgrounds), EnvData::of(env).backgrounds);
      });
}

int64_t bytesOf(const PixelPool& pool) {
  size_t bytes = 0;
  for (const auto* list : {&pool.images, &pool.masks}) {
    for (const at::Tensor& picture : *list) bytes += picture.nbytes();
  }
  return static_cast<int64_t>(bytes);
}

// createLayouts(options, defects, good, task): pools
Napi::Value createLayouts(const Napi::CallbackInfo& info) {
  const auto options = parseOptions<sample::LayoutOptions>(info[0]);
  return runTask<Made<sample::Layouts>>(
      info.Env(), TaskHandle::from(info[3]), info.Env().Undefined(),
      [options, defects = PoolHandle::from(info[1]), good = PoolHandle::from(info[2])](const Task&,
                                                                                       const ReportProgress&) {
        Made<sample::Layouts> made{std::make_shared<sample::Layouts>(defects, good, options)};
        made.bytes = bytesOf(*defects) + bytesOf(*good);  // which it keeps, whatever becomes of the pools' handles
        return made;
      },
      [](Napi::Env env, Made<sample::Layouts>& layouts) -> Napi::Value {
        return LayoutsHandle::wrap(env, std::move(layouts), EnvData::of(env).layouts);
      });
}

// What pairs are drawn with beside the sampler: backgrounds or undefined, layouts or undefined.
struct Sources {
  std::shared_ptr<sample::Backgrounds> backgrounds;
  std::shared_ptr<sample::Layouts> layouts;

  Sources(const Napi::Value& backgroundsValue, const Napi::Value& layoutsValue)
      : backgrounds(backgroundsValue.IsUndefined() ? nullptr : BackgroundsHandle::from(backgroundsValue)),
        layouts(layoutsValue.IsUndefined() ? nullptr : LayoutsHandle::from(layoutsValue)) {}

  sample::PairSource with(const SamplerState& state) const {
    const auto says = [&](const char* name, const char* value) {
      const auto found = state.metadata.find(name);
      return found != state.metadata.end() && found->second == value;
    };
    sample::PairSource source{*state.base, *state.adapter, *state.unet, backgrounds.get(), layouts.get()};
    source.fill = says("part_fill", "black") ? dual::PartFill::kBlack : dual::PartFill::kGrey;
    source.oneBranch = says("branches", "one");
    source.backgroundScaled = says("background_scaled", "true");
    return source;
  }
};

Napi::Value tensorOf(Napi::Env env, at::Tensor& tensor) { return toJsTensor(env, tensor); }

}  // namespace

// draw(options, indices, backgrounds or undefined, layouts or undefined, task, progress): one batch of pairs, or on
// CUDA the promise of one
Napi::Value SamplerHandle::draw(const Napi::CallbackInfo& info) {
  auto options = parseOptions<sample::SampleOptions>(info[0]);
  options.levels = levelsFromText(value()->metadata);
  return runTask<Made<sample::DrawnPairs>>(
      info.Env(), TaskHandle::from(info[4]), info[5],
      [options, sources = Sources(info[2], info[3]), indices = toIntegers(info[1]), state = value()](
          const Task& task, const ReportProgress& report) {
        return measured([&] {
          return std::make_shared<sample::DrawnPairs>(
              sample::drawPairs(sources.with(*state), options, indices, task, report));
        });
      },
      [](Napi::Env env, Made<sample::DrawnPairs>& drawn) -> Napi::Value {
        return DrawnHandle::wrap(env, std::move(drawn), EnvData::of(env).drawn);
      });
}

// take(task): the pairs, once they are there
Napi::Value DrawnHandle::take(const Napi::CallbackInfo& info) {
  return runTask<std::vector<sample::SampledPair>>(
      info.Env(), TaskHandle::from(info[0]), info.Env().Undefined(),
      [state = value()](const Task&, const ReportProgress&) { return state->take(); }, toPairs);
}

Napi::Function DrawnHandle::define(Napi::Env env) {
  return DefineClass(env, "DrawnHandle", {method<&DrawnHandle::take>("take"), disposeMethod()});
}

// begin(options, indices, backgrounds or undefined, layouts or undefined, task): { handle, timesteps, latents }
Napi::Value SamplerHandle::begin(const Napi::CallbackInfo& info) {
  auto options = parseOptions<sample::SampleOptions>(info[0]);
  options.levels = levelsFromText(value()->metadata);
  struct Begun {
    Made<BatchState> made;
    at::Tensor latents;  // on the CPU
  };
  return runTask<Begun>(
      info.Env(), TaskHandle::from(info[4]), info.Env().Undefined(),
      [options, sources = Sources(info[2], info[3]), indices = toIntegers(info[1]), state = value()](
          const Task&, const ReportProgress&) {
        const auto made = measured([&] {
          auto batch = std::make_unique<sample::PairBatch>(sources.with(*state), options, indices);
          return std::make_shared<BatchState>(
              BatchState{state, sources.backgrounds, sources.layouts, std::move(batch)});
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
        result.Set("position", Napi::Number::New(env, static_cast<double>(batch.position())));
        result.Set("handle", BatchHandle::wrap(env, std::move(begun.made), EnvData::of(env).batch));
        return result;
      });
}

// textEncode(prompts, task): (N, 77, D), with the adapter's part of the text encoder
Napi::Value SamplerHandle::textEncode(const Napi::CallbackInfo& info) {
  return runTask<at::Tensor>(
      info.Env(), TaskHandle::from(info[1]), info.Env().Undefined(),
      [prompts = toTexts(info[0]), state = value()](const Task&, const ReportProgress&) {
        const at::NoGradGuard noGrad;
        const model::BaseModel& base = *state->base;
        const at::Tensor states =
            base.textEncoder->forward(base.tokenize(prompts), state->adapter->textHook()).to(at::kFloat).cpu();
        expectFinite(states, "The text encoder");
        return states;
      },
      tensorOf);
}

// predict(latents, timesteps, encoderHiddenStates, task): the UNet's output for rows of pairs
Napi::Value SamplerHandle::predict(const Napi::CallbackInfo& info) {
  const at::Tensor latents = fromJsTensor(info[0]), timesteps = fromJsTensor(info[1]), context = fromJsTensor(info[2]);
  return runTask<at::Tensor>(
      info.Env(), TaskHandle::from(info[3]), info.Env().Undefined(),
      [latents, timesteps, context, state = value()](const Task&, const ReportProgress&) {
        const model::BaseModel& base = *state->base;
        const int64_t tokens = base.textEncoder->config().maxLength;
        const bool fits = latents.dim() == 4 && latents.size(0) % dual::kNumBranches == 0 &&
                          latents.size(1) == base.vae->config().latentChannels && timesteps.dim() == 1 &&
                          timesteps.size(0) == latents.size(0) && context.dim() == 3 &&
                          context.size(0) == latents.size(0) && context.size(1) == tokens &&
                          context.size(2) == base.unet->config().crossAttentionDim;
        if (!fits) {
          fail(kInvalidOption, "Expected latents (2 N, ", base.vae->config().latentChannels,
               ", h, w), timesteps (2 N) and text states (2 N, ", tokens, ", ", base.unet->config().crossAttentionDim,
               ") but received ", latents.sizes(), ", ", timesteps.sizes(), " and ", context.sizes());
        }
        const at::Tensor prediction =
            state->unet
                ->forward(latents.to(base.device()), timesteps.to(base.device()), context.to(base.device()), nullptr)
                .to(at::kFloat)
                .cpu();
        expectFinite(prediction, "The UNet");
        return prediction;
      },
      tensorOf);
}

// step(latents or undefined, task): the latents after one more call
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
      tensorOf);
}

// decode(task): the pairs as they are now
Napi::Value BatchHandle::decode(const Napi::CallbackInfo& info) {
  return runTask<std::vector<sample::SampledPair>>(
      info.Env(), TaskHandle::from(info[0]), info.Env().Undefined(),
      [state = value()](const Task& task, const ReportProgress&) { return state->batch->decode(task).take(); },
      toPairs);
}

Napi::Function BatchHandle::define(Napi::Env env) {
  return DefineClass(env, "BatchHandle",
                     {method<&BatchHandle::step>("step"), method<&BatchHandle::decode>("decode"), disposeMethod()});
}

// metadata(): what the adapter's file says of itself
Napi::Value SamplerHandle::metadata(const Napi::CallbackInfo& info) { return toObject(info.Env(), value()->metadata); }

Napi::Value SamplerHandle::checkPrompts(const Napi::CallbackInfo& info) { return checkPromptsOf(value()->base, info); }

Napi::Function SamplerHandle::define(Napi::Env env) {
  return DefineClass(env, "SamplerHandle",
                     {method<&SamplerHandle::draw>("draw"), method<&SamplerHandle::begin>("begin"),
                      method<&SamplerHandle::textEncode>("textEncode"), method<&SamplerHandle::predict>("predict"),
                      method<&SamplerHandle::metadata>("metadata"),
                      method<&SamplerHandle::checkPrompts>("checkPrompts"), disposeMethod()});
}

Napi::Function BackgroundsHandle::define(Napi::Env env) {
  return DefineClass(env, "BackgroundsHandle", {disposeMethod()});
}

Napi::Function LayoutsHandle::define(Napi::Env env) { return DefineClass(env, "LayoutsHandle", {disposeMethod()}); }

void defineSampler(Napi::Env env, Napi::Object exports) {
  EnvData::of(env).layouts = Napi::Persistent(LayoutsHandle::define(env));
  exportFunction<createLayouts>(exports, "createLayouts");
  EnvData::of(env).backgrounds = Napi::Persistent(BackgroundsHandle::define(env));
  exportFunction<encodeBackgrounds>(exports, "encodeBackgrounds");
  EnvData::of(env).drawn = Napi::Persistent(DrawnHandle::define(env));
  EnvData::of(env).batch = Napi::Persistent(BatchHandle::define(env));
  EnvData::of(env).sampler = Napi::Persistent(SamplerHandle::define(env));
  exportFunction<createSampler>(exports, "createSampler");
}

}  // namespace dan::binding
