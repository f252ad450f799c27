// A damaged checkpoint must be refused before the trainer changes.
#include "train/checkpoint.h"

#include <cmath>

#include "tests/test.h"

namespace dan::tests {

DAN_TEST(counts_and_orders_of_a_checkpoint_are_whole) {
  TensorMap tensors = {{"position", at::full({1}, 7, at::kLong)}, {"order", at::tensor({2, 0, 1}, at::kLong)}};
  EXPECT(train::takeCount(tensors, "position", 7, "c") == 7);
  EXPECT(train::takeOrder(tensors, "order", 3, "c").equal(tensors.at("order")));
  expectError([&] { train::takeCount(tensors, "position", 6, "c"); }, "c: position is not an integer from 0 to 6");
  expectError([&] { train::takeCount(tensors, "cursor", 6, "c"); }, "lacks cursor");
  for (const at::Tensor& damaged : {at::full({1}, -1, at::kLong), at::full({1}, 2.0), at::full({2}, 1, at::kLong)}) {
    tensors["position"] = damaged;
    expectError([&] { train::takeCount(tensors, "position", 7, "c"); }, "position is not an integer");
  }
  for (const at::Tensor& damaged : {at::tensor({2, 0, 2}, at::kLong), at::tensor({0, 1}, at::kLong),
                                    at::tensor({0, 1, 9}, at::kLong), at::tensor({0.0, 1.0, 2.0})}) {
    tensors["order"] = damaged;
    expectError([&] { train::takeOrder(tensors, "order", 3, "c"); }, "c: order is not an order of 3 images");
  }
  tensors["order"] = at::empty({0}, at::kLong);  // The trainer has no order before the first step.
  EXPECT(!train::takeOrder(tensors, "order", 3, "c").defined());
}

DAN_TEST(a_checkpoint_with_numbers_that_are_none_names_the_tensor) {
  TensorMap tensors = {{"a", at::zeros({3})}, {"b", at::zeros({2}, at::kHalf)}, {"c", at::zeros({2}, at::kLong)}};
  tensors["large"] = at::full({4}, 3e38F);  // The sum of these is not finite.
  train::expectFiniteTensors(tensors, "file");
  tensors["b"][1] = std::nan("");
  expectError([&] { train::expectFiniteTensors(tensors, "file"); }, "file: b holds numbers that are not finite");
  tensors["b"][1] = 0;
  tensors["a"].copy_(at::tensor({INFINITY, 0.0F, -INFINITY}));
  expectError([&] { train::expectFiniteTensors(tensors, "file"); }, "file: a holds numbers that are not finite");
}

}  // namespace dan::tests
