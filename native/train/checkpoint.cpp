#include "train/checkpoint.h"

#include "core/error.h"
#include "core/finite.h"

namespace dan::train {

namespace {

const at::Tensor& taken(const TensorMap& tensors, const std::string& name, const std::string& path) {
  const auto found = tensors.find(name);
  if (found == tensors.end()) fail(kWeightsInvalid, path, " is not a checkpoint: it lacks ", name);
  return found->second;
}

}  // namespace

void expectFiniteTensors(const TensorMap& tensors, const std::string& path) {
  for (const auto& [name, tensor] : tensors) {
    if (allFinite(tensor)) continue;
    fail(kWeightsInvalid, path, ": ", name, " holds numbers that are not finite: resume an earlier checkpoint");
  }
}

int64_t takeCount(const TensorMap& tensors, const std::string& name, int64_t most, const std::string& path) {
  const at::Tensor& tensor = taken(tensors, name, path);
  const bool isCount = tensor.scalar_type() == at::kLong && tensor.numel() == 1;
  const int64_t count = isCount ? tensor.item<int64_t>() : -1;
  if (count < 0 || count > most) fail(kWeightsInvalid, path, ": ", name, " is not an integer from 0 to ", most);
  return count;
}

at::Tensor takeOrder(const TensorMap& tensors, const std::string& name, int64_t count, const std::string& path) {
  const at::Tensor order = taken(tensors, name, path);
  if (order.scalar_type() == at::kLong && order.numel() == 0) return {};
  const bool isOrder = order.scalar_type() == at::kLong && order.dim() == 1 && order.size(0) == count &&
                       std::get<0>(order.sort()).equal(at::arange(count, at::kLong));
  if (!isOrder) fail(kWeightsInvalid, path, ": ", name, " is not an order of ", count, " images");
  return order.clone();
}

}  // namespace dan::train
