#include "nn/gradient_checkpoint.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/custom_class.h>

namespace dan::nn {

namespace {

thread_local bool isEnabled = false;

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Autograd's contexts keep values that are not tensors only in a class of this kind.
struct KeptPiece : torch::CustomClassHolder {
  Piece piece;
  explicit KeptPiece(Piece piece) : piece(std::move(piece)) {}
};

class Checkpointed : public torch::autograd::Function<Checkpointed> {
 public:
  static at::Tensor forward(AutogradContext* context, const Piece& piece, at::TensorList inputs) {
    context->save_for_backward(inputs.vec());
    context->saved_data["piece"] = at::IValue::make_capsule(c10::make_intrusive<KeptPiece>(piece));
    return piece(inputs.vec());
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const at::AutoGradMode withGradients(true);
    const auto kept = c10::static_intrusive_pointer_cast<KeptPiece>(context->saved_data["piece"].toCapsule());
    variable_list inputs;  // these are leaves, so the second pass ends at them
    for (const at::Tensor& input : context->get_saved_variables()) {
      inputs.push_back(input.detach().set_requires_grad(input.requires_grad()));
    }
    torch::autograd::backward({kept->piece(inputs)}, {gradients[0]});
    variable_list result = {at::Tensor()};  // the piece itself has no gradient
    for (const at::Tensor& input : inputs) result.push_back(input.grad());
    return result;
  }
};

}  // namespace

GradientCheckpointing::GradientCheckpointing(bool enabled) : before_(isEnabled) { isEnabled = enabled; }
GradientCheckpointing::~GradientCheckpointing() { isEnabled = before_; }

at::Tensor checkpointed(const Piece& piece, const std::vector<at::Tensor>& inputs) {
  std::vector<at::Tensor> defined;  // autograd's functions reject undefined tensors
  std::vector<size_t> places;
  bool needsGradient = false;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].defined()) continue;
    defined.push_back(inputs[i]);
    places.push_back(i);
    needsGradient |= inputs[i].requires_grad();
  }
  if (!isEnabled || !at::GradMode::is_enabled() || !needsGradient) return piece(inputs);
  const Piece ofDefined = [piece, places, count = inputs.size()](const std::vector<at::Tensor>& given) {
    std::vector<at::Tensor> all(count);
    for (size_t i = 0; i < given.size(); ++i) all[places[i]] = given[i];
    return piece(all);
  };
  return Checkpointed::apply(ofDefined, at::TensorList(defined));
}

}  // namespace dan::nn
