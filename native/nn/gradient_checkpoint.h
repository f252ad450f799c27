// Gradient checkpointing (arXiv 1604.06174): a piece of a network keeps its inputs for the backward pass and nothing
// else, and is computed a second time there. Less memory for about a third more time.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <vector>

namespace dan::nn {

// While one with `enabled` lives, `checkpointed` does so on this thread.
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

// piece(inputs). Gradients reach `inputs` (some may be undefined) and the leaves that the piece uses beside them.
// Whatever else it refers to must live until the backward pass and must not need gradients. A piece whose only trained
// tensors are such leaves needs one of them among its inputs, or autograd would not come back to it.
at::Tensor checkpointed(const Piece& piece, const std::vector<at::Tensor>& inputs);

}  // namespace dan::nn
