// Gradient checkpointing (arXiv 1604.06174) keeps only the inputs of a piece of a network for the backward pass, and
// computes the piece again there. It saves memory and takes about a third more time.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <vector>

namespace dan::nn {

// While an object with `enabled` lives, `checkpointed` recomputes pieces on this thread.
class GradientCheckpointing {
 public:
  explicit GradientCheckpointing(bool enabled);
  ~GradientCheckpointing();
  GradientCheckpointing(const GradientCheckpointing&) = delete;
  GradientCheckpointing& operator=(const GradientCheckpointing&) = delete;

 private:
  bool before_;
};

using Piece = std::function<at::Tensor(const std::vector<at::Tensor>& inputs)>;

// Returns piece(inputs). Gradients reach `inputs` (some may be undefined) and the leaves that the piece uses besides
// them. Everything else that it refers to must live until the backward pass and must not need gradients. If a piece
// trains only such leaves, one of them must be among its inputs, because otherwise autograd would never call its
// backward pass.
at::Tensor checkpointed(const Piece& piece, const std::vector<at::Tensor>& inputs);

}  // namespace dan::nn
