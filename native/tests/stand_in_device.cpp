#include "tests/stand_in_device.h"

#include <ATen/EmptyTensor.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <ATen/native/CPUFallback.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/resize_native.h>
#include <ATen/ops/unfold_native.h>
#include <ATen/ops/view_native.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/DeviceType.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <utility>

namespace dan::tests {

namespace {

constexpr auto kDevice = c10::DeviceType::PrivateUse1;
constexpr auto kKeys = c10::DispatchKeySet(c10::DispatchKey::PrivateUse1);

class HostMemory : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    c10::DataPtr host = c10::GetCPUAllocator()->allocate(bytes);
    void *data = host.get(), *context = host.release_context();
    return {data, context, host.get_deleter(), at::Device(kDevice, 0)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return c10::GetCPUAllocator()->raw_deleter(); }
  void copy_data(void* to, const void* from, size_t bytes) const override { default_copy_data(to, from, bytes); }
};

HostMemory memory;
REGISTER_ALLOCATOR(kDevice, &memory);

struct Hooks : at::PrivateUse1HooksInterface {
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  void resizePrivateUse1Bytes(const c10::Storage& storage, size_t bytes) const override {
    c10::DataPtr larger = memory.allocate(bytes);
    std::memcpy(larger.get(), storage.data(), std::min(bytes, storage.nbytes()));
    storage.set_data_ptr(std::move(larger));
    storage.set_nbytes(bytes);
  }
};

at::Tensor emptyDense(at::IntArrayRef size, std::optional<at::ScalarType> type, std::optional<at::Layout>,
                      std::optional<at::Device>, std::optional<bool>, std::optional<at::MemoryFormat> format) {
  return at::detail::empty_generic(size, &memory, kKeys, type.value_or(at::kFloat), format);
}

at::Tensor emptyStrided(at::IntArrayRef size, at::IntArrayRef stride, std::optional<at::ScalarType> type,
                        std::optional<at::Layout>, std::optional<at::Device>, std::optional<bool>) {
  return at::detail::empty_strided_generic(size, stride, &memory, kKeys, type.value_or(at::kFloat));
}

// Returns a CPU tensor on the same memory.
at::Tensor onHost(const at::Tensor& x) {
  if (x.is_cpu()) return x;
  return at::from_blob(x.data_ptr(), x.sizes(), x.strides(), at::TensorOptions().dtype(x.dtype()));
}

// This thread records its operations here; null while it records no graph.
thread_local std::vector<std::function<void()>>* recording = nullptr;

// It pauses the recording while this device does on the host what a real device would do itself.
struct OwnAffair {
  std::vector<std::function<void()>>* const before = std::exchange(recording, nullptr);
  ~OwnAffair() { recording = before; }
};

void remember(std::function<void()> operation) {
  if (recording != nullptr) recording->push_back(std::move(operation));
}

at::Tensor copyFrom(const at::Tensor& from, const at::Tensor& to, bool) {
  TORCH_CHECK(recording == nullptr || (!from.is_cpu() && !to.is_cpu()),
              "a copy between host and device cannot be recorded");
  onHost(to).copy_(onHost(from));
  remember([from, to] { onHost(to).copy_(onHost(from)); });
  return to;
}

// Returns the tensors among an operation's arguments or results.
std::vector<at::Tensor> tensorsOf(at::ArrayRef<c10::IValue> values) {
  std::vector<at::Tensor> tensors;
  for (const c10::IValue& value : values) {
    if (value.isTensor()) tensors.push_back(value.toTensor());
    if (!value.isTensorList()) continue;
    for (const at::Tensor& tensor : value.toTensorVector()) tensors.push_back(tensor);
  }
  return tensors;
}

// Repeats an operation with its original tensors and writes over its original results.
void doAgain(const c10::OperatorHandle& op, const std::vector<c10::IValue>& arguments,
             const std::vector<at::Tensor>& results) {
  torch::jit::Stack stack = arguments;
  at::native::cpu_fallback(op, &stack);
  const auto again = tensorsOf(torch::jit::last(stack, op.schema().returns().size()));
  for (size_t i = 0; i < results.size(); ++i) {
    const bool isThere = !results[i].defined() || results[i].data_ptr() == again[i].data_ptr();
    if (!isThere) onHost(results[i]).copy_(onHost(again[i]));
  }
}

at::Tensor copyFromAndResize(const at::Tensor& from, const at::Tensor& to) {
  to.resize_(from.sizes());
  return copyFrom(from, to, false);
}

// Refuses a CPU tensor among the device's, unless it is a single number or an index. Refuses to read a number from the
// device while recording.
void compute(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  static const std::set<std::string> takeHostIndices = {"aten::index.Tensor", "aten::index_put_", "aten::index_put",
                                                        "aten::_index_put_impl_"};
  static const std::set<std::string> normalisesGroups = {"aten::native_group_norm", "aten::native_group_norm_backward"};
  const auto& name = op.operator_name();
  TORCH_CHECK(recording == nullptr || name.name != "aten::_local_scalar_dense", "a number read cannot be recorded");
  const std::string full = name.overload_name.empty() ? name.name : name.name + "." + name.overload_name;
  const std::vector<c10::IValue> arguments = torch::jit::last(*stack, op.schema().arguments().size()).vec();
  for (const at::Tensor& tensor : tensorsOf(arguments)) {
    if (!tensor.defined()) continue;
    TORCH_CHECK(!tensor.is_cpu() || tensor.dim() == 0 || takeHostIndices.count(full) > 0, full, ": a tensor of shape ",
                tensor.sizes(), " is on the CPU, others on the device");
    TORCH_CHECK(normalisesGroups.count(full) == 0 || tensor.is_contiguous(), full, ": a tensor is not contiguous");
  }
  {
    const OwnAffair toTheHostAndBack;
    at::native::cpu_fallback(op, stack);
  }
  const auto results = tensorsOf(torch::jit::last(*stack, op.schema().returns().size()));
  remember([op, arguments, results] { doAgain(op, arguments, results); });
}

void expectThere(const char* op, std::initializer_list<at::Tensor> tensors) {
  for (const at::Tensor& tensor : tensors) {
    TORCH_CHECK(!tensor.defined() || !tensor.is_cpu(), op, ": a tensor of shape ", tensor.sizes(), " is on the CPU");
  }
}

at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, const std::optional<at::Tensor>& bias,
                       at::IntArrayRef stride, at::IntArrayRef padding, at::IntArrayRef dilation, bool transposed,
                       at::IntArrayRef outputPadding, int64_t groups) {
  const at::Tensor offset = bias.value_or(at::Tensor());
  expectThere("convolution", {x, weight, offset});
  const auto compute = [=, stride = stride.vec(), padding = padding.vec(), dilation = dilation.vec(),
                        outputPadding = outputPadding.vec()] {
    return at::convolution(onHost(x), onHost(weight), offset.defined() ? onHost(offset) : offset, stride, padding,
                           dilation, transposed, outputPadding, groups);
  };
  at::Tensor result;
  {
    const OwnAffair toTheHostAndBack;
    result = compute().to(x.device());
  }
  remember([=] { onHost(result).copy_(compute()); });
  return result;
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> convolutionBackward(const at::Tensor& gradient, const at::Tensor& x,
                                                                   const at::Tensor& weight, at::IntArrayRef stride,
                                                                   at::IntArrayRef padding, at::IntArrayRef dilation,
                                                                   bool transposed, at::IntArrayRef outputPadding,
                                                                   int64_t groups, std::array<bool, 3> wanted) {
  expectThere("convolution_backward", {gradient, x, weight});
  const OwnAffair toTheHostAndBack;
  const auto [ofInput, ofWeight, ofBias] =
      at::convolution_backward(onHost(gradient), onHost(x), onHost(weight), {{weight.size(0)}}, stride, padding,
                               dilation, transposed, outputPadding, groups, wanted);
  const auto there = [&](const at::Tensor& result) { return result.defined() ? result.to(x.device()) : result; };
  return {there(ofInput), there(ofWeight), there(ofBias)};
}

// The fallback would lose the running statistics, because the operation's schema does not declare that it changes them.
std::tuple<at::Tensor, at::Tensor, at::Tensor> batchNorm(const at::Tensor& x, const std::optional<at::Tensor>& weight,
                                                         const std::optional<at::Tensor>& bias,
                                                         const std::optional<at::Tensor>& runningMean,
                                                         const std::optional<at::Tensor>& runningVar, bool training,
                                                         double momentum, double eps) {
  const auto host = [](const std::optional<at::Tensor>& tensor) {
    return tensor.has_value() && tensor->defined() ? onHost(*tensor) : at::Tensor();
  };
  expectThere("native_batch_norm", {x, weight.value_or(at::Tensor()), runningMean.value_or(at::Tensor())});
  const OwnAffair toTheHostAndBack;
  const auto [normed, mean, deviation] = at::native_batch_norm(onHost(x), host(weight), host(bias), host(runningMean),
                                                               host(runningVar), training, momentum, eps);
  return {normed.to(x.device()), mean.to(x.device()), deviation.to(x.device())};
}

// libtorch does this on CUDA. It assumes that other devices support all layouts.
at::Tensor groupNorm(const at::Tensor& x, int64_t groups, const std::optional<at::Tensor>& weight,
                     const std::optional<at::Tensor>& bias, double eps, bool) {
  return std::get<0>(at::native_group_norm(x.contiguous(), weight, bias, x.size(0), x.size(1),
                                           x.numel() / x.size(0) / x.size(1), groups, eps));
}

TORCH_LIBRARY_IMPL(aten, AutogradPrivateUse1, library) { library.impl("group_norm", groupNorm); }

TORCH_LIBRARY_IMPL(aten, PrivateUse1, library) {
  library.impl("group_norm", groupNorm);
  library.impl("native_batch_norm", batchNorm);
  library.impl("convolution_overrideable", convolution);
  library.impl("convolution_backward_overrideable", convolutionBackward);
  library.impl("empty.memory_format", emptyDense);
  library.impl("empty_strided", emptyStrided);
  library.impl("_copy_from", copyFrom);
  library.impl("_copy_from_and_resize", copyFromAndResize);
  library.impl("resize_", at::native::resize_);
  library.impl("as_strided", at::native::as_strided_tensorimpl);
  library.impl("unfold", at::native::unfold);
  library.impl("view", at::native::view);
  library.impl("_reshape_alias", at::native::_reshape_alias);
  // Other devices than the CPU and CUDA have a composite form of these.
  for (const char* name : {"native_group_norm", "native_group_norm_backward", "native_layer_norm"}) {
    library.impl(name, torch::CppFunction::makeFromBoxedFunction<&compute>());
  }
}

TORCH_LIBRARY_IMPL(_, PrivateUse1, library) { library.fallback(torch::CppFunction::makeFromBoxedFunction<&compute>()); }

// All work is done when a call returns, so there is nothing to wait for.
struct Guard : c10::impl::NoOpDeviceGuardImpl<kDevice> {
  at::Device exchangeDevice(at::Device) const override { return {kDevice, 0}; }
  at::Device getDevice() const override { return {kDevice, 0}; }
  c10::Stream getStream(at::Device) const noexcept override { return stream(); }
  c10::Stream exchangeStream(c10::Stream) const noexcept override { return stream(); }
  void record(void**, const c10::Stream&, c10::DeviceIndex, c10::EventFlag) const override {}
  void block(void*, const c10::Stream&) const override {}
  bool queryEvent(void*) const override { return true; }

 private:
  static c10::Stream stream() { return c10::Stream(c10::Stream::DEFAULT, {kDevice, 0}); }
};
C10_REGISTER_GUARD_IMPL(PrivateUse1, Guard);

}  // namespace

at::Device standInDevice() {
  static const bool registered = [] {
    c10::register_privateuse1_backend("stand_in");
    at::RegisterPrivateUse1HooksInterface(new Hooks);
    return true;
  }();
  (void)registered;
  return at::Device(kDevice, 0);
}

StandInGraph::StandInGraph(const std::function<void()>& work) {
  recording = &operations_;
  try {
    work();
  } catch (...) {
    recording = nullptr;
    throw;
  }
  recording = nullptr;
}

void StandInGraph::replay() {
  for (const auto& operation : operations_) operation();
}

}  // namespace dan::tests
