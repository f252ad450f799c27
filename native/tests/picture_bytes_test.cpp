// The conversions of the recipe `augment` must give the values of their plain forms, which a seed's pictures depend on.
#include "augment/picture_bytes.h"

#include "core/random.h"
#include "tests/test.h"

namespace dan {

DAN_TEST(a_picture_has_every_bit_of_its_plain_form_whichever_part_is_converted_and_flipped) {
  const at::Tensor image = (at::rand({41, 58, 3}, makeGenerator(1), at::kFloat) * 256).to(at::kByte);
  for (const at::Tensor& part : {image, image.narrow(0, 3, 17).narrow(1, 20, 33), image.transpose(0, 1)}) {
    for (const bool across : {false, true}) {
      for (const bool down : {false, true}) {
        const augment::Flips flips{across, down};
        const at::Tensor picture = augment::toPicture(part, flips);
        EXPECT(picture.equal(augment::toPicturePlain(part, flips)) && picture.is_contiguous());
        const at::Tensor red = part.select(2, 0);
        EXPECT((picture[0] * 255).round().to(at::kByte).equal(augment::flipped(red, flips)));
      }
    }
  }
}

DAN_TEST(the_bytes_of_a_pair_are_those_of_their_plain_form) {
  // The levels between two bytes are there as well, and the bytes themselves.
  at::Tensor picture = at::rand({3, 37, 64}, makeGenerator(2), at::kFloat) * 1.2 - 0.1;
  picture[0] = at::arange(37 * 64, at::kFloat).view({37, 64}).remainder(512) / 510;
  const at::Tensor mask = at::rand({37, 64}, makeGenerator(3), at::kFloat) < 0.3;
  for (const PartFill fill : {PartFill::kGrey, PartFill::kBlack}) {
    for (const at::Tensor& x : {picture, picture.flip({1}).transpose(1, 2).contiguous().transpose(1, 2)}) {
      const augment::PairBytes bytes = augment::toPairBytes(x, mask, fill);
      const augment::PairBytes plain = augment::toPairBytesPlain(x, mask, fill);
      EXPECT(bytes.image.equal(plain.image) && bytes.part.equal(plain.part) && bytes.mask.equal(plain.mask));
    }
  }
}

}  // namespace dan
