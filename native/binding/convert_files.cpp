// These functions convert files from one format to another and need no handle.
#include "binding/handles.h"
#include "binding/option_reader.h"
#include "binding/options.h"
#include "core/device.h"
#include "dual/adapter_export.h"
#include "dual/adapter_metadata.h"

namespace dan::binding {

namespace {

at::ScalarType parsePrecision(const std::string& name) { return parseDtype(name, at::kCPU); }

// convertBase(options, task) writes a diffusers folder.
Napi::Value convertBase(const Napi::CallbackInfo& info) {
  return runTask<bool>(
      info.Env(), TaskHandle::from(info[1]), info.Env().Undefined(),
      [options = parseOptions<ConvertBaseOptions>(info[0])](const Task&, const ReportProgress&) {
        model::writeBaseFolder(model::readBaseParts(options.source), options.out, parsePrecision(options.dtype));
        return true;
      },
      [](Napi::Env env, bool&) -> Napi::Value { return env.Undefined(); });
}

// convertAdapter(options, task) returns { numbers, saimErrors: [{ layer, scores, values }], background,
// backgroundScaled }
Napi::Value convertAdapter(const Napi::CallbackInfo& info) {
  struct Result {
    dual::ExportReport report;
    std::string background;
    bool hasScaledBackgrounds;
  };
  return runTask<Result>(
      info.Env(), TaskHandle::from(info[1]), info.Env().Undefined(),
      [options = parseOptions<ConvertAdapterOptions>(info[0])](const Task&, const ReportProgress&) {
        const dual::AdapterFile file = dual::readAdapterFile(options.input);
        const dual::ExportOptions chosen{options.format == "published", parsePrecision(options.dtype),
                                         options.saimRank};
        return Result{dual::exportAdapter(file, options.out, chosen),
                      dual::backgroundModeName(file.settings.background), dual::hasScaledBackgrounds(file.metadata)};
      },
      [](Napi::Env env, Result& result) -> Napi::Value {
        Napi::Array errors = Napi::Array::New(env);
        for (const auto& error : result.report.errors) {
          Napi::Object entry = Napi::Object::New(env);
          entry.Set("layer", error.layer);
          entry.Set("scores", error.scores);
          entry.Set("values", error.values);
          errors.Set(errors.Length(), entry);
        }
        Napi::Object object = Napi::Object::New(env);
        object.Set("numbers", Napi::Number::New(env, static_cast<double>(result.report.numbers)));
        object.Set("saimErrors", errors);
        object.Set("background", result.background);
        object.Set("backgroundScaled", result.hasScaledBackgrounds);
        return object;
      });
}

}  // namespace

void defineConvert(Napi::Env env, Napi::Object exports) {
  exportFunction<convertBase>(exports, "convertBase");
  exportFunction<convertAdapter>(exports, "convertAdapter");
}

}  // namespace dan::binding
