// A network's layers get their parameters from here: named tensors under a prefix. Each is checked against the shape
// that the configuration asks for and converted once. Tensors that no layer takes are reported.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/tensor_map.h"

namespace dan::nn {

// Returns the name of an element of a list: `name.index`.
inline std::string indexed(const char* name, size_t index) { return std::string(name) + "." + std::to_string(index); }

// Returns the name of an element of a list that is counted from 1: `name1` for index 0.
inline std::string numbered(const char* name, size_t index) { return name + std::to_string(index + 1); }

// Matrices and kernels are held either in the working dtype, or as in the file where frozen layers can read that (see
// ops/frozen.h).
enum class Held { kConverted, kAsStored };

class Weights {
 public:
  // `source` names the file or folder in errors. Tensors are converted to `dtype` on `device` when they are taken, in
  // place if nobody else holds them.
  static Weights fromTensors(TensorMap tensors, std::string source, at::ScalarType dtype, at::Device device = at::kCPU,
                             Held held = Held::kConverted);

  // Draws fresh parameters when they are asked for. Matrices and kernels are uniform in +-1/sqrt(fan_in), PyTorch's
  // default for linear and convolution layers. Gains of norms are one; biases and other vectors are zero. With
  // `storedAs` they behave as if they came from a file of that dtype and were kAsStored.
  static Weights random(at::Generator generator, at::ScalarType dtype = at::kFloat, at::Device device = at::kCPU,
                        std::optional<at::ScalarType> storedAs = std::nullopt);

  Weights scope(std::string_view name) const;
  // This is the working dtype and device.
  at::ScalarType dtype() const;
  at::Device device() const;

  // Returns the parameter `name` below this prefix. Throws ERR_WEIGHTS_INVALID, naming the tensor and both shapes, when
  // it is missing or has another shape. A converted tensor no longer keeps the one that was read.
  at::Tensor take(std::string_view name, at::IntArrayRef shape) const;

  // shapeOf gives the shape of a tensor that decides the network's own size (such as a number of channels). It is valid
  // until that tensor is taken. has tells if the tensor exists.
  at::IntArrayRef shapeOf(std::string_view name) const;
  bool has(std::string_view name) const;

  // Throws ERR_WEIGHTS_INVALID when the source holds tensors below this prefix that no layer took. Names that end in
  // one of `ignoredEndings` (buffers) are exempt.
  void expectAllTaken(std::initializer_list<std::string_view> ignoredEndings = {}) const;

  // These are the tensors taken so far, by full name: the parameters of the networks built from these weights.
  const TensorMap& taken() const;
  // These are the ones below this prefix, by their names without it.
  TensorMap takenHere() const;

 private:
  struct State;
  Weights(std::shared_ptr<State> state, std::string prefix);
  std::shared_ptr<State> state_;
  std::string prefix_;
};

}  // namespace dan::nn
