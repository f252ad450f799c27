#include "model/base_fingerprint.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string_view>

#include "io/input_file.h"
#include "model/lora_file.h"

namespace dan::model {

namespace {

// Exact hashes of rounded weights differ between precisions, because some weights lie on the border between two
// roundings. A fingerprint therefore holds numbers that rounding barely moves: projections of the weights onto random
// signs.
//
// With n tensors, each scaled to length 1, a projection divided by sqrt(n) is distributed as N(0, 1). Rounding to
// bfloat16 moves it by 0.0008: the relative error is 2^-8 / sqrt(12), and the range of a mantissa lowers it to about
// 0.7 of that. Replacing one tensor by another moves it by sqrt(2 / n).
constexpr size_t kProjections = 32;
// A projection is stored as a multiple of this step in 16 bits.
constexpr double kStep = 1.0 / 2048;
// This is three times the distance that rounding to bfloat16 causes.
constexpr double kMaxRootMeanSquare = 0.0025;
// A base has gigabytes of weights, so hashing all of them would slow down loading. We sample each tensor.
constexpr int64_t kSamples = 1024;
constexpr size_t kDigits = 4;  // digits per projection

using Projections = std::array<double, kProjections>;

// This is the FNV-1a hash.
void addToHash(uint64_t& hash, const void* data, size_t count) {
  const auto* bytes = static_cast<const uint8_t*>(data);
  for (size_t i = 0; i < count; ++i) hash = (hash ^ bytes[i]) * 0x100000001b3ULL;
}
void addToHash(uint64_t& hash, const io::InputFile& file) {
  std::vector<char> chunk(1 << 20);
  for (size_t at = 0; at < file.size(); at += chunk.size()) {
    const size_t count = std::min(chunk.size(), file.size() - at);
    file.read(at, chunk.data(), count);
    addToHash(hash, chunk.data(), count);
  }
}
constexpr uint64_t kEmptyHash = 0xcbf29ce484222325ULL;

// This is the SplitMix64 generator.
uint64_t mixed(uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

// Some copies of a text encoder lack these tensors or store them in another type. Nothing reads them.
bool isLeftOut(std::string_view name) {
  for (const std::string_view unread : {"text_projection.weight", "position_ids"}) {
    if (name.size() >= unread.size() && name.substr(name.size() - unread.size()) == unread) return true;
  }
  return false;
}

template <class T>
void project(Projections& sums, const T* data, int64_t count, uint64_t seed) {
  const int64_t samples = std::min(count, kSamples), stride = count / samples;
  std::array<float, kProjections> signedSums{};
  double squares = 0;
  for (int64_t i = 0; i < samples; ++i) {
    const uint64_t random = mixed(seed + static_cast<uint64_t>(i));
    // The position inside each stretch is random, because an even distance may hit the same columns of a matrix each
    // time.
    const auto place = i * stride + static_cast<int64_t>((random >> kProjections) % static_cast<uint64_t>(stride));
    // Rounding to half precision first gives a float16 copy of the base exactly the same numbers.
    const auto value = static_cast<float>(static_cast<c10::Half>(static_cast<float>(data[place])));
    if (!std::isfinite(value)) continue;
    squares += static_cast<double>(value) * value;
    for (size_t k = 0; k < kProjections; ++k) signedSums[k] += (random >> k & 1) != 0 ? value : -value;
  }
  if (squares == 0) return;
  for (size_t k = 0; k < kProjections; ++k) sums[k] += signedSums[k] / std::sqrt(squares);
}

// Returns the number of tensors added.
size_t projectAll(Projections& sums, const TensorMap& tensors, const char* part) {
  size_t count = 0;
  for (const auto& [name, tensor] : tensors) {
    const at::ScalarType type = tensor.scalar_type();
    if (!tensor.is_floating_point() || tensor.numel() == 0 || isLeftOut(name)) continue;
    uint64_t seed = kEmptyHash;
    addToHash(seed, part, std::string_view(part).size());
    addToHash(seed, name.data(), name.size());
    const bool isHalf = type == at::kHalf || type == at::kBFloat16;
    const at::Tensor values = isHalf ? tensor.contiguous() : tensor.to(at::kFloat).contiguous();
    if (type == at::kHalf) {
      project(sums, values.const_data_ptr<c10::Half>(), values.numel(), seed);
    } else if (type == at::kBFloat16) {
      project(sums, values.const_data_ptr<c10::BFloat16>(), values.numel(), seed);
    } else {
      project(sums, values.const_data_ptr<float>(), values.numel(), seed);
    }
    ++count;
  }
  return count;
}

// Returns an empty vector if the text is not a fingerprint.
std::vector<int> stepsOf(const std::string& fingerprint) {
  if (fingerprint.size() != kProjections * kDigits) return {};
  if (fingerprint.find_first_not_of("0123456789abcdef") != std::string::npos) return {};
  std::vector<int> steps;
  for (size_t k = 0; k < kProjections; ++k) {
    steps.push_back(static_cast<int16_t>(std::stoul(fingerprint.substr(k * kDigits, kDigits), nullptr, 16)));
  }
  return steps;
}

std::string hexadecimal(uint64_t value, int digits) {
  char text[17];
  std::snprintf(text, sizeof(text), "%0*lx", digits, static_cast<unsigned long>(value));
  return text;
}

}  // namespace

std::string fingerprintOf(const TensorMap& unet, const TensorMap& text) {
  Projections sums{};
  const size_t unetCount = projectAll(sums, unet, "unet."), textCount = projectAll(sums, text, "text_encoder.");
  const double unit = std::sqrt(static_cast<double>(std::max<size_t>(unetCount + textCount, 1))) * kStep;
  std::string fingerprint;
  for (const double sum : sums) {
    const double steps = std::clamp(std::nearbyint(sum / unit), -32768.0, 32767.0);
    fingerprint += hexadecimal(static_cast<uint16_t>(static_cast<int16_t>(steps)), kDigits);
  }
  return fingerprint;
}

bool isSameBase(const std::string& a, const std::string& b) {
  const std::vector<int> ofA = stepsOf(a), ofB = stepsOf(b);
  if (ofA.empty() || ofB.empty()) return a == b;
  double squares = 0;
  for (size_t k = 0; k < kProjections; ++k) {
    const double distance = (ofA[k] - ofB[k]) * kStep;
    squares += distance * distance;
  }
  return std::sqrt(squares / kProjections) <= kMaxRootMeanSquare;
}

std::string legacyFingerprintOf(const TensorMap& unet, const std::vector<LoraFile>& loras) {
  uint64_t hash = kEmptyHash;
  for (const char* name : {"conv_in.weight", "conv_out.weight"}) {
    const auto found = unet.find(name);
    if (found == unet.end()) continue;
    const at::Tensor half = found->second.to(at::kHalf).contiguous();
    addToHash(hash, half.const_data_ptr(), half.nbytes());
  }
  for (const LoraFile& lora : loras) {
    const std::string path = loraFileAt(lora.path), config = peftConfigOf(path);
    addToHash(hash, *io::InputFile::open(path));
    // Version 0.1.0 did not read the scale in the config.
    if (!config.empty()) addToHash(hash, *io::InputFile::open(config));
    addToHash(hash, &lora.scale, sizeof(lora.scale));
  }
  return hexadecimal(hash, 16);
}

}  // namespace dan::model
