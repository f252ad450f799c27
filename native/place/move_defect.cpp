#include "place/move_defect.h"

#include <cmath>

#include "augment/defect_placement.h"
#include "core/error.h"
#include "core/pixel_values.h"
#include "core/random.h"

namespace dan::place {

namespace {

void expectInside(const augment::Box& box, int64_t height, int64_t width) {
  const bool isInside = box.top >= 0 && box.left >= 0 && box.height >= 1 && box.width >= 1 &&
                        box.height <= height - box.top && box.width <= width - box.left;
  if (isInside) return;
  fail(kInvalidOption, "Expected a box inside the window of ", width, " x ", height, " but received ", box.width, " x ",
       box.height, " at ", box.left, ", ", box.top);
}

}  // namespace

MovedDefect moveDefect(const at::Tensor& image, const at::Tensor& mask, const MoveSettings& settings) {
  const auto& [seed, box, angle] = settings;
  const augment::MarkedPicture real{augment::toPicture(image), mask != 0};
  if (!real.mask.any().item<bool>()) {
    fail(kInvalidOption, "Expected a mask that marks a defect but received an empty one");
  }
  Rng rng(makeGenerator(seed));
  if (box) expectInside(*box, mask.size(0), mask.size(1));
  if (angle && box) fail(kInvalidOption, "Expected no angle with a box but received ", *angle);
  if (angle && !std::isfinite(*angle)) fail(kInvalidOption, "Expected a finite angle but received ", *angle);
  const augment::MarkedPicture moved = box     ? augment::movedInto(real, *box, rng)
                                       : angle ? augment::turned(real, *angle, rng)
                                               : augment::moved(augment::flipped(real, rng), rng);
  return {toBytes((2 * moved.image - 1).unsqueeze(0))[0], moved.mask.to(at::kByte).mul(255).contiguous()};
}

}  // namespace dan::place
