// Where a network's layers get their parameters from: named tensors under a prefix, checked against the shapes that the
// configuration asks for, converted once, and accounted for.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/tensor_map.h"

namespace dan::nn {

// How matrices and kernels are held: in the precision of the work, or, where frozen layers can read them so (see
// ops/frozen.h), as they are in the file, which then is neither read nor converted before they are used.
enum class Held { kConverted, kAsStored };

class Weights {
 public:
  // `source` names the file or folder in errors. Tensors are converted to `dtype` on `device` as they are taken.
  static Weights fromTensors(TensorMap tensors, std::string source, at::ScalarType dtype, at::Device device = at::kCPU,
                             Held held = Held::kConverted);

  // Fresh parameters, drawn as they are asked for: matrices and kernels uniform in +-1/sqrt(fan_in) (the default of
  // PyTorch's linear and convolution layers), norm gains one, biases and the rest of the vectors zero.
  // With `storedAs`, as if they came from a file of that precision and were kAsStored.
  static Weights random(at::Generator generator, at::ScalarType dtype = at::kFloat, at::Device device = at::kCPU,
                        std::optional<at::ScalarType> storedAs = std::nullopt);

  Weights scope(std::string_view name) const;
  // Of the work that the parameters are for.
  at::ScalarType dtype() const;
  at::Device device() const;

  // The parameter `name` below this prefix. Throws ERR_WEIGHTS_INVALID, naming the tensor and both shapes, when it is
  // missing or of another shape. What was read is let go of where it was converted.
  at::Tensor take(std::string_view name, at::IntArrayRef shape) const;

  // The shape of a tensor that decides the network's own (channels read off the file), valid until that is taken, and
  // whether it is there at all.
  at::IntArrayRef shapeOf(std::string_view name) const;
  bool has(std::string_view name) const;

  // Throws ERR_WEIGHTS_INVALID when the source holds tensors below this prefix that no layer took, but for those whose
  // name ends in one of `ignoredEndings` (buffers).
  void expectAllTaken(std::initializer_list<std::string_view> ignoredEndings = {}) const;

  // What was taken so far, by full name: the parameters of the networks built from these weights.
  const TensorMap& taken() const;

 private:
  struct State;
  Weights(std::shared_ptr<State> state, std::string prefix);
  std::shared_ptr<State> state_;
  std::string prefix_;
};

}  // namespace dan::nn
