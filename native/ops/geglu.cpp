#include "ops/geglu.h"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "ops/op.h"

namespace dan::ops {

at::Tensor gegluPlain(const at::Tensor& x) {
  const auto halves = x.chunk(2, -1);
  return halves[0] * at::gelu(halves[1]);
}

namespace {

// This function saves only its input for the backward pass. Autograd would also keep the activated half of the plain
// form.
class Geglu : public torch::autograd::Function<Geglu> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x) {
    context->save_for_backward({x});
    return gegluPlain(x);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto halves = context->get_saved_variables()[0].chunk(2, -1);
    const at::Tensor& gradient = gradients[0];
    return {at::cat({gradient * at::gelu(halves[1]), at::gelu_backward(gradient * halves[0], halves[1])}, -1)};
  }
};

// No gradient needs the activated half, so that the result can take its place.
at::Tensor gegluCpu(const at::Tensor& x) {
  const auto halves = x.chunk(2, -1);
  return at::gelu(halves[1]).mul_(halves[0]);
}

}  // namespace

at::Tensor geglu(const at::Tensor& x) {
  if (needsGradient({x})) return Geglu::apply(x);
  static const auto op = findOp<at::Tensor(const at::Tensor&)>("dualanodiff::geglu");
  return op.call(x);
}

TORCH_LIBRARY_FRAGMENT(dualanodiff, library) { library.def("geglu(Tensor x) -> Tensor"); }
TORCH_LIBRARY_IMPL(dualanodiff, CPU, library) { library.impl("geglu", gegluCpu); }

}  // namespace dan::ops
