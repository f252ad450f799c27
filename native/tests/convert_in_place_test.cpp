#include "nn/convert_in_place.h"

#include <ATen/ATen.h>

#include "core/random.h"
#include "nn/weights.h"
#include "tests/test.h"

namespace dan::tests {

namespace {

// Returns numbers of all sizes, with those at the ends of a dtype's range.
at::Tensor drawnNumbers(at::IntArrayRef shape, at::ScalarType dtype) {
  at::Generator generator = makeGenerator(0, 0);
  at::Tensor numbers = at::randn(shape, generator) * at::pow(10, at::randint(-9, 4, shape, generator).to(at::kFloat));
  numbers.view(-1).narrow(0, 0, 4).copy_(at::tensor({65504.0F, -0.0F, 6e-8F, 0.0F}));
  return numbers.to(dtype);
}

bool isSameMemory(const at::Tensor& a, const at::Tensor& b) { return a.const_data_ptr() == b.const_data_ptr(); }

}  // namespace

DAN_TEST(weights_that_are_converted_in_place_have_the_same_numbers_as_converted_copies) {
  const std::vector<std::vector<int64_t>> shapes = {{700, 300}, {1, 9}, {6, 5, 3, 3}, {130, 96, 3, 3}, {8, 4, 1, 1}};
  for (const auto& shape : shapes) {
    for (const auto& [from, to] : {std::pair(at::kHalf, at::kBFloat16), std::pair(at::kBFloat16, at::kBFloat16),
                                   std::pair(at::kBFloat16, at::kHalf)}) {
      const at::Tensor weight = drawnNumbers(shape, from);
      const at::Tensor expected = weight.to(to, /*non_blocking=*/false, /*copy=*/true);
      EXPECT(nn::canConvertInPlace(weight, to, 1));
      const at::Tensor result = nn::convertInPlace(weight, to);
      EXPECT(isSameMemory(result, weight));
      EXPECT(result.scalar_type() == to && result.sizes() == expected.sizes());
      EXPECT(result.is_contiguous(shape.size() == 4 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous));
      EXPECT(at::equal(result.view(at::kShort), expected.view(at::kShort)));
    }
  }
}

DAN_TEST(only_weights_that_nobody_else_holds_are_converted_in_place) {
  const auto take = [](TensorMap tensors, at::ScalarType dtype) {
    const at::IntArrayRef shape = tensors.at("w").sizes();
    const std::vector<int64_t> copy = shape.vec();
    return nn::Weights::fromTensors(std::move(tensors), "file", dtype).take("w", copy);
  };
  TensorMap own = {{"w", drawnNumbers({8, 4, 3, 3}, at::kHalf)}};
  const void* memory = own.at("w").const_data_ptr();
  EXPECT(take(std::move(own), at::kBFloat16).const_data_ptr() == memory);

  const at::Tensor held = drawnNumbers({8, 4}, at::kHalf), before = held.clone();
  EXPECT(!isSameMemory(take({{"w", held}}, at::kBFloat16), held));
  const at::Tensor rows = drawnNumbers({16, 4}, at::kHalf), rowsBefore = rows.clone();
  EXPECT(!isSameMemory(take({{"w", rows.narrow(0, 0, 8)}}, at::kBFloat16), rows));
  EXPECT(at::equal(held, before) && at::equal(rows, rowsBefore));
  const at::Tensor wide = drawnNumbers({8, 4}, at::kFloat);
  EXPECT(!nn::canConvertInPlace(wide, at::kBFloat16, 1));
  const at::Tensor turned = at::empty_strided({8, 4}, {1, 8}, at::kHalf);
  EXPECT(turned.storage().use_count() == 1 && !nn::canConvertInPlace(turned, at::kBFloat16, 1));

  // This is not a view for autograd, which would keep the whole. It begins inside of its storage.
  at::Tensor whole = drawnNumbers({6, 2, 3, 3}, at::kHalf);
  const at::Tensor last = at::empty({0}, at::kHalf).set_(whole.storage(), whole.stride(0), {5, 2, 3, 3});
  whole.reset();
  const at::Tensor expected = last.to(at::kBFloat16);
  EXPECT(nn::canConvertInPlace(last, at::kBFloat16, 1));
  EXPECT(at::equal(nn::convertInPlace(last, at::kBFloat16), expected));
}

}  // namespace dan::tests
