// Values that cross between JavaScript and the engine.
#pragma once

#include <ATen/ATen.h>
#include <napi.h>

#include "io/safetensors.h"
#include "sample/pair_batch.h"

namespace dan::binding {

// A copy of a Uint8Array as a tensor of `shape`. Throws ERR_INVALID_OPTION where the shape is none or the length does
// not fit it.
at::Tensor toTensor(Napi::Value value, at::IntArrayRef shape);
// A copy of a contiguous uint8 tensor.
Napi::Uint8Array toBytes(Napi::Env env, const at::Tensor& tensor);

// { data: Float32Array, shape } and back, copied. fromJsTensor throws as toTensor does.
Napi::Object toJsTensor(Napi::Env env, const at::Tensor& tensor);
at::Tensor fromJsTensor(Napi::Value value);

io::Metadata toMetadata(Napi::Value value);
Napi::Object toObject(Napi::Env env, const io::Metadata& metadata);

// Latent levels as an adapter's metadata holds them: a JSON list of 2 x branches x channels numbers; undefined where
// there are none.
std::string levelsToText(const at::Tensor& levels);
at::Tensor levelsFromText(const io::Metadata& metadata);
inline constexpr const char* kLatentLevels = "latent_levels";

std::vector<int64_t> toIntegers(Napi::Value value);
std::vector<std::string> toTexts(Napi::Value value);

// [{ index, image, part, attention?, mask? }], RGB bytes, attention and mask one byte a pixel.
Napi::Value toPairs(Napi::Env env, std::vector<sample::SampledPair>& pairs);

}  // namespace dan::binding
