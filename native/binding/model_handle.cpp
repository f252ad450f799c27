#include <ATen/core/grad_mode.h>
#include <ATen/record_function.h>

#include "binding/convert.h"
#include "binding/handles.h"
#include "binding/option_reader.h"
#include "binding/options.h"
#include "core/accelerator.h"
#include "core/device.h"
#include "core/finite.h"
#include "core/pixel_values.h"

namespace dan::binding {

namespace {

using Base = Made<model::BaseModel>;

// loadModel(options, task) returns { handle, info }.
Napi::Value loadModel(const Napi::CallbackInfo& info) {
  const auto options = parseOptions<LoadOptions>(info[0]);
  // This tells why "auto" did not choose an existing GPU.
  const auto notice = std::make_shared<std::string>();
  return runTask<Base>(
      info.Env(), TaskHandle::from(info[1]), info.Env().Undefined(),
      [options, notice](const Task&, const ReportProgress&) {
        RECORD_USER_SCOPE("load the base");
        const at::Device device = parseDevice(options.device);
        if (options.device == "auto" && !device.is_cuda()) *notice = cudaState().reason;
        model::BaseOptions base = options.base;
        for (size_t i = 0; i < options.loraFiles.size(); ++i) {
          base.loras.push_back({options.loraFiles[i], options.loraScales.at(i)});
        }
        const bool suited = options.dtype == "auto";
        const auto dtype = suited ? std::nullopt : std::optional(parseDtype(options.dtype, device));
        return measured([&] { return std::shared_ptr<model::BaseModel>(model::loadBaseModel(base, device, dtype)); });
      },
      [notice](Napi::Env env, Base& made) -> Napi::Value {
        const auto& base = made.object;
        Napi::Object details = Napi::Object::New(env);
        details.Set("deviceNotice", *notice);
        details.Set("fingerprint", base->fingerprint);
        details.Set("legacyFingerprint", base->legacyFingerprint);
        details.Set("device", base->device().str());
        details.Set("dtype", dtypeName(base->unet->dtype()));
        details.Set("scheduler", base->schedulerName);
        const bool predictsNoise = base->schedule.predictionType == diffusion::PredictionType::kEpsilon;
        details.Set("predictionType", predictsNoise ? "epsilon" : "v_prediction");
        details.Set("fastDecoder", base->taesd != nullptr);
        details.Set("isInpainting", base->isInpainting());
        details.Set("resolutionMultiple", Napi::Number::New(env, static_cast<double>(base->resolutionMultiple())));
        Napi::Object result = Napi::Object::New(env);
        result.Set("info", details);
        result.Set("handle", ModelHandle::wrap(env, std::move(made), EnvData::of(env).model));
        return result;
      });
}

Napi::Value tensorOf(Napi::Env env, at::Tensor& tensor) { return toJsTensor(env, tensor); }

}  // namespace

// encode(image, width, height, task) returns the mean of the latents, (1, 4, h, w), scaled.
Napi::Value ModelHandle::encode(const Napi::CallbackInfo& info) {
  const int64_t width = info[1].ToNumber().Int64Value(), height = info[2].ToNumber().Int64Value();
  const at::Tensor image = toTensor(info[0], {height, width, 3});
  return runTask<at::Tensor>(
      info.Env(), TaskHandle::from(info[3]), info.Env().Undefined(),
      [image, base = value()](const Task&, const ReportProgress&) {
        const at::NoGradGuard noGrad;
        sample::checkResolution(*base, image.size(1), image.size(0));
        const at::Tensor pixels = toPixelValues(image.unsqueeze(0).to(base->device()));
        const at::Tensor latents = (base->vae->encode(pixels).mean * base->vae->config().scalingFactor).cpu();
        expectFinite(latents, model::kVaeEncoder);
        return latents;
      },
      tensorOf);
}

// decode(latents, fast, task) returns the RGB bytes of the first image of (1, 4, h, w).
Napi::Value ModelHandle::decode(const Napi::CallbackInfo& info) {
  const at::Tensor latents = fromJsTensor(info[0]);
  const bool fast = info[1].ToBoolean();
  return runTask<at::Tensor>(
      info.Env(), TaskHandle::from(info[2]), info.Env().Undefined(),
      [latents, fast, base = value()](const Task&, const ReportProgress&) {
        const at::NoGradGuard noGrad;
        const int64_t channels = base->vae->config().latentChannels;
        if (latents.dim() != 4 || latents.size(0) != 1 || latents.size(1) != channels) {
          fail(kInvalidOption, "Expected latents of shape (1, ", channels, ", h, w) but received ", latents.sizes());
        }
        const at::Tensor onDevice = latents.to(base->device());
        const at::Tensor pixels =
            fast ? base->taesd->decode(onDevice) : base->vae->decode(onDevice / base->vae->config().scalingFactor);
        expectFinite(pixels, fast ? model::kTaesdDecoder : model::kVaeDecoder);
        return dan::toBytes(pixels)[0].cpu();
      },
      [](Napi::Env env, at::Tensor& image) -> Napi::Value { return toBytes(env, image); });
}

// textEncode(prompts, task) returns (N, 77, D).
Napi::Value ModelHandle::textEncode(const Napi::CallbackInfo& info) {
  return runTask<at::Tensor>(
      info.Env(), TaskHandle::from(info[1]), info.Env().Undefined(),
      [prompts = toTexts(info[0]), base = value()](const Task&, const ReportProgress&) {
        const at::NoGradGuard noGrad;
        const at::Tensor states = base->textEncoder->forward(base->tokenize(prompts)).to(at::kFloat).cpu();
        expectFinite(states, "The text encoder");
        return states;
      },
      tensorOf);
}

Napi::Value checkPromptsOf(std::shared_ptr<model::BaseModel> base, const Napi::CallbackInfo& info) {
  struct Checked {
    int64_t maxTokens;
    std::vector<std::string> leftOut;
  };
  return runTask<Checked>(
      info.Env(), TaskHandle::from(info[1]), info.Env().Undefined(),
      [prompts = toTexts(info[0]), base = std::move(base)](const Task&, const ReportProgress&) {
        Checked checked{base->tokenizer->maxTokens(), {}};
        for (const std::string& prompt : prompts) checked.leftOut.push_back(base->tokenizer->leftOut(prompt));
        return checked;
      },
      [](Napi::Env env, Checked& checked) -> Napi::Value {
        Napi::Array leftOut = Napi::Array::New(env);
        for (const std::string& words : checked.leftOut) leftOut.Set(leftOut.Length(), Napi::String::New(env, words));
        Napi::Object result = Napi::Object::New(env);
        result.Set("maxTokens", Napi::Number::New(env, static_cast<double>(checked.maxTokens)));
        result.Set("leftOut", leftOut);
        return result;
      });
}

Napi::Value ModelHandle::checkPrompts(const Napi::CallbackInfo& info) { return checkPromptsOf(value(), info); }

Napi::Function ModelHandle::define(Napi::Env env) {
  return DefineClass(env, "ModelHandle",
                     {method<&ModelHandle::encode>("encode"), method<&ModelHandle::decode>("decode"),
                      method<&ModelHandle::textEncode>("textEncode"),
                      method<&ModelHandle::checkPrompts>("checkPrompts"), disposeMethod()});
}

void defineModel(Napi::Env env, Napi::Object exports) {
  EnvData::of(env).model = Napi::Persistent(ModelHandle::define(env));
  exportFunction<loadModel>(exports, "loadModel");
}

}  // namespace dan::binding
