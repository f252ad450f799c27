// These functions convert values between JavaScript and the engine.
#pragma once

#include <ATen/ATen.h>
#include <napi.h>

#include "augment/augmenter.h"
#include "io/safetensors.h"
#include "sample/decoding.h"
#include "train/latent_source.h"

namespace dan::binding {

// Copies a Uint8Array to a tensor of `shape`. Throws ERR_INVALID_OPTION if the shape is invalid or the length does not
// fit it.
at::Tensor toTensor(Napi::Value value, at::IntArrayRef shape);
// Copies a contiguous uint8 tensor.
Napi::Uint8Array toBytes(Napi::Env env, const at::Tensor& tensor);
// These do the same for a Float32Array. toFloats takes a tensor of any type and device.
at::Tensor toFloatTensor(Napi::Value value, at::IntArrayRef shape);
Napi::Float32Array toFloats(Napi::Env env, const at::Tensor& tensor);

// These copy a tensor to { data: Float32Array, shape } and back. fromJsTensor throws as toTensor does.
Napi::Object toJsTensor(Napi::Env env, const at::Tensor& tensor);
at::Tensor fromJsTensor(Napi::Value value);

io::Metadata toMetadata(Napi::Value value);
Napi::Object toObject(Napi::Env env, const io::Metadata& metadata);

std::vector<int64_t> toIntegers(Napi::Value value);
std::vector<std::string> toTexts(Napi::Value value);

// Reads { image, mask, foreground?, width, height, type, centre? }. Images are RGB. Masks and foregrounds have one byte
// for each pixel. Throws as toTensor does.
train::TrainingRegion toRegion(Napi::Value value);
// Makes [{ region, type, image, mask, size }].
Napi::Value examplesToJs(Napi::Env env, std::vector<dual::AdapterExample>& examples);

// Makes [{ index, image, part, attention? }] with RGB bytes, and attention as one byte for each pixel.
Napi::Value sampledToJs(Napi::Env env, std::vector<sample::SampledPair>& pairs);
// Makes [{ index, image, part, mask }] with RGB bytes, and the mask as one byte for each pixel.
Napi::Value augmentedToJs(Napi::Env env, std::vector<augment::AugmentedPair>& pairs);

}  // namespace dan::binding
