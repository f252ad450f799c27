#include "binding/convert.h"
#include "binding/handles.h"
#include "binding/option_reader.h"
#include "binding/options.h"
#include "core/error.h"
#include "core/finite.h"
#include "place/move_defect.h"
#include "place/paste_back.h"

namespace dan::binding {

namespace {

int64_t integerOf(const Napi::Object& object, const char* name) { return object.Get(name).ToNumber().Int64Value(); }

// Reads { index, attempt, photograph, place, defect?: { image, mask }, foreground? }.
place::PlaceWindow toWindow(const Napi::Object& object, const sample::SampleOptions& options) {
  const auto image = [&](Napi::Value value) { return toTensor(value, {options.height, options.width, 3}); };
  const auto mask = [&](Napi::Value value) { return toTensor(value, {options.height, options.width}); };
  place::PlaceWindow window;
  window.index = integerOf(object, "index");
  window.attempt = integerOf(object, "attempt");
  window.photograph = image(object.Get("photograph"));
  window.place = mask(object.Get("place"));
  const Napi::Value defect = object.Get("defect"), foreground = object.Get("foreground");
  if (!defect.IsUndefined()) {
    window.defectImage = image(defect.As<Napi::Object>().Get("image"));
    window.defectMask = mask(defect.As<Napi::Object>().Get("mask"));
  }
  if (!foreground.IsUndefined()) window.foreground = mask(foreground);
  return window;
}

std::vector<place::PlaceWindow> toWindows(Napi::Value value, const sample::SampleOptions& options) {
  const auto array = value.As<Napi::Array>();
  std::vector<place::PlaceWindow> windows;
  for (uint32_t i = 0; i < array.Length(); ++i) windows.push_back(toWindow(array.Get(i).As<Napi::Object>(), options));
  return windows;
}

Napi::Value placedToJs(Napi::Env env, std::vector<place::PlacedDefect>& placed) {
  Napi::Array array = Napi::Array::New(env);
  for (const place::PlacedDefect& defect : placed) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("index", Napi::Number::New(env, static_cast<double>(defect.index)));
    object.Set("part", toBytes(env, defect.part));
    object.Set("change", toFloats(env, defect.change));
    object.Set("mask", toBytes(env, defect.mask));
    array.Set(array.Length(), object);
  }
  return array;
}

// moveDefect(image, mask, options, task) returns { image, mask }.
Napi::Value moveDefect(const Napi::CallbackInfo& info) {
  const auto options = parseOptions<MoveOptions>(info[2]);
  const at::Tensor image = toTensor(info[0], {options.height, options.width, 3});
  const at::Tensor mask = toTensor(info[1], {options.height, options.width});
  return runTask<place::MovedDefect>(
      info.Env(), TaskHandle::from(info[3]), info.Env().Undefined(),
      [image, mask, options](const Task&, const ReportProgress&) {
        return place::moveDefect(image, mask, options.settings);
      },
      [](Napi::Env env, place::MovedDefect& moved) -> Napi::Value {
        Napi::Object object = Napi::Object::New(env);
        object.Set("image", toBytes(env, moved.image));
        object.Set("mask", toBytes(env, moved.mask));
        return object;
      });
}

// pasteBack(photograph, change, mask, options, task) returns { image, mask, contrast, contrastToNoise, fit }.
Napi::Value pasteBack(const Napi::CallbackInfo& info) {
  const auto options = parseOptions<PasteOptions>(info[3]);
  if (options.channels != 1 && options.channels != 3) {
    fail(kInvalidOption, "Expected 1 or 3 for channels but received ", options.channels);
  }
  const at::Tensor photograph = toTensor(info[0], {options.side, options.side, options.channels});
  const at::Tensor change = toFloatTensor(info[1], {options.resolution, options.resolution, 3});
  const at::Tensor mask = toTensor(info[2], {options.resolution, options.resolution});
  return runTask<place::Pasted>(
      info.Env(), TaskHandle::from(info[4]), info.Env().Undefined(),
      [photograph, change, mask](const Task&, const ReportProgress&) {
        expectFinite(change, "The change of a photograph");
        return place::pasteBack(photograph, change, mask);
      },
      [](Napi::Env env, place::Pasted& pasted) -> Napi::Value {
        Napi::Object object = Napi::Object::New(env);
        object.Set("image", toBytes(env, pasted.image));
        object.Set("mask", toBytes(env, pasted.mask));
        object.Set("contrast", pasted.contrast);
        object.Set("contrastToNoise", pasted.contrastToNoise);
        object.Set("fit", pasted.fit);
        return object;
      });
}

}  // namespace

// place(options, windows, task, progress) returns [{ index, part, change, mask }].
Napi::Value SamplerHandle::place(const Napi::CallbackInfo& info) {
  const auto options = parseOptions<place::PlaceOptions>(info[0]);
  return runTask<std::vector<place::PlacedDefect>>(
      info.Env(), TaskHandle::from(info[2]), info[3],
      [options, windows = toWindows(info[1], options.sample), sampler = value()](const Task& task,
                                                                                 const ReportProgress& report) {
        return place::placeDefects(*sampler, options, windows, task, report);
      },
      placedToJs);
}

void definePlace(Napi::Object exports) {
  exportFunction<moveDefect>(exports, "moveDefect");
  exportFunction<pasteBack>(exports, "pasteBack");
}

}  // namespace dan::binding
