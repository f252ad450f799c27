#include "binding/convert.h"

#include <cstdlib>
#include <cstring>
#include <new>

#include "core/error.h"

namespace dan::binding {

namespace {

// Copies a typed array to a tensor. Neither the array nor the shape is trusted.
at::Tensor copyOf(Napi::Value value, at::IntArrayRef shape, at::ScalarType dtype, const char* what) {
  const size_t elementSize = c10::elementSize(dtype);
  const bool isFloat = dtype == at::kFloat;
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().ElementSize() != elementSize ||
      (value.As<Napi::TypedArray>().TypedArrayType() == napi_float32_array) != isFloat) {
    throw Napi::TypeError::New(value.Env(), isFloat ? "expected a Float32Array" : "expected a Uint8Array");
  }
  const auto given = value.As<Napi::TypedArray>();
  int64_t count = 1;
  for (const int64_t extent : shape) {
    if (extent < 0 || __builtin_mul_overflow(count, extent, &count)) {
      fail(kInvalidOption, "Expected a shape without negative or immense extents but received ", shape);
    }
  }
  if (static_cast<size_t>(count) != given.ElementLength()) {
    fail(kInvalidOption, "Expected ", count, " ", what, " for the shape ", shape, " but received ",
         given.ElementLength());
  }
  at::Tensor tensor = at::empty(shape, dtype);
  if (count > 0) {
    const auto* bytes = static_cast<const char*>(given.ArrayBuffer().Data()) + given.ByteOffset();
    std::memcpy(tensor.data_ptr(), bytes, tensor.nbytes());
  }
  return tensor;
}

// V8 ends the process if it finds no memory for an array, so we try to allocate the memory first.
void expectMemory(size_t bytes) {
  void* memory = std::malloc(bytes);
  if (memory == nullptr && bytes > 0) throw std::bad_alloc();
  std::free(memory);
}

}  // namespace

at::Tensor toTensor(Napi::Value value, at::IntArrayRef shape) {
  return copyOf(value, shape, at::kByte, "bytes of pixels");
}

Napi::Uint8Array toBytes(Napi::Env env, const at::Tensor& tensor) {
  expectMemory(tensor.nbytes());
  Napi::Uint8Array bytes = Napi::Uint8Array::New(env, tensor.nbytes());
  if (tensor.nbytes() > 0) std::memcpy(bytes.Data(), tensor.data_ptr(), tensor.nbytes());
  return bytes;
}

at::Tensor toFloatTensor(Napi::Value value, at::IntArrayRef shape) {
  return copyOf(value, shape, at::kFloat, "numbers");
}

Napi::Float32Array toFloats(Napi::Env env, const at::Tensor& tensor) {
  const at::Tensor floats = tensor.to(at::kFloat).cpu().contiguous();
  expectMemory(floats.nbytes());
  Napi::Float32Array data = Napi::Float32Array::New(env, static_cast<size_t>(floats.numel()));
  if (floats.nbytes() > 0) std::memcpy(data.Data(), floats.const_data_ptr(), floats.nbytes());
  return data;
}

Napi::Object toJsTensor(Napi::Env env, const at::Tensor& tensor) {
  const Napi::Float32Array data = toFloats(env, tensor);
  Napi::Array shape = Napi::Array::New(env);
  for (const int64_t size : tensor.sizes())
    shape.Set(shape.Length(), Napi::Number::New(env, static_cast<double>(size)));
  Napi::Object object = Napi::Object::New(env);
  object.Set("data", data);
  object.Set("shape", shape);
  return object;
}

at::Tensor fromJsTensor(Napi::Value value) {
  const auto object = value.As<Napi::Object>();
  return toFloatTensor(object.Get("data"), toIntegers(object.Get("shape")));
}

io::Metadata toMetadata(Napi::Value value) {
  io::Metadata metadata;
  const auto object = value.As<Napi::Object>();
  const Napi::Array names = object.GetPropertyNames();
  for (uint32_t i = 0; i < names.Length(); ++i) {
    const std::string name = names.Get(i).ToString().Utf8Value();
    metadata[name] = object.Get(name).ToString().Utf8Value();
  }
  return metadata;
}

Napi::Object toObject(Napi::Env env, const io::Metadata& metadata) {
  Napi::Object object = Napi::Object::New(env);
  for (const auto& [name, text] : metadata) object.Set(name, text);
  return object;
}

std::vector<int64_t> toIntegers(Napi::Value value) {
  const auto array = value.As<Napi::Array>();
  std::vector<int64_t> values;
  for (uint32_t i = 0; i < array.Length(); ++i) values.push_back(array.Get(i).ToNumber().Int64Value());
  return values;
}

std::vector<std::string> toTexts(Napi::Value value) {
  const auto array = value.As<Napi::Array>();
  std::vector<std::string> texts;
  for (uint32_t i = 0; i < array.Length(); ++i) texts.push_back(array.Get(i).ToString().Utf8Value());
  return texts;
}

train::TrainingRegion toRegion(Napi::Value value) {
  const auto object = value.As<Napi::Object>();
  const auto integerOf = [](const Napi::Object& of, const char* name) { return of.Get(name).ToNumber().Int64Value(); };
  const int64_t width = integerOf(object, "width"), height = integerOf(object, "height");
  train::TrainingRegion region;
  region.image = toTensor(object.Get("image"), {height, width, 3});
  region.mask = toTensor(object.Get("mask"), {height, width});
  const Napi::Value foreground = object.Get("foreground"), centre = object.Get("centre");
  if (!foreground.IsUndefined()) region.foreground = toTensor(foreground, {height, width});
  region.type = integerOf(object, "type");
  if (centre.IsUndefined()) return region;
  const auto position = centre.As<Napi::Object>();
  region.centre = {integerOf(position, "y"), integerOf(position, "x")};
  return region;
}

Napi::Value examplesToJs(Napi::Env env, std::vector<dual::AdapterExample>& examples) {
  Napi::Array array = Napi::Array::New(env);
  for (const dual::AdapterExample& example : examples) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("region", Napi::Number::New(env, static_cast<double>(example.region)));
    object.Set("type", Napi::Number::New(env, static_cast<double>(example.type)));
    object.Set("image", toBytes(env, example.image));
    object.Set("mask", toBytes(env, example.mask));
    object.Set("size", Napi::Number::New(env, static_cast<double>(example.mask.size(0))));
    array.Set(array.Length(), object);
  }
  return array;
}

namespace {

// Converts the fields that both kinds of pairs have.
template <class Pair>
Napi::Object pairToJs(Napi::Env env, const Pair& pair) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("index", Napi::Number::New(env, static_cast<double>(pair.index)));
  object.Set("image", toBytes(env, pair.image));
  object.Set("part", toBytes(env, pair.part));
  return object;
}

}  // namespace

Napi::Value sampledToJs(Napi::Env env, std::vector<sample::SampledPair>& pairs) {
  Napi::Array array = Napi::Array::New(env);
  for (const sample::SampledPair& pair : pairs) {
    Napi::Object object = pairToJs(env, pair);
    if (pair.attention.defined()) object.Set("attention", toBytes(env, pair.attention));
    array.Set(array.Length(), object);
  }
  return array;
}

Napi::Value augmentedToJs(Napi::Env env, std::vector<augment::AugmentedPair>& pairs) {
  Napi::Array array = Napi::Array::New(env);
  for (const augment::AugmentedPair& pair : pairs) {
    Napi::Object object = pairToJs(env, pair);
    object.Set("mask", toBytes(env, pair.mask));
    array.Set(array.Length(), object);
  }
  return array;
}

}  // namespace dan::binding
